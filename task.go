package foldstream

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// TaskID is the identity of a task's content: 26 characters of lower-case base32. gen computes it; nothing else makes one.
type TaskID string

// Valid reports whether id has the form of one.
func (id TaskID) Valid() bool {
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < '2' || r > '7') {
			return false
		}
	}
	return len(id) == 26
}

// Digest is the lower-case hex SHA-256 of some bytes: 64 characters.
type Digest string

// Task is a template with its segments fixed, and what is needed to run it.
type Task struct {
	ID TaskID
	Template

	// How and for whom it runs. Not part of the identity.
	Experiment string
	Priority   *int // −9 to 9; nil is below all
	Tags       map[string]string
	Data       []Data
	Retry      Retry
	Deadline   time.Duration // the longest one attempt may take; 0 is no limit
	Silence    time.Duration // the longest an attempt may go without reporting progress; 0 is no limit
	Keys       []string      // what it uses that there is not enough of: a data set, a licence; see PoolSettings.Limits
	NotBefore  time.Time     // it waits until then; zero is no wait. Only a new task takes it
	Replaces   TaskID        // the task in whose place it was created, see Replacer; "" is none

	// Where it stands in its life. Fetch sets them; Create ignores them.
	Stage   string  // the stage to run now; "" where the task names none
	Attempt int     // 1 for the first
	Run     string  // this attempt among all of the task, those included that were lost with their workers; letters and digits
	Part    *Result // what the stage before this one handed on; nil in the first
}

// Data is a file a task reads, by content.
type Data struct {
	Name   string // how the task calls it: "prices"
	Path   string // where the producer found it. A worker sees the path of a verified local copy
	Digest Digest
	Size   int64
	Upload bool // the content is in the store's artifacts; else Path must be shared by all machines
}

// Bands: 0 holds the tasks without a priority, 1 to 19 the priorities −9 to 9.
const (
	MinPriority = -9
	MaxPriority = 9
	MaxBand     = MaxPriority - MinPriority + 1
)

// Band returns the task's priority band, 0 to MaxBand. Errors: Invalid where the priority is out of range.
func (t Task) Band() (int, error) {
	switch {
	case t.Priority == nil:
		return 0, nil
	case *t.Priority < MinPriority || *t.Priority > MaxPriority:
		return 0, Errorf(Invalid, "task", "priority %d of task %s is not between %d and %d", *t.Priority, t.ID, MinPriority, MaxPriority)
	}
	return *t.Priority - MinPriority + 1, nil
}

// Check reports what no store takes: an id, a priority or stages that are none. Errors: Invalid.
func (t Task) Check() error {
	if !t.ID.Valid() {
		return Errorf(Invalid, "", "task id %q is not 26 characters of lower-case base32", t.ID)
	}
	if _, err := t.Band(); err != nil {
		return err
	}
	for i, stage := range t.Stages {
		if err := ValidName("stage", stage); err != nil {
			return Errorf(Invalid, "", "task %s: %w", t.ID, err)
		}
		if slices.Contains(t.Stages[:i], stage) {
			return Errorf(Invalid, "", "task %s: stage %q stands twice", t.ID, stage)
		}
	}
	return nil
}

// LastStage reports whether the task's current stage is its last: a commit ends the task.
func (t Task) LastStage() bool {
	return len(t.Stages) == 0 || t.Stage == t.Stages[len(t.Stages)-1]
}

// Clone returns a deep copy of t, but for Part, which nobody changes.
func (t Task) Clone() Task {
	c := t
	c.Template = t.Template.Clone()
	c.Tags = maps.Clone(t.Tags)
	c.Data = slices.Clone(t.Data)
	c.Keys = slices.Clone(t.Keys)
	c.Retry.Never, c.Retry.Always = slices.Clone(t.Retry.Never), slices.Clone(t.Retry.Always)
	if t.Priority != nil {
		p := *t.Priority
		c.Priority = &p
	}
	return c
}

// ValidName reports whether name can be a pool, an experiment or a stage: 1 to 64 letters, digits, '-' and '_', not starting
// with '-' or '_'. what names the thing in the error. Errors: Invalid.
func ValidName(what, name string) error {
	ok := len(name) >= 1 && len(name) <= 64
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		ok = ok && (letter || i > 0 && (r == '-' || r == '_'))
	}
	if !ok {
		return E(Invalid, "", fmt.Errorf("%s %q: a name is 1 to 64 letters, digits, '-' or '_', and starts with a letter or digit", what, name))
	}
	return nil
}
