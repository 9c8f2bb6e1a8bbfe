package collect

import (
	"cmp"
	"slices"

	"github.com/foldstream/foldstream"
)

// Rolling folds the windows of one configuration into one series. Where two windows have a row of the same time and
// instrument, the window that starts later wins with its whole row, missing values too; of two that start at the same time, the later
// by index (Qlib: model/ens/ensemble.py:RollingEnsemble, whose tie is the order of listing).
//
// Adding a window costs what its rows and those of the windows that overlap it cost, however many there are.
type Rolling struct {
	expected []foldstream.Expectation // by window
	sessions []foldstream.Time        // sorted; nil where they are not known
	there    []bool                   // beside expected
	repeated map[foldstream.Time]bool // the times of which one window has a row twice
	series
}

var _ foldstream.Fold = (*Rolling)(nil)

// NewRolling returns the fold of the expected windows, whose indexes must differ. sessions are those of their calendar, nil
// where they are not known: see Value.
func NewRolling(expected []foldstream.Expectation, sessions []foldstream.Time) *Rolling {
	return &Rolling{
		expected: slices.SortedFunc(slices.Values(expected), func(a, b foldstream.Expectation) int {
			return cmp.Compare(a.Window.Index, b.Window.Index)
		}),
		sessions: distinctTimes(sessions),
		there:    make([]bool, len(expected)),
	}
}

// Add takes a window. Adding a window again changes nothing. Errors: Invalid (no such window is expected, a frame that is not
// well formed), Conflict (another task than the expected).
func (r *Rolling) Add(m foldstream.Member) error {
	at, found := slices.BinarySearchFunc(r.expected, m.Window.Index, func(e foldstream.Expectation, index int) int {
		return cmp.Compare(e.Window.Index, index)
	})
	if !found {
		return foldstream.Errorf(foldstream.Invalid, "fold", "window %d of %q is not expected", m.Window.Index, m.Key)
	}
	if e := r.expected[at]; e.Task != m.Task {
		return foldstream.Errorf(foldstream.Conflict, "fold", "window %d of %q is task %s, not %s", m.Window.Index, e.Key, e.Task, m.Task)
	}
	if err := m.Frame.Validate(); err != nil {
		return err
	}
	if r.there[at] {
		return nil
	}
	r.there[at] = true
	once := unique(m.Frame)
	if once.Len() < m.Frame.Len() {
		r.repeat(m.Frame)
	}
	r.add(&window{Frame: once, index: m.Window.Index})
	return nil
}

// repeat notes the times at which a frame has a row twice.
func (r *Rolling) repeat(f foldstream.Frame) {
	if r.repeated == nil {
		r.repeated = map[foldstream.Time]bool{}
	}
	f = f.Sorted()
	for i := 1; i < f.Len(); i++ {
		if f.CompareRows(i-1, f, i) == 0 {
			r.repeated[f.Times[i]] = true
		}
	}
}

// Value returns the series, sorted, and its coverage. Gaps are the sessions of the expected test periods without a row, as
// segments; where the sessions are not known, they are the test periods without a single row. Overlaps are the sessions
// of which two windows have rows, Duplicates those of which one window has a row twice. Errors: Invalid (windows that differ in their columns, or of which some have instruments and
// some not).
func (r *Rolling) Value() (foldstream.Frame, foldstream.Coverage, error) {
	cover := foldstream.Coverage{Expected: len(r.expected)}
	for i, e := range r.expected {
		if r.there[i] {
			cover.Present++
		} else {
			cover.Missing = append(cover.Missing, e.Task)
		}
	}
	merged, err := r.merged()
	if err != nil {
		return foldstream.Frame{}, cover, err
	}
	have := distinctTimes(merged.Times)
	cover.Gaps = r.gaps(have)
	all := distinctTimes(slices.Concat(r.sessions, have))
	cover.Overlaps, cover.Duplicates = marked(all, r.doubled), marked(all, r.repeated)
	return merged, cover, nil
}

func (r *Rolling) gaps(have []foldstream.Time) []foldstream.Segment {
	if r.sessions == nil {
		var gaps []foldstream.Segment
		for _, e := range r.expected {
			if from, to := e.Test.Span(have); from == to {
				gaps = append(gaps, e.Test)
			}
		}
		return gaps
	}
	lacks := make([]bool, len(r.sessions))
	for _, e := range r.expected {
		from, to := e.Test.Span(r.sessions)
		for i := from; i < to; i++ {
			_, there := slices.BinarySearchFunc(have, r.sessions[i], foldstream.Time.Compare)
			lacks[i] = !there
		}
	}
	return runs(r.sessions, lacks)
}

// marked returns each run of times that are in a set as a segment.
func marked(times []foldstream.Time, set map[foldstream.Time]bool) []foldstream.Segment {
	in := make([]bool, len(times))
	for i, t := range times {
		in[i] = set[t]
	}
	return runs(times, in)
}

// runs returns each run of times that are marked as a segment.
func runs(times []foldstream.Time, marked []bool) []foldstream.Segment {
	var out []foldstream.Segment
	for i, t := range times {
		switch {
		case !marked[i]:
		case i > 0 && marked[i-1]:
			out[len(out)-1].End = t
		default:
			out = append(out, foldstream.Segment{Start: t, End: t})
		}
	}
	return out
}

func distinctTimes(times []foldstream.Time) []foldstream.Time {
	sorted := times
	if !slices.IsSortedFunc(times, foldstream.Time.Compare) {
		sorted = slices.SortedFunc(slices.Values(times), foldstream.Time.Compare)
	}
	var out []foldstream.Time
	for i, t := range sorted {
		if i == 0 || t != sorted[i-1] {
			out = append(out, t)
		}
	}
	return out
}
