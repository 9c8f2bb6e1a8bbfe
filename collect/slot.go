package collect

import (
	"math"

	"github.com/foldstream/foldstream"
)

// slot is the place of one member of a group and what became of it so far. There is one for every member of every open collection, be
// it a million: it has 48 bytes, and what is large stands behind a pointer until its group is closed.
type slot struct {
	task      taskKey
	test      [2]uint32 // its start and end among the fold's times
	index, of int32     // its window
	group     uint32
	code      uint16 // of the winning result, among the fold's codes
	status    state
	faulty    bool    // the winning result cannot be folded
	result    *result // the winning one; nil where there is none, and once the group is closed
}

// result is what a group is folded from.
type result struct {
	metrics Metrics
	frame   foldstream.Frame
	fault   string // why it cannot be folded; "" where it can
}

// state is the status of a member in a byte. Its zero is Waiting, which stands for all that is not final.
type state uint8

var states = [...]foldstream.Status{foldstream.Waiting, foldstream.Done, foldstream.Dead, foldstream.Withdrawn, foldstream.Removed}

const done state = 1

// stateOf returns the state of a status.
func stateOf(s foldstream.Status) state {
	for i, known := range states {
		if s == known {
			return state(i)
		}
	}
	return 0
}

func (s *slot) present() bool { return s.status == done && !s.faulty }

// given up: the member will not come unless somebody asks for it.
func (s *slot) failed() bool { return s.status != 0 && !s.present() }

// take sets what an event says of the member. r is that of a result, made by a version of the code. It reports whether that changed
// anything that is stored.
func (s *slot) take(ev foldstream.Event, r *result, code uint16) bool {
	if ev.Kind == foldstream.EventResult && ev.Result != nil {
		s.status, s.result, s.faulty, s.code = done, r, r.fault != "", code
		return true
	}
	before := s.status
	s.status, s.result, s.faulty, s.code = 0, nil, false, 0
	if ev.Status.Final() && ev.Kind == foldstream.EventEnd {
		s.status = stateOf(ev.Status)
	}
	return s.status != before
}

// roster is what the slots of a fold have in common: the texts and times that they name by number.
type roster struct {
	times []foldstream.Time
	place map[foldstream.Time]uint32    // in times; only while the fold is made
	codes []string                      // versions of the code that made results; the first is ""
	odd   map[taskKey]foldstream.TaskID // ids that their keys do not give back
}

// slot returns the slot of a member. Errors: Invalid (a window beyond all reason).
func (r *roster) slot(m foldstream.Expectation, group int) (slot, error) {
	if min(m.Window.Index, m.Window.Of) < math.MinInt32 || max(m.Window.Index, m.Window.Of) > math.MaxInt32 {
		return slot{}, foldstream.Errorf(foldstream.Invalid, "collect", "window %d of %d of %q is beyond 32 bits", m.Window.Index, m.Window.Of, m.Key)
	}
	key, exact := keyOf(m.Task)
	if !exact {
		r.odd[key] = m.Task
	}
	return slot{
		task: key, test: [2]uint32{r.time(m.Test.Start), r.time(m.Test.End)},
		index: int32(m.Window.Index), of: int32(m.Window.Of), group: uint32(group),
	}, nil
}

func (r *roster) time(t foldstream.Time) uint32 {
	at, ok := r.place[t]
	if !ok {
		at = uint32(len(r.times))
		r.times, r.place[t] = append(r.times, t), at
	}
	return at
}

// maxCodes is how many versions of the code are told apart; what is beyond them counts as the last.
const maxCodes = math.MaxUint16

// code returns the place of a version among the codes.
func (r *roster) code(version string) uint16 {
	for i, known := range r.codes {
		if known == version {
			return uint16(i)
		}
	}
	if len(r.codes) == maxCodes {
		return maxCodes - 1
	}
	r.codes = append(r.codes, version)
	return uint16(len(r.codes) - 1)
}

func (r *roster) task(s *slot) foldstream.TaskID {
	if id, ok := r.odd[s.task]; ok {
		return id
	}
	return s.task.id()
}

func (r *roster) segment(s *slot) foldstream.Segment {
	return foldstream.Segment{Start: r.times[s.test[0]], End: r.times[s.test[1]]}
}

// expectation returns the member of a slot.
func (r *roster) expectation(key foldstream.Key, s *slot) foldstream.Expectation {
	return foldstream.Expectation{
		Key: key, Window: foldstream.Window{Index: int(s.index), Of: int(s.of)}, Test: r.segment(s), Task: r.task(s),
	}
}

// window returns the member of a slot and what became of it.
func (r *roster) window(s *slot) Window {
	w := Window{Index: int(s.index), Test: r.segment(s), Task: r.task(s), Status: states[s.status], Code: r.codes[s.code]}
	if s.result != nil {
		w.Metrics, w.Fault = s.result.metrics, s.result.fault
	}
	return w
}
