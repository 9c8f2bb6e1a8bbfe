package gen

import (
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// period is where the test windows may start: session indices, both included.
type period struct {
	start, end int
}

// period returns the span from the aligned test start to the aligned test end or Now, whichever is earlier.
func (r Rolling) period(t foldstream.Template) (p period, err error) {
	test, err := r.Calendar.AlignSegment(t.Segments[r.TestKey])
	if err != nil {
		return p, fmt.Errorf("segment %s: %w", r.TestKey, err)
	}
	if p.start, err = r.Calendar.Index(test.Start, calendar.Start); err != nil {
		return p, fmt.Errorf("start of segment %s: %w", r.TestKey, err)
	}
	end := r.Calendar.ClipEnd(test.End)
	if p.end, err = r.Calendar.Index(end, calendar.End); err != nil {
		return p, err
	}
	if p.start > p.end {
		return p, invalid("segment %s starts at %s, after %s, the last session of history: there is nothing to test yet", r.TestKey, test.Start, end)
	}
	return p, nil
}

// first returns the segments of the first window.
func (r Rolling) first(t foldstream.Template, p period) (foldstream.Segments, error) {
	segments, err := r.Calendar.AlignSegments(t.Segments)
	if err != nil {
		return nil, err
	}
	segments[r.TestKey] = r.window(p.start)
	if err := r.cut(segments, t); err != nil {
		return nil, err
	}
	if r.TrainSessions > 0 {
		return segments, r.setLength(segments)
	}
	return segments, nil
}

// window is the test window that starts at session i: open where the calendar is too short for a full step.
func (r Rolling) window(i int) foldstream.Segment {
	var s foldstream.Segment
	s.Start, _ = r.Calendar.At(i)
	if i < r.Calendar.Len()-r.Step+1 {
		s.End, _ = r.Calendar.At(i + r.Step - 1)
	}
	return s
}

// cut truncates what was asked for; where nothing was, it refuses a train segment that reaches the test.
func (r Rolling) cut(segments foldstream.Segments, t foldstream.Template) error {
	n, asked, err := r.truncation(t)
	if err != nil {
		return err
	}
	test := segments[r.TestKey].Start
	if asked {
		return truncate(r.Calendar, segments, test, n)
	}
	train, there := segments[r.TrainKey]
	switch {
	case there && train.End.IsOpen():
		return invalid("segment %s has an open end: it would train on the test period; close it, or truncate", r.TrainKey)
	case there && !train.End.Before(test):
		return foldstream.Errorf(foldstream.Leak, "", "segment %s ends at %s, but the test starts at %s; end it earlier, or truncate", r.TrainKey, train.End, test)
	}
	return nil
}

// truncation returns how many sessions before the test the other segments end, and whether they are cut at all. The reach needs
// one session more than itself: a label of the last train session must end before the test starts.
func (r Rolling) truncation(t foldstream.Template) (n int, asked bool, err error) {
	if r.Trunc != nil {
		n, asked = *r.Trunc, true
	}
	if !r.TruncReach {
		return n, asked, nil
	}
	reach := ReachOf(t)
	if !reach.Known {
		return 0, true, foldstream.Errorf(foldstream.Leak, "", "the truncation cannot follow the label's reach, which is unknown: declare it")
	}
	return max(n, reach.Sessions+1), true, nil
}

// setLength makes the train segment TrainSessions long, counted back from its end.
func (r Rolling) setLength(segments foldstream.Segments) error {
	train := segments[r.TrainKey]
	end, err := r.Calendar.Index(train.End, calendar.End)
	if err != nil {
		return fmt.Errorf("end of segment %s: %w", r.TrainKey, err)
	}
	if train.Start, err = r.Calendar.At(end - r.TrainSessions + 1); err != nil {
		return fmt.Errorf("segment %s of %d sessions up to %s: %w", r.TrainKey, r.TrainSessions, train.End, err)
	}
	segments[r.TrainKey] = train
	return nil
}

// follow returns the windows after the one given whose test starts inside the period. It counts the steps beforehand: a period that
// is an exact multiple of the step ends with it, where Qlib steps onto the null after the last session and fails.
func (r Rolling) follow(segments foldstream.Segments, p period) (windows []foldstream.Segments, err error) {
	for n := (p.end - p.start) / r.Step; n > 0; n-- {
		if segments, err = r.shift(segments); err != nil {
			return nil, err
		}
		windows = append(windows, segments)
	}
	return windows, nil
}

// shift moves all segments by a step.
func (r Rolling) shift(segments foldstream.Segments) (foldstream.Segments, error) {
	moved := make(foldstream.Segments, len(segments))
	for _, name := range segments.Names() {
		mode := calendar.Sliding
		if name == r.TrainKey {
			mode = r.Type
		}
		s, err := r.Calendar.Shift(segments[name], r.Step, mode)
		if err != nil {
			return nil, fmt.Errorf("segment %s: %w", name, err)
		}
		moved[name] = s
	}
	return moved, nil
}

// finish treats the last window where it is short: where the period is no multiple of the step.
func (r Rolling) finish(windows []foldstream.Segments, p period) ([]foldstream.Segments, error) {
	n := len(windows)
	short := (p.end-p.start+1)%r.Step != 0
	end, err := r.Calendar.At(p.end)
	if err != nil {
		return nil, err
	}
	switch {
	case short && n == 1 && (r.Last == Drop || r.Last == Keep && windows[0][r.TestKey].End.IsOpen()):
		return nil, invalid("not one full window of %d sessions lies between %s and %s; take a smaller step, or last: clip", r.Step, windows[0][r.TestKey].Start, end)
	case !short || r.Last == Keep:
		return windows, nil
	case r.Last == Drop || r.Last == Merge && n > 1:
		windows = windows[:n-1]
	}
	if r.Last != Drop {
		last := windows[len(windows)-1]
		last[r.TestKey] = foldstream.Segment{Start: last[r.TestKey].Start, End: end}
	}
	return windows, nil
}

// emit makes one template for each window; w is the place of the first.
func (r Rolling) emit(t foldstream.Template, windows []foldstream.Segments, w foldstream.Window) ([]foldstream.Template, error) {
	out := make([]foldstream.Template, len(windows))
	for i, segments := range windows {
		c := t.Clone()
		c.Segments, c.Window = segments, foldstream.Window{Index: w.Index + i, Of: w.Of}
		c.Key = t.Key.With(rollingChoice, r.Choice())
		c.Leak = foldstream.Certificate{}
		if err := r.hook(c); err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

// rollingChoice is the name of the choice that a rolling makes in a key.
const rollingChoice = "rolling"

// Choice is the value of the choice "rolling" in the key of what r makes.
func (r Rolling) Choice() string {
	switch {
	case r.Name != "":
		return r.Name
	case r.TrainSessions > 0:
		return fmt.Sprintf("%s %d", r.Type, r.TrainSessions)
	}
	return string(r.Type)
}

// hook writes the window's times into the handler's arguments, where there are any: Qlib's handler_mod, and the fit window.
func (r Rolling) hook(t foldstream.Template) error {
	handler := t.Handler()
	if handler == nil {
		return nil
	}
	if r.RollFit {
		train := t.Segments[r.TrainKey]
		handler["fit_start_time"], handler["fit_end_time"] = textOrNil(train.Start), textOrNil(train.End)
	}
	if r.KeepHandlerEnd {
		return nil
	}
	return extendEnd(handler, t.Segments[r.TestKey].End)
}

// extendEnd moves end_time to the test end where it is before it. Handlers without an end_time load all there is and stay, but
// for an open test end: they then get a null one, as in Qlib. A placeholder stays too: it is filled when the task runs.
func extendEnd(handler map[string]any, testEnd foldstream.Time) error {
	if testEnd.IsOpen() {
		handler["end_time"] = nil
		return nil
	}
	text, ok := handler["end_time"].(string)
	if !ok || strings.HasPrefix(text, "<") {
		return nil
	}
	end, err := foldstream.ParseTime(text)
	if err != nil {
		return fmt.Errorf("dataset.kwargs.handler.kwargs.end_time: %w", err)
	}
	if end.Before(testEnd) {
		handler["end_time"] = testEnd.String()
	}
	return nil
}

func textOrNil(t foldstream.Time) any {
	if t.IsOpen() {
		return nil
	}
	return t.String()
}
