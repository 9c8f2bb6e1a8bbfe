package collect

import (
	"context"
	"io"
	"iter"
	"strconv"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// Recorders is what a collector needs of the records of an experiment's work.
type Recorders interface {
	// List tells the recorders of an experiment, one at a time; what it told it need not keep. A task that is a member of several
	// configurations may be told once for each. The sequence ends with its first error. Errors: NotFound (no such experiment).
	List(ctx context.Context, experiment string) iter.Seq2[Recorder, error]
	// Frame loads a frame of a recorder that List told: one of its result's, or the artifact of that name. Errors: NotFound (it
	// has no such frame), Invalid (it cannot be read), those of the store.
	Frame(ctx context.Context, r Recorder, name string) (foldstream.Frame, error)
	// Open reads an artifact of a recorder that List told. Errors: NotFound (it has no such artifact), those of the store.
	Open(ctx context.Context, r Recorder, artifact string) (io.ReadCloser, error)
}

// Recorder is the record of one task's work, as far as it is known before anything is loaded.
type Recorder struct {
	ID     string // the task's id, where it is that of a task
	Status foldstream.Status

	Key    foldstream.Key    // the configuration; nil where there is none
	Window foldstream.Window // which of its windows
	Test   foldstream.Segment

	Params  map[string]string
	Tags    map[string]string
	Metrics Metrics

	handle any // for who told it
}

// WithHandle returns the recorder with something of whoever tells it, for Frame and Open to find again.
func (r Recorder) WithHandle(handle any) Recorder {
	r.handle = handle
	return r
}

// Handle returns what WithHandle was given; nil where it was not.
func (r Recorder) Handle() any { return r.handle }

// ByID labels a recorder with its id.
func ByID(r Recorder) (Label, error) { return Text(r.ID), nil }

// ByWindow labels a recorder with the choices of its configuration and, as the last part, the index of its window: what
// RollingGroup groups by. A recorder without a configuration has the window alone.
func ByWindow(r Recorder) (Label, error) {
	parts := wire.Each(r.Key, func(c foldstream.Choice) Label { return Text(foldstream.Key{c}.String()) })
	return Tuple(append(parts, Text(strconv.Itoa(r.Window.Index)))...), nil
}

// AnyStatus lists all statuses.
func AnyStatus() []foldstream.Status {
	return []foldstream.Status{foldstream.Waiting, foldstream.Running, foldstream.PartDone, foldstream.Done, foldstream.Dead, foldstream.Withdrawn, foldstream.Removed}
}
