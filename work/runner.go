package work

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/foldstream/foldstream"
)

// Runner works the tasks of one pool. Pool and Workers must be set; the zero value of every other field works.
type Runner struct {
	Pool      foldstream.Pool
	Artifacts foldstream.Artifacts // where uploaded input data come from and artifacts of results go; nil refuses both
	Workers   Registry
	Metrics   foldstream.Metrics // where metrics with steps are published while a task is worked, for those who watch; nil publishes none
	// Guard is asked before a task is worked; nil lets all pass. An error fails the task, as nothing will make a leak or a
	// bad definition good; one of the kinds Unavailable, Timeout and Cancelled puts it off.
	Guard       func(foldstream.Task) error
	Filter      foldstream.Filter // which tasks to take; a Wait of 0 is 5 s, and 3 s with Second
	Concurrency int               // tasks at once; 0 is one a processor
	Name        string            // of this consumer, for the results
	Code        string            // version of the code that does the work, as the consumer declares it, for the results and for pools that require one
	Build       string            // the same where Code is "": of the program. A worker that knows better says so in its result
	Environment string            // what else the results depend on, for their keys; "" is unknown
	CacheDir    string            // where copies of input data are kept, shared by processes; "" is a folder that goes with Run
	Grace       time.Duration     // how long tasks may go on after the stop; 0 ends them at once
	Log         *slog.Logger      // nil discards
	// Settings and Locks hold the limits of the pool PoolName on how many tasks run at once on all machines, by foldstream.PoolSettings,
	// and who has which of the places; Locks is the bucket of that name. Where one is nil nothing is limited. They cost
	// nothing where the pool has no limits.
	Settings foldstream.PoolAdmin
	Locks    foldstream.Values
	PoolName string
	// Second, where it is set, is asked by a slot for which nothing waits, and not more often than every few seconds, for the second lease
	// of a task that another worker takes too long for, see foldstream.Seconder; NotFound is none. The runner works it as the lease of
	// any task, under the pool's limits, but never beside another second copy of the task: a place under Locks stands for it. It
	// needs Settings and Locks.
	Second func(ctx context.Context, f foldstream.Filter) (foldstream.Lease, error)
	// Done is told how each attempt ended: nil when its result is stored, Conflict when the lease was lost, Cancelled when the
	// task went back because of the stop, else the error. It is called from many goroutines and must not block.
	Done func(t foldstream.Task, err error)
}

// How the runner waits. Each is long against a round trip and short against a person's patience.
const (
	longPoll   = 5 * time.Second        // one fetch, where the filter does not say
	stallAfter = 15 * time.Second       // a fetch this much over its wait is stuck and is asked anew
	firstPause = 100 * time.Millisecond // after a failed call; doubles
	lastPause  = 10 * time.Second
	settleTime = 10 * time.Second // for bringing a commit, return or fail through
)

// errStopped is the cause of the end of tasks that did not finish within the grace.
var errStopped = foldstream.Errorf(foldstream.Cancelled, "", "the consumer was told to stop")

// Run works until ctx ends; being told to stop is no error. It stops in two steps: it fetches nothing more, and after Grace it
// cancels the work that still runs and returns its tasks to the pool without using an attempt. It waits for all it started,
// but for a worker that ignores the end of its context for 10 s, whatever ended it: its attempt is settled without it, its slot and
// its places stay taken while it goes on, and Run does not wait for it. While the store is away Run tries again, with longer
// and longer pauses. Errors: Conflict, when the pool requires other code; Invalid and Denied, when the pool refuses to be fetched from or its settings to be read; Denied,
// when places under limits are; Invalid, when Settings and Locks are set and PoolName is none, or Second is set and they are not; a CacheDir that cannot be used.
func (r *Runner) Run(ctx context.Context) error {
	p := &process{Runner: r, log: r.Log}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if p.limits, err = newLimiter(r, p.log); err != nil {
		return err
	}
	if p.inputs, err = openInputs(r.Artifacts, r.CacheDir); err != nil {
		return err
	}
	fetching, stop := context.WithCancelCause(ctx)
	working, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	limiting, unlimit := context.WithCancel(context.WithoutCancel(ctx))

	var grace, slots, limits sync.WaitGroup
	limits.Go(func() {
		if err := p.limits.run(limiting); err != nil {
			stop(err)
		}
	})
	grace.Go(func() {
		<-fetching.Done()
		if !pause(working, r.Grace) {
			return // all work ended before
		}
		cancel(errStopped)
	})
	for range r.concurrency() {
		slots.Go(func() {
			if err := p.slot(fetching, working); err != nil {
				stop(err)
			}
		})
	}
	slots.Wait()
	if ctx.Err() == nil {
		err = context.Cause(fetching)
	}
	stop(nil)
	cancel(nil)
	unlimit()
	grace.Wait()
	limits.Wait()
	return errors.Join(err, p.inputs.close())
}

func (r *Runner) concurrency() int {
	if r.Concurrency > 0 {
		return r.Concurrency
	}
	return runtime.GOMAXPROCS(0)
}

// process is one Run of a Runner.
type process struct {
	*Runner
	log    *slog.Logger
	inputs *inputs
	limits *limiter
	second secondLook
	away   atomic.Bool // the pool did not answer last time; so that one log line says it, not one a slot
}

// slot works one task after the other until fetching ends. An error is one that trying again cannot mend.
func (p *process) slot(fetching, working context.Context) error {
	wait := firstPause
	for s := (&slot{limiter: p.limits}); s.enter(fetching); {
		lease, err := p.fetch(fetching)
		if err != nil {
			s.leave(false)
		}
		switch {
		case err == nil:
			p.answered()
			wait = firstPause
			p.attempt(fetching, working, job{Lease: lease, take: s.take})
		case fetching.Err() != nil:
			return nil
		case foldstream.Is(err, foldstream.NotFound):
			p.answered()
			wait = firstPause
			p.workSecond(fetching, working)
		case foldstream.Is(err, foldstream.Invalid), foldstream.Is(err, foldstream.Denied), foldstream.Is(err, foldstream.Conflict):
			return err
		default:
			p.silent(err)
			pause(fetching, jitter(wait))
			wait = min(2*wait, lastPause)
		}
	}
	return nil
}

// fetch asks the pool for a task, and not for much longer than it should take: a long poll may hang without an error.
func (p *process) fetch(ctx context.Context) (foldstream.Lease, error) {
	f := p.Filter
	if f.Wait <= 0 {
		f.Wait = p.poll()
	}
	f.Code = p.declared()
	ctx, cancel := context.WithTimeoutCause(ctx, f.Wait+stallAfter, foldstream.Errorf(foldstream.Timeout, "fetch", "no answer for %v", f.Wait+stallAfter))
	defer cancel()
	l, err := p.Pool.Fetch(ctx, f)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = context.Cause(ctx)
	}
	return l, err
}

// poll is how long one fetch waits, where the filter does not say.
func (r *Runner) poll() time.Duration {
	if r.Second != nil {
		return secondEvery
	}
	return longPoll
}

// declared is the version of the code that pools which require one are told.
func (r *Runner) declared() string { return cmp.Or(r.Code, r.Build) }

// silent notes that the pool does not answer.
func (p *process) silent(err error) {
	if !p.away.Swap(true) {
		p.log.Warn("no task can be fetched; trying again until one can", "err", err)
	}
}

// answered notes that it does.
func (p *process) answered() {
	if p.away.CompareAndSwap(true, false) {
		p.log.Info("tasks can be fetched again")
	}
}

// pause waits for d and reports whether it did; it returns early when ctx ends.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
