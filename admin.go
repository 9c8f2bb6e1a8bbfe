package foldstream

import (
	"context"
	"iter"
	"slices"
	"time"
)

// Admin changes tasks from outside. Every method is idempotent: after an error or a crash, repeating the call completes
// what was left. Ids that are not in the pool, or to which the change does not apply, are left alone and not counted. With no
// ids a method does nothing. It returns how many tasks it changed.
type Admin interface {
	// Cancel ends open tasks: their leases are lost at once, no worker takes them again, their status is cancelled. why is for people.
	Cancel(ctx context.Context, pool, why string, ids ...TaskID) (int, error)
	// Remove ends the life of tasks of any status; creating one again begins a new life of the same id.
	Remove(ctx context.Context, pool, why string, ids ...TaskID) (int, error)
	// Retry puts failed and cancelled tasks back to waiting, with all their attempts before them, from their first stage on.
	Retry(ctx context.Context, pool, why string, ids ...TaskID) (int, error)
	// Reset puts running tasks back to waiting at the stage they are at, without using an attempt; their leases are lost at once.
	// Unless force is set only those are reset whose worker is provably gone: its entry among the workers has expired.
	Reset(ctx context.Context, pool string, force bool, ids ...TaskID) (int, error)
	// Prioritize moves waiting tasks to the band of a priority; nil is below all. It loses and doubles nothing. Errors: Invalid.
	Prioritize(ctx context.Context, pool string, priority *int, ids ...TaskID) (int, error)
}

// Purger takes removed tasks out of the store for good.
type Purger interface {
	// Purge deletes all that is kept of removed tasks, their definitions, their events and what is left of their tickets, as if they had
	// never been. Tasks that are not removed are left alone and not counted. Like the methods of Admin it is idempotent. It returns how
	// many tasks it purged. Artifacts stay.
	Purge(ctx context.Context, pool string, ids ...TaskID) (int, error)
}

// Replacer puts tasks in the place of others.
type Replacer interface {
	// Replace ends the life of a task of any status as removed, and then creates t as Pool.Create does. The removal's event names t
	// (Event.By) and a life that t begins by it names the task (Task.Replaces). When the process dies between the two the task is
	// removed and t is not there: repeating the call completes it, and repeating it after that changes nothing.
	//
	// Errors, each of which leaves both as they are: those of Pool.Create; Invalid where t is that very task; NotFound where the pool does not know
	// it; Conflict where it was removed otherwise, or replaced by another.
	Replace(ctx context.Context, pool, why string, old TaskID, t Task) (Created, error)
}

// Memory finds what tasks came to before, and takes it over.
type Memory interface {
	// Results reads the results of the tasks in all pools, those of lives that are over among them as far as their events are kept, without
	// frames and series. Those of one task come in the order of the events.
	Results(ctx context.Context, ids ...TaskID) iter.Seq2[Event, error]

	// Adopt makes tasks known, as Pool.Create does, and ends those that wait at once by the results of others: no ticket, no worker. It answers in
	// order of the arguments. A task that runs, or is finished, stays as it is; of two who adopt or work a task at once, one's result counts.
	// A task whose source is no result of it any more waits as one that was created. After an error, adopting the same again completes what
	// was left. Errors: those of Pool.Create.
	Adopt(ctx context.Context, pool string, all ...Adoption) ([]Created, error)
}

// Adoption is a task and the result that is to be its.
type Adoption struct {
	Task Task
	From Origin // an event of kind EventResult of the same id, in any pool
}

// PoolAdmin changes and tells the settings of pools. A pool that never had a task has the zero settings.
type PoolAdmin interface {
	Settings(ctx context.Context, pool string) (PoolSettings, error)
	// Change stores what change makes of the settings; it may be called again when somebody else changed them at the same time.
	Change(ctx context.Context, pool string, change func(*PoolSettings)) (PoolSettings, error)
}

// PoolSettings are what all workers of a pool obey. They follow a change within a second.
type PoolSettings struct {
	Lease  time.Duration  // how long a lease lives without a beat; set when the pool is made
	Paused bool           // nothing is fetched; what runs goes on
	Limit  int            // tasks of the pool that may run at once, on all machines; 0 is no limit
	Limits map[string]int // tasks of a key (see Task.Keys) that may run at once, on all machines
	Code   string         // version of the code that works the tasks: who declares another gets none, see Filter.Code; "" is any
}

// MaxCode is how many bytes a version of code may have.
const MaxCode = 200

// CheckCode reports why workers of code of this version get no task. Errors: Conflict.
func (s PoolSettings) CheckCode(pool, code string) error {
	if s.Code == "" || s.Code == code {
		return nil
	}
	declared := "declares none"
	if code != "" {
		declared = "has " + code
	}
	return Errorf(Conflict, "fetch", "pool %s requires code %s, and this consumer %s", pool, s.Code, declared)
}

// Index tells of tasks without touching them.
type Index interface {
	// Tasks reads the states of a pool's tasks in order of creation. Errors: NotFound only from Task and Page.
	Tasks(ctx context.Context, pool string) iter.Seq2[TaskState, error]
	// Page is Tasks for those that the query asks for. Errors: NotFound (q.After is no task of the pool), Invalid (q.Limit).
	Page(ctx context.Context, pool string, q TaskQuery) iter.Seq2[TaskState, error]
	// Task reads the state of one task. Errors: NotFound.
	Task(ctx context.Context, pool string, id TaskID) (TaskState, error)
	// Workers reads who is alive.
	Workers(ctx context.Context) iter.Seq2[Presence, error]
	// Stat counts the tasks by status, of every pool that ever had one.
	Stat(ctx context.Context) (map[string]Counts, error)
}

// TaskQuery says which tasks of a pool to read. The zero TaskQuery is all.
type TaskQuery struct {
	Statuses []Status // only tasks of one of these; none is any
	After    TaskID   // only tasks created after this one: where the last page ended; "" is from the start
	Limit    int      // at most so many; 0 is all
}

// Wants reports whether a task of this status is asked for.
func (q TaskQuery) Wants(s Status) bool {
	return len(q.Statuses) == 0 || slices.Contains(q.Statuses, s)
}

// TaskState is a task and where it stands in its life.
type TaskState struct {
	Task             // Stage and Attempt as of its last event
	Status    Status // Waiting also where it is delayed
	Worker    string // who works it, or worked it last; "" where nobody did
	Error     string // of its last attempt that failed
	Crashes   int    // claims that were lost with their workers
	Created   time.Time
	Updated   time.Time // its last event; Created where it has none
	NotBefore time.Time // when a delayed task may start; zero where it is not delayed
}

// Presence is a live worker process and what it has in hand.
type Presence struct {
	Worker  string
	Host    string
	Version string
	Since   time.Time
	Heard   time.Time // when it was heard of last
	Expires time.Time // when it counts as gone unless it is heard of again
	Tasks   []InHand
}

// InHand is one task that a worker works.
type InHand struct {
	Pool     string
	Task     TaskID
	Attempt  int
	Since    time.Time
	Second   bool // it is a second copy, see Seconder
	Progress Progress
}

// DeadLetters are the failed tasks, each with its error and its attempts.
type DeadLetters interface {
	// Letters reads the dead letters of a pool, the oldest first.
	Letters(ctx context.Context, pool string) iter.Seq2[DeadLetter, error]
	// Drop removes dead letters; the tasks stay failed.
	Drop(ctx context.Context, pool string, ids ...TaskID) (int, error)
}

// DeadLetter is a failed task with what is known of why.
type DeadLetter struct {
	Task   Task
	At     time.Time
	Worker string
	Error  string  // of the last attempt, with the last lines of its log
	Events []Event // its life, without results
}

// Verifier proves conservation over everything the store holds of a pool.
type Verifier interface {
	// Verify reads the whole pool. A fault is a task that was lost or doubled; it is named, not mended.
	Verify(ctx context.Context, pool string) (Conservation, error)
}

// Conservation is the balance of a pool: created = the sum of the counts, and no faults.
type Conservation struct {
	Pool    string
	Created int
	Counts  Counts
	Tickets int // tickets and schedules there are
	Results int // winning results
	Faults  []string
}
