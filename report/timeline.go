package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// Timeline is the windows of one rolling configuration, in order.
type Timeline struct {
	Title   string // what it shows: "Expanding: horizon 1"
	Windows []WindowBar
}

// WindowBar is the segments of one task.
type WindowBar struct {
	Label string // "1"; "" is none
	Spans []Span // drawn in order
}

// Span is one named segment. Names train, valid and test have colours of their own. An open end goes as far as the drawing.
type Span struct {
	Name string
	foldstream.Segment
}

// Timelines returns one timeline for each rolling kind among the tasks: expanding (all windows train from the same start),
// sliding, or a single window; with the first configuration of that kind as its representative. Configurations whose test
// periods differ are different kinds. The order is that of the tasks.
func Timelines(tasks []foldstream.Task) []Timeline {
	var kinds []string
	lead := map[string][]foldstream.Task{}
	size := map[string]int{}
	for _, windows := range byKey(tasks) {
		kind := kindOf(windows)
		id := kind + testPeriods(windows)
		if size[id]++; size[id] == 1 {
			kinds = append(kinds, id)
			lead[id] = windows
		}
	}
	out := make([]Timeline, 0, len(kinds))
	for _, id := range kinds {
		title := kindOf(lead[id]) + ": " + keyText(lead[id][0].Key)
		if n := size[id] - 1; n > 0 {
			title += fmt.Sprintf(" (%s alike)", count(n)+" more")
		}
		out = append(out, Timeline{title, bars(lead[id])})
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
	first := windows[0].Segments["train"].Start
	if slices.ContainsFunc(windows, func(t foldstream.Task) bool { return t.Segments["train"].Start != first }) {
		return "Sliding"
	}
	return "Expanding"
}

func testPeriods(windows []foldstream.Task) string {
	var b strings.Builder
	for _, t := range windows {
		fmt.Fprintf(&b, "|%v", t.Segments["test"])
	}
	return b.String()
}

func bars(windows []foldstream.Task) []WindowBar {
	out := make([]WindowBar, len(windows))
	for i, t := range windows {
		out[i].Label = fmt.Sprint(t.Window.Index + 1)
		names := t.Segments.Names()
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
		for _, name := range names {
			out[i].Spans = append(out[i].Spans, Span{name, t.Segments[name]})
		}
	}
	return out
}

// known are the segment names with a colour, in the order of time.
var known = []string{"train", "valid", "test"}

func rank(name string) int {
	if i := slices.Index(known, name); i >= 0 {
		return i
	}
	return len(known)
}

// Windows draws the timelines of a plan as one SVG document that stands alone: a bar for each segment of each window over
// a common axis of time, in light or dark as the reader's screen is. Equal timelines give equal bytes. Errors: those of w.
func Windows(w io.Writer, plan []Timeline) error {
	return pages.ExecuteTemplate(w, "windows.svg", timelineView(plan))
}

// windowsChart is the drawing of timelines: x in percent of the width, y in pixels.
type windowsChart struct {
	Height int
	Label  string
	Names  []swatch // the legend
	Rows   []windowsRow
	Ticks  []tick
	Bottom int
}

type windowsRow struct {
	Y, Height, Base string
	Title           string // of the timeline, on the row before its first window
	Label           string
	Spans           []rectangle
}

// rectangle is a bar with its explanation.
type rectangle struct {
	X, Y, Width, Height, Class, Title string
}

// swatch is an entry of a legend.
type swatch struct {
	Class, Label string
}

// At is where the i-th entry of a legend stands that cannot flow, in pixels.
func (windowsChart) At(i int) int { return 84 * i }

// Whole is the height of a document with the drawing, its legend and a margin.
func (c windowsChart) Whole() int { return c.Height + 42 }

const windowsGutter = 3.6 // percent of the width that the windows' labels take

func timelineView(plan []Timeline) windowsChart {
	c := windowsChart{Label: "Training, validation and test periods of each rolling window", Names: segmentNames(plan)}
	lo, hi, ok := extent(plan)
	x := scale{lo, hi, windowsGutter, 100}
	y := 2.0
	for _, t := range plan {
		c.Rows = append(c.Rows, windowsRow{Title: clean(t.Title), Base: pos(y+11, 1)})
		y += 18
		high := max(2, min(11, 260/float64(max(1, len(t.Windows)))))
		for i, bar := range t.Windows {
			c.Rows = append(c.Rows, barView(bar, x, y, high, high >= 9.5 || i == 0 || (i+1)%int(math.Ceil(12/high)) == 0))
			y += high
		}
		y += 10
	}
	c.Bottom = int(y) - 4
	c.Height = c.Bottom + 20
	if ok {
		c.Ticks = timeTicks(std(lo), std(hi), x)
	}
	return c
}

func barView(bar WindowBar, x scale, y, high float64, labelled bool) windowsRow {
	row := windowsRow{Base: pos(y+high-1.5, 1)}
	if labelled {
		row.Label = clean(bar.Label)
	}
	for _, s := range bar.Spans {
		a, b := x.from, x.to
		if !s.Start.IsOpen() {
			a = x.at(seconds(s.Start.Std()))
		}
		if !s.End.IsOpen() {
			b = x.at(seconds(dayEnd(s.End)))
		}
		row.Spans = append(row.Spans, rectangle{
			X: pos(a, 2), Y: pos(y, 1), Width: pos(max(0, b-a), 2), Height: pos(high-min(2, high/4), 1),
			Class: segmentClass(s.Name), Title: clean(fmt.Sprintf("window %s, %s: %s", bar.Label, s.Name, period(s.Segment))),
		})
	}
	return row
}

// dayEnd is where a segment that includes t ends: a date lasts a day.
func dayEnd(t foldstream.Time) time.Time {
	if t.IsDate() {
		return t.Std().AddDate(0, 0, 1)
	}
	return t.Std()
}

func std(sec float64) time.Time { return time.Unix(int64(sec), 0).UTC() }

// extent returns the first and the last closed end of all spans; false where there is none.
func extent(plan []Timeline) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, t := range plan {
		for _, bar := range t.Windows {
			for _, s := range bar.Spans {
				if !s.Start.IsOpen() {
					lo, hi = min(lo, seconds(s.Start.Std())), max(hi, seconds(s.Start.Std()))
				}
				if !s.End.IsOpen() {
					lo, hi = min(lo, seconds(s.End.Std())), max(hi, seconds(dayEnd(s.End)))
				}
			}
		}
	}
	if lo > hi {
		return 0, 0, false
	}
	return lo, hi, true
}

func segmentNames(plan []Timeline) []swatch {
	seen := map[string]bool{}
	var names []string
	for _, t := range plan {
		for _, bar := range t.Windows {
			for _, s := range bar.Spans {
				if !seen[s.Name] {
					seen[s.Name] = true
					names = append(names, s.Name)
				}
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	out := make([]swatch, len(names))
	for i, name := range names {
		out[i] = swatch{segmentClass(name), clean(name)}
	}
	return out
}

func segmentClass(name string) string {
	if rank(name) < len(known) {
		return name
	}
	return "other"
}
