package foldstream

import (
	"context"
	"iter"
	"time"
)

// EventKind is what an event in a task's life says.
type EventKind string

// The kinds of events.
const (
	EventClaim  EventKind = "claim"  // a worker works it
	EventPart   EventKind = "part"   // a stage is done
	EventResult EventKind = "result" // the last stage is done: the task's one winning result
	EventEnd    EventKind = "end"    // returned, failed, cancelled, removed or reset, by Status
)

// Event is one accepted step in a task's life. A task's events form a chain: each was accepted only because the writer knew
// the one before it, so a task has at most one EventResult in a life.
type Event struct {
	Seq      Cursor // place in the store's order of all events
	At       time.Time
	Pool     string
	Task     TaskID
	Kind     EventKind
	Status   Status // the task's status from this event on
	Stage    string
	Attempt  int
	Worker   string
	Run      string  // the attempt that it belongs to, see Task.Run; an end from outside has one of its own, or none
	Error    string  // of EventEnd: why
	By       TaskID  // of a removal: the task that was created in its place; "" is none
	Result   *Result // of EventResult and EventPart
	Origin   Origin  // of EventResult: where its result was taken over from; zero where the task was worked
	Expected Cursor  // the event of this task that it follows; 0 for the first
}

// Origin is a result that another one was taken over from: the event of a worker, never one that was taken over itself.
type Origin struct {
	Pool string
	Seq  Cursor // of the result's event; 0 is none
}

// Newest tells where tasks stand without reading their lives.
type Newest interface {
	// Newest reads the newest event of each of the tasks, or of every task of the pool where none are named, in the order of the events.
	// Results come without their frames and series. Tasks without events are left out. Errors: Invalid (the pool).
	Newest(ctx context.Context, pool string, ids ...TaskID) iter.Seq2[Event, error]
}

// Cursor is a place in the store's order of events. 0 is before the first.
type Cursor uint64

// EventFilter says which events to read. The zero filter reads those there are now, of all pools.
type EventFilter struct {
	Pool   string // "" is every pool
	Task   TaskID // "" is every task; needs Pool
	Follow bool   // go on with events to come until the context ends
	// Idle, when Follow is set, is called each time the reader has seen all there is. It must not block.
	Idle func(upTo Cursor)
}
