package foldstream

import (
	"context"
	"io"
	"iter"
	"time"
)

// Store is everything that keeps state. It is safe for concurrent use.
//
// Every method of it and of what it returns may fail with Unavailable, Denied, Full or Cancelled besides the kinds it names.
type Store interface {
	// Pool returns the pool of that name; it comes to be with its first task. name must be a ValidName.
	Pool(name string) Pool

	// Events reads events after the cursor, in order. The sequence ends with an error, when the consumer stops, when the context
	// ends (no error), or, without f.Follow, when all that were there at the start are read. Errors: Invalid (a task without a pool).
	Events(ctx context.Context, f EventFilter, from Cursor) iter.Seq2[Event, error]

	// Values returns a bucket of small values. Errors of an unknown bucket come from its methods: NotFound.
	Values(bucket string) Values

	// Artifacts returns the blobs.
	Artifacts() Artifacts

	// Metrics returns the metrics with steps of running work.
	Metrics() Metrics
}

// Clock tells the time by which all is decided that more than one process has to do with.
type Clock interface {
	// Now returns the store's time, whatever this machine's clock shows.
	Now() time.Time
}

// Archive reads the permanent definitions of a pool's tasks.
type Archive interface {
	// Definitions reads the tasks in order of creation, without their place in life. Errors: Invalid (the pool's name).
	Definitions(ctx context.Context, pool string) iter.Seq2[Task, error]
	// Defined tells which tasks have a definition, in no order, and reads none of them. Errors: as Definitions.
	Defined(ctx context.Context, pool string) iter.Seq2[TaskID, error]
}

// Copier makes the recorded tasks of a pool again in another one.
type Copier interface {
	// Copy creates those tasks of a pool that are wanted, in order of creation, in another pool and as tasks of an experiment that replace
	// none. They have the ids they had. It gives some tasks at a time, and asks for one after another whether it is wanted, some tasks
	// before that. Errors: Invalid (a pool's name), and those of Create.
	Copy(ctx context.Context, from, to, experiment string, wanted func(TaskID) bool) iter.Seq2[[]Created, error]
}

// Reconciler makes crash windows finite: an open task without a ticket gets one, a dead ticket is taken away.
type Reconciler interface {
	// Reconcile looks at every task of the pool that nothing happened to for two leases, and mends it. It returns how many it mended.
	Reconcile(ctx context.Context, pool string) (int, error)
	// Pools lists the names of the pools.
	Pools(ctx context.Context) ([]string, error)
}

// The buckets of values.
const (
	Collections = "COLLECTIONS" // folded values and their coverage
	Experiments = "EXPERIMENTS" // experiments and recorders
	Pools       = "POOLS"       // settings of pools
	Workers     = "WORKERS"     // who is alive; entries expire
	Locks       = "LOCKS"       // who leads; entries expire
)

// PreparedPrefix is before the keys of prepared data in the bucket Experiments, see package work/cache. "=" is in no name of an experiment, and what
// follows the dot is a token of its own, so that a consumer can be granted these entries and no others.
const PreparedPrefix = "=cache."

// Values is a bucket of small values with compare-and-set. Keys are made of letters, digits and -_=./ and do not start or end with a dot.
type Values interface {
	// Get returns the newest value of the key. Errors: NotFound.
	Get(ctx context.Context, key string) (Value, error)
	// Put stores v.Data under v.Key if the key's revision is v.Revision (0: the key must not exist, or be deleted) and
	// returns the new revision. Errors: Conflict (somebody else wrote), TooLarge, Invalid (the key).
	Put(ctx context.Context, v Value) (uint64, error)
	// Delete removes the key if its revision is the given one. Errors: Conflict, also where there is no such key.
	Delete(ctx context.Context, key string, revision uint64) error
	// List reads the values whose keys start with prefix, in order of their keys.
	List(ctx context.Context, prefix string) iter.Seq2[Value, error]
	// Watch reads the values whose keys start with prefix as they are now, then every change, until the context ends (no
	// error). A deletion is a Value with Deleted set. After the last value of the start comes one with an empty Key.
	Watch(ctx context.Context, prefix string) iter.Seq2[Value, error]
}

// Value is one entry of a bucket.
type Value struct {
	Key      string
	Data     []byte
	Mark     Cursor // the events folded into it; travels beside the data, so that equal values have equal bytes
	Revision uint64
	At       time.Time // when the store took it; ignored by Put
	Deleted  bool      // only from Watch
}

// Artifacts are blobs by content. Storing the same bytes twice keeps them once.
type Artifacts interface {
	// Put stores what r gives, streamed, and returns its digest and size.
	Put(ctx context.Context, r io.Reader) (Digest, int64, error)
	// Open reads a blob; reading to its end verifies the digest, and a mismatch is an error of the last
	// Read, of kind Differs. Errors: NotFound.
	Open(ctx context.Context, d Digest) (io.ReadCloser, error)
	// Stat returns a blob's size. Errors: NotFound.
	Stat(ctx context.Context, d Digest) (int64, error)
	// Renew is Stat of a blob that somebody is about to refer to: it counts as stored just now, as after Put, see Sweeper. Errors: NotFound.
	Renew(ctx context.Context, d Digest) (int64, error)
	// Delete removes a blob; removing what is not there is no error.
	Delete(ctx context.Context, d Digest) error
}
