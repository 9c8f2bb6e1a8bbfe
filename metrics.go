package foldstream

import (
	"context"
	"iter"
	"time"
)

// Metrics carries the metrics with steps of work that goes on to those who watch it. It keeps the newest of them for a while; it is
// no record: the complete series of finished work is part of its result. Points of different attempts stand beside each other, told
// apart by their Run.
type Metrics interface {
	// Publish adds points behind those of their recorder that are there. Errors: Invalid (a name; no Run), TooLarge.
	Publish(ctx context.Context, p Points) error
	// Read reads points in the order in which they were published, as MetricFilter says. With f.Follow it goes on until the context
	// ends (no error). Errors: Invalid (a name).
	Read(ctx context.Context, f MetricFilter) iter.Seq2[Points, error]
	// Delete forgets the points of a recorder, or of the whole experiment where recorder is "". Deleting what is not there is no
	// error. Errors: Invalid (a name).
	Delete(ctx context.Context, experiment, recorder string) error
}

// Points are some of the points of one attempt, published together.
type Points struct {
	Experiment string
	Recorder   string // a task's id, or the name of a free recorder
	Run        string // the attempt, see Task.Run
	First      int    // how many points the attempt told before these, whether they were published or not
	Series     Series
}

// MetricFilter says which points to read.
type MetricFilter struct {
	Experiment string
	Recorder   string // "" is every recorder of the experiment
	Follow     bool   // go on with points to come
}

// What Metrics keeps at least: the newest of each recorder's Points, for a time.
const (
	PointsKept    = 4096
	PointsKeptFor = 7 * 24 * time.Hour
)
