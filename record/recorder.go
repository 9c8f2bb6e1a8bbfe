package record

import (
	"time"

	"github.com/foldstream/foldstream"
)

// Clocked is a store that tells its time: by that it is decided who is lost.
type Clocked interface {
	foldstream.Store
	foldstream.Clock
}

// Store is what recorders are kept in and read from: all of it that this room needs.
type Store interface {
	Clocked
	foldstream.Index
	foldstream.Newest
	foldstream.PoolAdmin // for how long a lease lives without a beat
}

// Status is where a recorder stands. It is derived each time it is read, and stored nowhere.
type Status string

// The statuses: Qlib's, and two that it cannot tell.
const (
	Scheduled Status = "scheduled" // it waits, for a worker or for its next stage
	Running   Status = "running"
	Lost      Status = "lost" // it was running, and whoever worked it is not heard of any more
	Finished  Status = "finished"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// Statuses are all there are.
var Statuses = []Status{Scheduled, Running, Lost, Finished, Failed, Cancelled}

// Recorder is the record of one piece of an experiment's work: of a task, or of free work.
type Recorder struct {
	Experiment string
	ID         string // the task's id, or one that Start made
	Name       string // of free work: what people call it. Many may have one name
	Task       bool   // it is the record of a task, whose id is ID
	Status     Status

	Params    map[string]any // of a task: its template, nested, and over it what its worker told; values are nil, bool, int64, float64, string, []any and map[string]any
	Metrics   map[string]float64
	Tags      map[string]string // a task's, over them its result's, over them people's
	Note      string            // people's
	Artifacts []foldstream.Artifact
	Frames    []string // names of the frames that a task's result holds itself, in order; only from Get
	Error     string   // of the last attempt that failed; in a list cut to its first KiB

	Progress foldstream.Progress // of a task that is running

	Worker   string        // who works it, or worked it last
	Code     string        // version of the code that made the result
	Created  time.Time     // when it was scheduled, or begun
	Started  time.Time     // when the last attempt began; zero where none did
	Ended    time.Time     // when it was finished, failed or cancelled; zero before
	Duration time.Duration // of the attempt that ended, as its worker measured it; 0 before

	// Of a task alone.
	Pool     string
	Stage    string
	Attempt  int
	Run      string // the attempt; see foldstream.Task. Of free work, too
	Key      foldstream.Key
	Window   foldstream.Window
	Segments foldstream.Segments
	Horizon  int
	Seed     *int64
	Runs     string // the registered worker that runs it: "ridge"
	Calendar string // version
	Data     []foldstream.Data
}

// Open reports whether something may still happen to it by itself.
func (s Status) Open() bool { return s == Scheduled || s == Running || s == Lost }

// Query says which recorders of an experiment to list, and in which order. The zero Query lists all in order of their creation.
type Query struct {
	Statuses []Status                     // only these; nil is all
	Keep     func(Recorder) (bool, error) // only those for which it is true; nil is all. Its error ends the list
	// Less puts them in another order, in which those that it does not tell apart keep the order of creation. Such a list is
	// held in memory as a whole before its first is told.
	Less  func(a, b Recorder) bool
	After string // only those behind the recorder of this id, which must be in the list; "" is from the start
	Limit int    // at most so many; 0 is no limit
}
