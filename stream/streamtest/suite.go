package streamtest

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
)

// Options is what the suite asks of the Store it tests.
type Options struct {
	Lease time.Duration // how long a lease lives without a beat
}

// Harness is a fresh, empty Store under test and the faults that the suite inflicts on it.
type Harness struct {
	// Store also is a foldstream.Archive and a foldstream.Reconciler; for RunAdmin it is Administered, and so is Second.
	Store foldstream.Store
	// Second is the same state as another process has it, with workers of its own; nil is Store itself.
	Second foldstream.Store

	Lease      time.Duration // as asked for in Options
	MaxPayload int           // no task, result or value with a text of twice this many bytes is taken
	MaxCrashes int           // a task fails when this many claims were lost

	// Abandon stops all that keeps a lease alive, without giving it up: its worker died, or froze. The lease's own calls
	// still reach the store, as those of a worker that wakes up again.
	Abandon func(foldstream.Lease)
	// DeleteTicket loses the ticket of an open task.
	DeleteTicket func(ctx context.Context, pool string, id foldstream.TaskID) error
	// AbandonOrder stops all that keeps an order alive, as Abandon does with a lease.
	AbandonOrder func(foldstream.Order)
	// Corrupt changes a byte of a blob behind the store's back.
	Corrupt func(ctx context.Context, d foldstream.Digest) error
}

// Administered is a Store with all its administration.
type Administered interface {
	foldstream.Store
	foldstream.Archive
	foldstream.Reconciler
	foldstream.Admin
	foldstream.Replacer
	foldstream.PoolAdmin
	foldstream.Index
	foldstream.DeadLetters
	foldstream.Verifier
	foldstream.Newest
	foldstream.Purger
	foldstream.Memory
	foldstream.Scheduler
	foldstream.Sweeper
	foldstream.Seconder
}

// Open makes a Harness for one check and cleans up after it by t.Cleanup.
type Open func(t *testing.T, opts Options) Harness

// Check is one promise of the contracts put to the test. Run returns how it was broken.
type Check struct {
	Name string
	Run  func(ctx context.Context, h Harness) error
}

// lease is short, because many checks wait for leases to run out, and long enough for a busy machine to beat in time.
const lease = 500 * time.Millisecond

// limit is how long one check may take. One that is not stuck takes a few leases, but some work on as long as they get on, and a busy
// cluster is slow.
const limit = 3 * time.Minute

// Run puts a Store to every check, each with a Harness of its own, side by side.
func Run(t *testing.T, open Open) { runAll(t, open, Checks()) }

// RunAdmin is Run for the checks of administration, of an Administered store.
func RunAdmin(t *testing.T, open Open) { runAll(t, administered(open), AdminChecks()) }

// RunSome is Run and RunAdmin for the checks that are wanted, of an Administered store.
func RunSome(t *testing.T, open Open, wanted func(name string) bool) {
	all := slices.Concat(Checks(), AdminChecks())
	runAll(t, administered(open), slices.DeleteFunc(all, func(c Check) bool { return !wanted(c.Name) }))
}

func runAll(t *testing.T, open Open, checks []Check) {
	for _, c := range checks {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open)
		})
	}
}

// RunBubble is Run in the faked time of testing/synctest, for a Store that waits for nothing but time and its own channels: leases
// run out at once.
func RunBubble(t *testing.T, open Open) { bubbleAll(t, open, Checks()) }

// RunAdminBubble is RunAdmin in faked time, as RunBubble.
func RunAdminBubble(t *testing.T, open Open) { bubbleAll(t, administered(open), AdminChecks()) }

// administered is open for stores with all their administration.
func administered(open Open) Open {
	return func(t *testing.T, opts Options) Harness {
		t.Helper()
		h := open(t, opts)
		if _, ok := h.Store.(Administered); !ok {
			t.Fatalf("%T lacks a part of the administration", h.Store)
		}
		return h
	}
}

func bubbleAll(t *testing.T, open Open, checks []Check) {
	for _, c := range checks {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.test(t, open) })
		})
	}
}

func (c Check) test(t *testing.T, open Open) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	h := open(t, Options{Lease: lease})
	if h.Second == nil {
		h.Second = h.Store
	}
	if err := c.Run(ctx, h); err != nil {
		t.Error(err)
	}
}

// Checks returns all checks of a Store, in the order of the contracts.
func Checks() []Check {
	return slices.Concat(
		createChecks, orderChecks, fetchChecks, leaseChecks, attemptChecks, crashChecks, stageChecks,
		eventChecks, archiveChecks, valueChecks, watchChecks, artifactChecks, metricChecks, stormChecks,
	)
}

// AdminChecks returns all checks of an Administered store, in the order of the contracts.
func AdminChecks() []Check {
	return slices.Concat(
		cancelChecks, removeChecks, replaceChecks, retryChecks, resetChecks, prioritizeChecks, settingChecks, delayChecks,
		indexChecks, newestChecks, memoryChecks, letterChecks, purgeChecks, verifyChecks, sweepChecks, scheduleChecks, dueChecks, secondChecks, adminStormChecks,
	)
}
