package streamtest_test

import (
	"flag"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream/stream/streamtest"
)

// modelCatches are mutants that a random life must run into.
var modelCatches = []string{
	"no fence: a stale commit is no error, of a task that was taken away", "no dedup: a known task is made again under another id",
	"an abandoned lease lives on", "a commit is forgotten", "a return ignores the pause", "a return never counts", "a failed task comes back",
	"stat forgets the failed", "the part is lost", "reconcile does nothing", "reconcile always mends", "cancel does nothing",
	"what runs is not cancelled", "what is between stages is not cancelled", "cancel removes", "remove does nothing",
	"what is done is not removed", "what was removed stays removed", "replace only creates", "replace only removes",
	"replace ends the old task before it looks at the new one", "whatever was removed can be replaced", "retry does nothing", "retry goes on counting attempts",
	"retry forgets the priority", "reset always has force", "reset never has force", "reset uses an attempt", "reset begins at the first stage",
	"prioritize does nothing", "prioritize takes what runs", "prioritize forgets the time", "prioritize loses the ticket",
	"a pool is never resumed", "every task starts at once", "the index has no errors", "the index has no workers",
	"the index has the next attempt", "letters are for ever", "drop does nothing", "verify finds nothing", "verify always finds something",
}

// verdict is a test that only notes whether it failed.
type verdict struct {
	rapid.TB
	failed bool
}

func (v *verdict) Errorf(string, ...any) { v.failed = true }
func (v *verdict) Error(...any)          { v.failed = true }
func (v *verdict) Fatalf(string, ...any) { v.failed = true }
func (v *verdict) Fatal(...any)          { v.failed = true }
func (v *verdict) FailNow()              { v.failed = true }
func (v *verdict) Fail()                 { v.failed = true }
func (v *verdict) Log(...any)            {}
func (v *verdict) Logf(string, ...any)   {}

// TestModel_Mutants wants the model to see faults that no check was written for.
func TestModel_Mutants(t *testing.T) {
	for name, value := range map[string]string{
		"rapid.checks": "200", "rapid.steps": "60", "rapid.shrinktime": "0s", "rapid.nofailfile": "true",
	} {
		f := flag.Lookup(name)
		old := f.Value.String()
		t.Cleanup(func() { _ = f.Value.Set(old) })
		if err := f.Value.Set(value); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range modelCatches {
		t.Run(name, func(t *testing.T) {
			i := slices.IndexFunc(allMutants(), func(m mutant) bool { return m.name == name })
			m := allMutants()[i]
			synctest.Test(t, func(t *testing.T) {
				v := &verdict{TB: t}
				rapid.Check(v, streamtest.Model(t, func(*testing.T, streamtest.Options) streamtest.Harness {
					b := &broken{}
					h := b.harness(m.opts)
					m.fault(b, &h)
					return h
				}))
				if !v.failed {
					t.Error("the model finds nothing")
				}
			})
		})
	}
}
