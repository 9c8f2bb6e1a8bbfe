// Package chaos runs an experiment with real processes while it kills, stops and cuts off any of them, and tells what that did.
//
// It has no part in what it tests: the processes are those of the services, the faults come from outside of them, and what came of it is
// judged by whoever asked for it, from what the server holds. All that is drawn by lot is drawn from a seed, so that a run that
// found something is run again; when each fault strikes depends on the machine.
package chaos

import (
	"context"
	"log/slog"
	"time"
)

// Config says what to run and how much to disturb it.
type Config struct {
	Program string   // path of a foldstream program, which can be all roles
	Dir     string   // folder for the store and the processes' logs
	File    string   // experiment file
	Pool    string   // its pool
	Env     []string // what every process has in its environment besides: what is secret must not stand on a command line
	// Server is the address of a server that stays unharmed. "": there is one of its own in Dir, which is killed as well, and a proxy before it,
	// which cuts connections, stalls and delays them.
	Server string

	Seed        uint64
	Faults      int           // at most so many; fewer where the work is done before
	Pause       time.Duration // between two faults, on average
	Consumers   int
	Aggregators int // besides the one that an own server has inside
	// Done counts the pool's tasks that are over and those that are not. Its errors are those of a server that is away, and pass.
	Done func(ctx context.Context) (over, open int, err error)
	Log  *slog.Logger
}

// Report is what was done to the processes, and how they took it.
type Report struct {
	Seed    uint64         `json:"seed"`
	Faults  map[string]int `json:"faults"`  // by kind
	Starts  int            `json:"starts"`  // of processes
	Ended   int            `json:"ended"`   // processes that ended by themselves, which none should
	Refused int            `json:"refused"` // results that came from a worker that had lost its lease, and were dropped
	// How long after a fault the next result was stored, in seconds. A fault after which none was missing is not counted.
	Median float64 `json:"recovery_median_seconds"`
	Max    float64 `json:"recovery_max_seconds"`
}
