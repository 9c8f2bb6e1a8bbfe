package foldstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Worker does the work of a task. It must stop when ctx ends. Equal tasks on equal data and code give equal results.
// A nil error commits the result; Permanent fails the task at once; Snooze delays it without using an attempt; any
// other error is retried by the task's policy.
type Worker interface {
	Work(ctx context.Context, t Task, rec Recorder) (Result, error)
}

// WorkerFunc makes a function a Worker.
type WorkerFunc func(ctx context.Context, t Task, rec Recorder) (Result, error)

// Work calls f.
func (f WorkerFunc) Work(ctx context.Context, t Task, rec Recorder) (Result, error) {
	return f(ctx, t, rec)
}

// Recorder takes what a running task has to say. What it took becomes part of the result when the result is committed,
// and is lost with a lost attempt, so a retried task logs nothing twice. It is safe for concurrent use.
type Recorder interface {
	Meter
	Param(name, value string)
	Tag(name, value string)
	// Artifact stores what r gives as an artifact of the result. Errors: those of Artifacts.Put.
	Artifact(ctx context.Context, name, mediaType string, r io.Reader) error
	// Progress tells how far the work is. It never blocks on the network.
	Progress(p Progress)
}

// Meter takes numbers.
type Meter interface {
	// Metric sets what a metric comes to in the end. NaN means undefined.
	Metric(name string, value float64)
	// MetricAt tells what a metric is at a step: of training, of an epoch, whatever the work counts. Every point is kept, in the order of
	// the calls; people can watch them come. A metric that Metric never set comes to its value at the highest step. It never blocks on
	// the network.
	MetricAt(name string, step int64, value float64)
}

// Permanent marks an error that trying again cannot mend: the task fails at once. A nil err gives nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanentError{err}
}

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// IsPermanent reports whether err was marked by Permanent.
func IsPermanent(err error) bool {
	_, ok := errors.AsType[permanentError](err)
	return ok
}

// Snooze is the error a worker returns to have its task come back after a pause without using an attempt.
func Snooze(after time.Duration, why string) error { return snoozeError{after, why} }

type snoozeError struct {
	after time.Duration
	why   string
}

func (e snoozeError) Error() string { return fmt.Sprintf("snoozed for %v: %s", e.after, e.why) }

// IsSnooze reports whether err asks for a pause, and how long.
func IsSnooze(err error) (time.Duration, bool) {
	e, ok := errors.AsType[snoozeError](err)
	return e.after, ok
}
