// Package streamtest is the one suite that every foldstream.Store passes, with what integration tests need around it: a
// server of their own, a server process that can be killed, and the proof that no task was lost or doubled.
//
// Every check is a function that returns an error, listed by name in Checks, so that the suite's own test can plant a fault in a
// Store and see the check that is there for it fail.
package streamtest
