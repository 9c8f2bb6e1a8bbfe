package stream

import (
	"slices"
	"time"
)

// feed is how far the index has read one stream, and who waits for it to come further. index.mu guards it.
type feed struct {
	stream   string
	root     string // what all subjects begin with
	last     bool   // of what is there at the start only the last message of each subject is read
	place    uint64 // all up to this sequence is read
	tail     point  // the last message that came; the zero point is none
	subjects int    // how many came
	strange  map[string]bool
	waits    []*wait
	doubts   []point // what was read when the reader lost its place: the server may have forgotten it
}

// point is a message, by what tells it from any that takes its place.
type point struct {
	seq uint64
	at  time.Time
}

// mark is what a stream's leader says it holds.
type mark struct {
	point    // the last message that it took; it may have been deleted since
	subjects int
}

// wait is somebody who wants all up to a mark to be read.
type wait struct {
	mark
	exact bool // the index must hold as many subjects as the leader did at the mark
	done  chan struct{}
	torn  bool // set before done is closed: it holds another number
}

// pass takes note that there is nothing more to be read up to a sequence.
func (f *feed) pass(upTo uint64) {
	f.place = max(f.place, upTo)
	if len(f.waits) == 0 {
		return
	}
	f.waits = slices.DeleteFunc(f.waits, func(w *wait) bool {
		if w.seq > f.place {
			return false
		}
		w.torn = w.exact && f.subjects != w.subjects
		close(w.done)
		return true
	})
}

// wait waits for a mark. What was read beyond a mark cannot be compared with it.
func (f *feed) wait(m mark, exact bool) *wait {
	w := &wait{mark: m, exact: exact && f.place <= m.seq, done: make(chan struct{})}
	f.waits = append(f.waits, w)
	f.pass(f.place)
	return w
}

// stray counts a subject that is no task's.
func (f *feed) stray(subject string) {
	if f.strange == nil {
		f.strange = map[string]bool{}
	}
	if !f.strange[subject] {
		f.strange[subject] = true
		f.subjects++
	}
}
