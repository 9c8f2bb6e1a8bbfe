package foldstream

import (
	"context"
	"iter"
	"time"
)

// Sweeper finds the blobs of a store that nothing refers to, and deletes them. To be safe against those who store blobs meanwhile, list what is
// Stored first, then read what is Referred, and Sweep what was stored long enough ago: whoever stores a blob, or renews it, has that long to refer to it.
type Sweeper interface {
	// Stored lists the blobs, and the uploads of which none came, in no order.
	Stored(ctx context.Context) iter.Seq2[Stored, error]
	// Referred reads all that the store keeps but its blobs, also of past lives and attempts, and yields the digests in it, each as often as it
	// stands there. Everything that looks like a digest is one, so that what a newer program wrote counts, too.
	Referred(ctx context.Context) iter.Seq2[Reference, error]
	// Sweep deletes a blob that was listed; false where it was stored or renewed since. Errors: those of Artifacts.Delete.
	Sweep(ctx context.Context, s Stored) (bool, error)
}

// Stored is a blob, or an upload that was never completed.
type Stored struct {
	Digest   Digest // "" where it is an upload
	Upload   string // how the store calls what the blob is made of
	Size     int64  // in bytes; of an upload at most
	At       time.Time
	Revision uint64
}

// Reference is a digest, and where it stands.
type Reference struct {
	Digest Digest
	From   string // a name of Sources
	Key    string // of a value, its key; else the task, the schedule
}

// The sources of references, besides the buckets Experiments, Collections and Pools, which are sources by their names.
const (
	FromDefinitions = "DEFS"
	FromEvents      = "EVENTS"
	FromLetters     = "DLQ"
	FromSchedules   = "SCHEDULES"
)

// Sources lists the sources of references.
func Sources() []string {
	return []string{FromDefinitions, FromEvents, FromLetters, FromSchedules, Experiments, Collections, Pools}
}
