package stream

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// Config says where the store's state lives and how patient it is. The zero Config works.
type Config struct {
	Prefix   string        // of all subjects ("fold.…") and, in capitals, of all streams and buckets ("FOLD_…"); "" is "fold"
	Replicas int           // of streams and buckets this store makes; 0 is 1. Those that exist stay as they are
	Lease    time.Duration // how long a lease lives without a beat, for pools this store makes; 0 is 10 s. A pool keeps its own
	Expiry   time.Duration // how long entries of the bucket Locks live without being put again; 0 is 10 s
	Patience time.Duration // how long an operation tries against a server that does not answer; 0 is 10 s
	Crashes  int           // a task fails when this many of its claims were lost; 0 is 5
	Worker   string        // the name that claims carry: letters, digits and -_=./; "" is host and process
	Version  string        // of the program, for people who ask who works
	Logger   *slog.Logger  // nil discards
}

// longDelay is the longest pause that a ticket waits out in its consumer, where it holds a slot; longer ones are schedules.
const longDelay = 5 * time.Second

// workersTTL is how long the bucket Workers keeps an entry. Readers go by the expiry inside.
const workersTTL = time.Minute

// filled returns c with its defaults. Errors: Invalid.
func (c Config) filled() (Config, error) {
	c.Prefix = or(c.Prefix, "fold")
	c.Replicas = or(c.Replicas, 1)
	c.Lease = or(c.Lease, 10*time.Second)
	c.Expiry = or(c.Expiry, 10*time.Second)
	c.Patience = or(c.Patience, 10*time.Second)
	c.Crashes = or(c.Crashes, 5)
	c.Logger = or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Worker == "" {
		c.Worker = processName()
	}
	if err := foldstream.ValidName("prefix", c.Prefix); err != nil {
		return c, foldstream.E(foldstream.Invalid, "open", err)
	}
	if c.Prefix != strings.ToLower(c.Prefix) {
		return c, foldstream.Errorf(foldstream.Invalid, "open", "prefix %q has capitals: streams take the prefix in capitals, subjects as it is", c.Prefix)
	}
	if !validKey(c.Worker) {
		return c, foldstream.Errorf(foldstream.Invalid, "open", "worker %q: a worker's name is letters, digits and -_=./ and does not start or end with a dot", c.Worker)
	}
	for _, d := range []time.Duration{c.Lease, c.Expiry} {
		if d < minLease || d > maxLease {
			return c, foldstream.Errorf(foldstream.Invalid, "open", "lease and expiry are between %v and %v, not %v", minLease, maxLease, d)
		}
	}
	return c, nil
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// processName names this process for people; claims carry a random session beside it.
func processName() string {
	host := hostName()
	if !validKey(host) {
		host = "host"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// hostName names this machine for people; "" where it has no name.
func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	return host
}

// nonce returns a text that nobody else has.
func nonce() string { return rand.Text() }
