package foldstream

import (
	"context"
	"time"
)

// Pool is one queue of tasks. It is safe for concurrent use. Every implementation passes streamtest.Run.
//
// Every method may fail with Unavailable, Denied, Full or Cancelled besides the kinds it names.
type Pool interface {
	// Create makes the tasks known and puts those that are new in the queue. Same id, same task: creating twice, or by two
	// producers at once, is creating once, for ever. It answers in order of the arguments; a task that stands twice in
	// them is created once. After an error, creating the same tasks again completes what was left.
	// Errors: Invalid (a bad priority, id or stage name; nothing is created), TooLarge (nothing is created).
	Create(ctx context.Context, tasks ...Task) ([]Created, error)

	// Fetch leases one waiting task: the highest band first, first come first inside a band. With no task there it waits up
	// to f.Wait, then fails with NotFound, which promises only that nothing was seen.
	// Errors: NotFound, Invalid (f names a stage that cannot be one), Conflict (the pool requires code of another version than f.Code).
	Fetch(ctx context.Context, f Filter) (Lease, error)

	// Stat counts the tasks by status.
	Stat(ctx context.Context) (Counts, error)
}

// Created is what Create did with one task.
type Created struct {
	ID     TaskID
	Status Status // where the task stands now; Waiting where it is new. For a known task it may be a moment old
	New    bool   // this call made it known
}

// Filter says which task to fetch. The zero Filter takes any task and does not wait.
type Filter struct {
	Stage   string        // only tasks at this stage; "" is any
	MinBand int           // only tasks of this band or above
	Wait    time.Duration // how long to wait for a task; 0 answers at once
	Code    string        // version of the code that will work it, see PoolSettings.Code
}

// Lease is the right to work one task. Exactly one of Commit, Return and Fail takes effect, once; after that, and after the
// lease was lost to another worker, every call fails with Conflict and changes nothing. The lease is kept alive by its
// owner's process in the background until one of the three; Extend tells whether it still holds and reports progress.
type Lease interface {
	// Task returns the task with its Stage, Attempt and Part.
	Task() Task

	// Extend renews the lease and publishes the progress. Errors: Conflict (the lease is lost: stop the work).
	Extend(ctx context.Context, p Progress) error

	// Commit ends the stage with its result: the task is done after its last stage, part_done before. When Commit returns nil
	// the result is stored and no other will be. A lost reply is resolved by reading, never by committing blindly. A new
	// stage begins with attempt 1. Errors: Conflict, TooLarge and Invalid (a frame that is not valid); then nothing was committed.
	Commit(ctx context.Context, r Result) error

	// Return gives the task back: it waits again after the pause. why is the error of the attempt, which then counts; nil for a
	// return that uses no attempt up (a drain, a snooze). Errors: Conflict.
	Return(ctx context.Context, why error, after time.Duration) error

	// Fail ends the task as failed and keeps a copy with the error in the dead letters. why must not be nil. Errors: Conflict.
	Fail(ctx context.Context, why error) error
}

// Seconder lets a task that a worker has in hand be worked by a second one beside it: whoever commits first has the result.
type Seconder interface {
	// Second leases a task beside the lease that holds it, where Fetch with this filter would take a task like it; f.Wait does not count.
	// The lease lives as long as the one beside which it stands: when that ends in whatever way, a takeover and a cancelling
	// included, it is lost. Its Commit is fenced with the same token, so of the two one takes effect. Its Return and its Fail give
	// it up and write nothing: no attempt, no crash and no event but a commit's is ever a second lease's. It may be asked for as often as
	// one likes; who wants one copy at most of a task must see to it.
	// Errors: NotFound (no worker has the task, or not at what f asks for; the pool is paused), Invalid and Conflict as Fetch.
	Second(ctx context.Context, pool string, id TaskID, f Filter) (Lease, error)
}

// Progress is how far a running task is.
type Progress struct {
	Percent float64 // 0 to 100
	Step    int64   // in the worker's own units
	Message string
}
