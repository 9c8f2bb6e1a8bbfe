package report_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/report"
)

// Many configurations share the points of the curves, and many failures are counted, not listed: a page stays one to send.
func TestLargeCollection(t *testing.T) {
	days := sessions(sampleSessions)
	one := walk(nil, days, 1, 0.02)
	var c collect.Collection
	for i := range 500 {
		g := one
		g.Key = foldstream.Key{{Name: "seed", Value: fmt.Sprint(i)}}
		g.Windows = []collect.Window{{Index: 0, Test: testOf(days, 0), Task: "a", Status: foldstream.Dead}}
		c.Groups = append(c.Groups, g)
	}
	page := html(t, report.Report{Collection: c})
	if len(page) > 1<<20 {
		t.Errorf("the page has %d bytes, over 1 MiB", len(page))
	}
	for want, n := range map[string]int{`<g class="curve s0"`: 2 * 249, `<g class="curve s0 best"`: 3, "250 of 500 lines are drawn.": 2, `<small>task a</small>`: 200, "And 300 more.": 1} {
		if got := strings.Count(page, want); got != n {
			t.Errorf("%s stands %d times, want %d", want, got, n)
		}
	}
}

// One window beyond all others must not make the rest pale.
func TestShadesOfTheGrid(t *testing.T) {
	var g collect.Group
	for i := range 40 {
		g.Windows = append(g.Windows, collect.Window{Index: i, Status: foldstream.Done, Metrics: collect.Metrics{"ic": 0.04 * float64(i%2*2-1)}})
	}
	g.Windows[7].Metrics["ic"] = 4
	g.Windows[9].Metrics["ic"] = 0.02
	page := html(t, report.Report{Collection: collect.Collection{Groups: []collect.Group{g}}})
	for want, n := range map[string]int{`<td class="u6" title="4.0">`: 18, `<td class="d6" title="−4.0">`: 20, `<td class="u6" title="400.0">`: 1, `<td class="u3" title="2.0">`: 1} {
		if got := strings.Count(page, want); got != n {
			t.Errorf("%s stands %d times, want %d", want, got, n)
		}
	}
}

// The order in which tasks are listed does not matter; other test periods make another kind.
func TestTimelinesOfMixedTasks(t *testing.T) {
	tasks := sampleTasks()[:2*sampleWindows]
	want := windows(t, report.Timelines(tasks))
	slices.Reverse(tasks[:sampleWindows])
	slices.Reverse(tasks[sampleWindows:])
	if windows(t, report.Timelines(tasks)) != want {
		t.Error("the order of tasks changed the picture")
	}
	later := tasks[0].Clone()
	later.Key, later.Segments["test"] = later.Key.With("penalty", "7"), segment("2001-01-02", "2001-03-30")
	first := later.Clone()
	first.Key = first.Key.With("penalty", "8")
	first.Segments["test"] = segment("2001-04-02", "2001-06-29")
	var titles []string
	for _, line := range report.Timelines([]foldstream.Task{later, first}) {
		titles = append(titles, line.Title+": "+line.Notes[0])
	}
	wanted := []string{"One window: Penalty 7, horizon 1, rolling expanding", "One window: Penalty 8, horizon 1, rolling expanding"}
	if !slices.Equal(titles, wanted) {
		t.Errorf("%q, want %q", titles, wanted)
	}
}

// What reads the same as the best value is marked as well; a missing value never is.
func TestBestValues(t *testing.T) {
	var c collect.Collection
	for i, v := range []float64{0.2361, 0.2359, 0.2340, math.NaN()} {
		c.Groups = append(c.Groups, collect.Group{Key: foldstream.Key{{Name: "a", Value: fmt.Sprint(i)}}, Metrics: collect.Metrics{"annual_return": v}})
	}
	page := html(t, report.Report{Collection: c})
	if n := strings.Count(page, `<td class="num best">23.6%</td>`); n != 2 || strings.Count(page, `num best`) != 2 {
		t.Errorf("%d cells are marked, want the two that read 23.6%%", n)
	}
}

// The colours show the choice that tells the ends apart, not the one that has the most values.
func TestColours(t *testing.T) {
	var c collect.Collection
	for i, end := range []float64{0.9, 0.11, 1, 0.2, 1.1, 0.31} {
		c.Groups = append(c.Groups, collect.Group{
			Key:   foldstream.Key{{Name: "one", Value: fmt.Sprint(i)}, {Name: "seed", Value: fmt.Sprint(i / 2)}, {Name: "kind", Value: fmt.Sprint(i % 2)}, {Name: "same", Value: "x"}},
			Daily: foldstream.Frame{Times: sessions(2), Columns: []foldstream.Column{{Name: "cumulative", Values: []float64{0, end}}}},
		})
	}
	page := html(t, report.Report{Collection: c})
	for _, want := range []string{"Coloured by kind,", "All with same x.", `</svg>kind 0</label>`, `</svg>kind 1</label>`, `<g class="curve s1" id="c1">`, `<g class="curve s2" id="c2">`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, `<th scope="col">same</th>`) {
		t.Error("a choice that all share has a column")
	}
}
