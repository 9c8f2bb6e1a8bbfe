// Package streamtest is the one suite that every foldstream.Store passes, with what integration tests need around it: a
// server of their own, a server process that can be killed, and the proof that no task was lost or doubled.
//
// A Store is put to it in its own package's tests:
//
//	func TestMain(m *testing.M) { streamtest.Main(m) }
//
//	func TestStore(t *testing.T) {
//		streamtest.Run(t, func(t *testing.T, opts streamtest.Options) streamtest.Harness {
//			server := streamtest.Server(t)
//			… // open the store on server.URL() with opts.Lease, close it by t.Cleanup
//			return streamtest.Harness{Store: store, Lease: opts.Lease, Abandon: …}
//		})
//	}
//
// A store that also is Administered is put to RunAdmin in the same way, and to RunModel: random operations and crashes beside a
// model of a task's life.
//
// Every check is a function that returns an error, listed by name in Checks and AdminChecks, so that the suite's own test can plant a fault in a
// Store and see the check that is there for it fail.
package streamtest
