package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// Timeline is the windows of one rolling configuration, in order.
type Timeline struct {
	Title   string   // what it shows: "Expanding, 12 configurations"
	Notes   []string // its representative, and what lies between training and test; a line each
	Windows []WindowBar
}

// WindowBar is the segments of one task.
type WindowBar struct {
	Label string // "1"; "" is none
	Spans []Span // drawn in order
}

// Span is one named segment. Names train, valid, test and gap have colours of their own. An open end goes as far as the drawing.
// Of a gap neither end is part: it lies between the last day of training and the first of the test.
type Span struct {
	Name string
	foldstream.Segment
}

// The names of spans with a meaning of their own.
const (
	spanTrain = "train"
	spanValid = "valid"
	spanTest  = "test"
	spanGap   = "gap"
)

// Timelines returns one timeline for each rolling kind among the tasks: expanding (all windows train from the same start),
// sliding, or a single window; with the first configuration of that kind as its representative. Configurations whose test
// periods differ are different kinds. The order is that of the tasks.
func Timelines(tasks []foldstream.Task) []Timeline {
	var kinds []string
	all := map[string][][]foldstream.Task{}
	for _, windows := range byKey(tasks) {
		id := kindOf(windows) + testPeriods(windows)
		if all[id] == nil {
			kinds = append(kinds, id)
		}
		all[id] = append(all[id], windows)
	}
	out := make([]Timeline, 0, len(kinds))
	for _, id := range kinds {
		lead, one := all[id][0], Timeline{Title: kindOf(all[id][0])}
		if n := len(all[id]); n > 1 {
			one.Title += ", " + plural(n, "configuration")
		}
		one.Notes = append(one.Notes, sentence(keyText(lead[0].Key)))
		if reach := reachText(slices.Concat(all[id]...)); reach != "" {
			one.Notes = append(one.Notes, sentence(reach))
		}
		one.Windows = barsOf(lead)
		out = append(out, one)
	}
	return out
}

// byKey groups tasks by configuration, the windows of each in order.
func byKey(tasks []foldstream.Task) [][]foldstream.Task {
	at := map[string]int{}
	var out [][]foldstream.Task
	for _, t := range tasks {
		key := t.Key.String()
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], t)
	}
	for _, windows := range out {
		slices.SortStableFunc(windows, func(a, b foldstream.Task) int { return cmp.Compare(a.Window.Index, b.Window.Index) })
	}
	return out
}

func kindOf(windows []foldstream.Task) string {
	if len(windows) == 1 {
		return "One window"
	}
	first := windows[0].Segments[spanTrain].Start
	if slices.ContainsFunc(windows, func(t foldstream.Task) bool { return t.Segments[spanTrain].Start != first }) {
		return "Sliding"
	}
	return "Expanding"
}

func testPeriods(windows []foldstream.Task) string {
	var b strings.Builder
	for _, t := range windows {
		fmt.Fprintf(&b, "|%v", t.Segments[spanTest])
	}
	return b.String()
}

func barsOf(windows []foldstream.Task) []WindowBar {
	out := make([]WindowBar, len(windows))
	for i, t := range windows {
		out[i].Label = fmt.Sprint(t.Window.Index + 1)
		names := t.Segments.Names()
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
		for _, name := range names {
			out[i].Spans = append(out[i].Spans, Span{name, t.Segments[name]})
		}
		if gap, ok := gapOf(t.Segments); ok {
			out[i].Spans = append(out[i].Spans, Span{spanGap, gap})
		}
	}
	return out
}

// gapOf is what lies between the last end of train and valid and the start of test; false where that is nothing.
func gapOf(s foldstream.Segments) (foldstream.Segment, bool) {
	last, test := s[spanTrain].End, s[spanTest].Start
	if s[spanValid].End.After(last) {
		last = s[spanValid].End
	}
	if last.IsOpen() || test.IsOpen() || !dayEnd(last).Before(test.Std()) {
		return foldstream.Segment{}, false
	}
	return foldstream.Segment{Start: last, End: test}, true
}

// known are the segment names with a colour, in the order of time.
var known = []string{spanTrain, spanValid, spanTest, spanGap}

func rank(name string) int {
	if i := slices.Index(known, name); i >= 0 {
		return i
	}
	return len(known)
}

// reachText tells how far the labels of tasks look ahead and how much is clear before the tests; "" where the tasks carry no certificate.
func reachText(tasks []foldstream.Task) string {
	var reach, gap []int
	uncertified := 0
	for _, t := range tasks {
		switch {
		case t.Leak.Policy == "":
			return ""
		case !t.Leak.Certified:
			uncertified++
			continue
		}
		reach, gap = append(reach, t.Leak.Reach.Sessions), append(gap, t.Leak.Gap)
	}
	var parts []string
	if len(reach) > 0 {
		parts = append(parts, fmt.Sprintf("labels reach %s ahead, %s or more to spare", spanOf(reach), count(slices.Min(gap))))
	}
	if uncertified > 0 {
		parts = append(parts, plural(uncertified, "task")+" without a certificate")
	}
	return strings.Join(parts, "; ")
}

// spanOf writes "2 sessions" or "2 to 21 sessions".
func spanOf(n []int) string {
	lo, hi := slices.Min(n), slices.Max(n)
	if lo == hi {
		return plural(hi, "session")
	}
	return count(lo) + " to " + plural(hi, "session")
}
