// Package chaos runs an experiment with real processes while it kills, stops and cuts off any of them, and tells what that did.
//
// It has no part in what it tests: the processes are those of the services, the faults come from outside of them, and what came of it is
// judged by whoever asked for it, from what the server holds. All that is drawn by lot is drawn from a seed, each fault by itself: a run that
// found something has the same faults in the same order when it is run again; when each fault strikes depends on the machine.
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
	// Server is the address of a server that stays unharmed. "": there are some of its own in Dir, which are killed as well, and a proxy before
	// each, which cuts connections, stalls and delays them.
	Server  string
	Servers int // of its own: 1, or the nodes of a cluster

	Seed        uint64
	Faults      int           // at most so many; fewer where the work is done before
	Pause       time.Duration // between two faults, on average
	Consumers   int
	Aggregators int  // besides the one that a single server has inside
	Hangs       bool // the tasks' commands are frozen, too: each task must have a limit that ends one which hangs
	Log         *slog.Logger
}

// Pool is the pool that is worked on, past all that is done to the network. Its errors are those of a server that is away, and pass.
type Pool interface {
	// Done counts the tasks that are over and those that are not.
	Done(ctx context.Context) (over, open int, err error)
	// LoseTicket deletes one of the tickets, behind the back of all programs: that at the part, from 0 to below 1, of all there are. It reports
	// whether there was one.
	LoseTicket(ctx context.Context, at float64) (bool, error)
	// Leader names the server that leads the events of tasks; "" where there is one server or nobody leads.
	Leader(ctx context.Context) (string, error)
}
