package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/report"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func html(t *testing.T, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func windows(t *testing.T, plan []report.Timeline) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.WindowsPlot("plan", plan).WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wellFormed fails unless the text is strict XML, which these pages are besides being HTML.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		switch _, err := d.Token(); {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			line, column := d.InputPos()
			t.Fatalf("line %d, column %d: %v", line, column, err)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); rewrite it with -rewrite where that is meant:\n%s", file, diff)
	}
}

func date(text string) foldstream.Time {
	t, err := foldstream.ParseTime(text)
	if err != nil {
		panic(err)
	}
	return t
}

func segment(start, end string) foldstream.Segment {
	return foldstream.Segment{Start: date(start), End: date(end)}
}

func smallTask(window int, train, test foldstream.Segment) foldstream.Task {
	return foldstream.Task{Template: foldstream.Template{
		Key: foldstream.Key{}.With("horizon", "1"), Window: foldstream.Window{Index: window, Of: 2}, Segments: foldstream.Segments{"train": train, "test": test},
	}}
}

// small is a report that a person can check by hand: two configurations, two windows, one of them failed.
func small() report.Report {
	days := []foldstream.Time{date("2021-03-01"), date("2021-03-02"), date("2021-04-05"), date("2021-04-06")}
	daily := func(ic, sums, falls []float64) foldstream.Frame {
		return foldstream.Frame{Times: days, Columns: []foldstream.Column{{Name: "ic", Values: ic}, {Name: "cumulative", Values: sums}, {Name: "drawdown", Values: falls}}}
	}
	first, second := segment("2021-03-01", "2021-03-31"), segment("2021-04-01", "2021-04-30")
	nan := math.NaN()
	return report.Report{
		Experiment: foldstream.Experiment{Name: "small", Pool: "small", Calendar: "cafe", Policy: foldstream.Refuse, Notes: []string{"Made up."}},
		Facts:      [][2]string{{"Code", "v1"}, {"Data", ""}},
		Absent:     map[foldstream.TaskID]report.Absence{"task4": {Status: foldstream.Dead, Error: "no such column\nat row 7", Attempts: 2, Worker: "w1"}},
		Tasks: []foldstream.Task{
			smallTask(0, segment("2020-01-01", "2020-12-31"), first),
			smallTask(1, segment("2020-02-01", "2021-01-31"), second),
		},
		Collection: collect.Collection{
			Certified: true, Settled: true, Coverage: foldstream.Coverage{Expected: 4, Present: 3, Failed: []foldstream.TaskID{"task4"}},
			Groups: []collect.Group{{
				Key: foldstream.Key{}.With("horizon", "1"), Coverage: foldstream.Coverage{Expected: 2, Present: 2},
				Windows: []collect.Window{
					{Index: 0, Test: first, Task: "task1", Status: foldstream.Done, Metrics: collect.Metrics{"ic": 0.25}},
					{Index: 1, Test: second, Task: "task2", Status: foldstream.Done, Metrics: collect.Metrics{"ic": -0.125}},
				},
				Metrics: collect.Metrics{"ic": 0.0625, "icir": 0.5, "annual_return": 0.5, "information_ratio": 1.25, "max_drawdown": -0.25},
				Daily:   daily([]float64{0.5, 0, -0.25, 0}, []float64{0.25, 0.5, 0.25, 0.5}, []float64{0, 0, -0.25, 0}),
			}, {
				Key: foldstream.Key{}.With("horizon", "5"), Coverage: foldstream.Coverage{Expected: 2, Present: 1, Failed: []foldstream.TaskID{"task4"}},
				Windows: []collect.Window{
					{Index: 0, Test: first, Task: "task3", Status: foldstream.Done, Metrics: collect.Metrics{"ic": nan}},
					{Index: 1, Test: second, Task: "task4", Status: foldstream.Dead},
				},
				Metrics: collect.Metrics{"ic": nan, "annual_return": 0.75, "max_drawdown": -0.5},
				Daily:   daily([]float64{nan, nan, nan, nan}, []float64{-0.25, 0.25, nan, nan}, []float64{0, 0, nan, nan}),
			}},
			Ensemble: &collect.Group{
				Coverage: foldstream.Coverage{Expected: 4, Present: 3},
				Metrics:  collect.Metrics{"ic": 0.0625, "icir": 0.5, "rank_ic": 0.0625, "rank_icir": 0.5, "annual_return": 0.75, "information_ratio": 2, "max_drawdown": -0.125},
				Daily:    daily([]float64{0.5, 0, -0.25, 0}, []float64{0.5, 0.75, 0.625, 1}, []float64{0, 0, -0.125, 0}),
			},
		},
	}
}

func TestGolden(t *testing.T) {
	golden(t, "small.html", html(t, small()))
	golden(t, "windows.svg", windows(t, report.Timelines(small().Tasks)))
	golden(t, "plan.svg", windows(t, report.Timelines(sampleTasks())))
}

// A page must be one file: nothing in it may make a browser ask for another.
func TestNoNetwork(t *testing.T) {
	r := sampleReport()
	r.Absent = breakSome(&r.Collection)
	text := strings.ReplaceAll(html(t, r)+windows(t, report.Timelines(r.Tasks)), `xmlns="http://www.w3.org/2000/svg"`, "")
	if at := regexp.MustCompile(`(?i)https?:|//[a-z]|src=|@import|url\(|<link [^>]*href="[^d]|fetch|XMLHttp|import\(`).FindString(text); at != "" {
		t.Errorf("the page holds %q", at)
	}
}

func TestHostileText(t *testing.T) {
	for _, evil := range []string{
		"left \u200f\u202e\u2066right\u2069 \u061c\ufeff\u2028\u200b end",
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title></style></svg><script>`, `'; }--></path>`, "{{.}}", "javascript:alert(1)",
		"nul \x00 bell \x07 broken \xff\xfe \ufffe", "]]>&amp;&bogus;", strings.Repeat("long", 500),
	} {
		r := small()
		r.Title, r.Facts = evil, [][2]string{{evil, evil}}
		r.Experiment = foldstream.Experiment{Name: evil, Pool: evil, Calendar: evil, Policy: foldstream.Policy(evil), Source: evil, Members: foldstream.Digest(evil), Notes: []string{evil}}
		r.Run = report.Run{Attempts: 1, Workers: []string{evil}}
		r.Absent["task4"] = report.Absence{Status: foldstream.Status(evil), Error: evil, Attempts: 1, Worker: evil}
		r.Tasks[0].Key, r.Tasks[0].Worker = foldstream.Key{{Name: evil, Value: evil}}, evil
		r.Tasks[0].Segments[evil] = segment("2021-01-01", "2021-02-01")
		r.Tasks[0].Data = []foldstream.Data{{Name: evil, Path: evil, Digest: foldstream.Digest(evil)}}
		for i := range r.Collection.Groups {
			g := &r.Collection.Groups[i]
			g.Key = g.Key.With("rolling", fmt.Sprint(i, evil)).With(evil, fmt.Sprint(evil, i)).With("same"+evil, evil)
			g.Faults = []string{evil}
			g.Windows[0].Task = foldstream.TaskID(evil)
		}
		r.Collection.Groups[0].Windows[0].Status = foldstream.Status(evil)
		r.Collection.Groups[0].Windows[1].Fault = evil
		page, svg := html(t, r), windows(t, report.Timelines(r.Tasks))
		wellFormed(t, page)
		wellFormed(t, svg)
		for _, fault := range faultsOf(parse(t, page)) {
			t.Errorf("%q: %s", evil, fault)
		}
		if at := regexp.MustCompile(`(?i)<(script|img)|="?javascript`).FindString(body(page) + svg); at != "" {
			t.Errorf("%q got through as %q", evil, at)
		}
		if i := strings.IndexFunc(page+svg, func(r rune) bool { return unicode.Is(unicode.Cf, r) }); i >= 0 {
			t.Errorf("%q: a mark that is not seen got through at %d", evil, i)
		}
		if strings.Count(page, "</style>") != 1 || strings.Count(svg, "</style>") != 1 {
			t.Errorf("%q ends the style sheet", evil)
		}
	}
}

// Whatever a collection holds, there is a page.
func TestAwkwardCollections(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	days := []foldstream.Time{date("2021-03-01"), date("2021-03-02")}
	group := func(v ...float64) collect.Group {
		return collect.Group{Daily: foldstream.Frame{Times: days[:min(2, len(v))], Columns: []foldstream.Column{{Name: "ic", Values: v}, {Name: "cumulative", Values: v}, {Name: "drawdown", Values: v}}}}
	}
	keyed := func(g collect.Group, name, value string) collect.Group {
		g.Key = foldstream.Key{{Name: name, Value: value}}
		return g
	}
	for name, tc := range map[string]struct {
		groups []collect.Group
		want   string
	}{
		"none":             {nil, "no configurations"},
		"empty group":      {[]collect.Group{{}}, "the one configuration"},
		"one session":      {[]collect.Group{group(0.5)}, "Cumulative return"},
		"all missing":      {[]collect.Group{group(nan, nan)}, "the one configuration"},
		"all the same":     {[]collect.Group{group(0, 0)}, "Cumulative return"},
		"infinite":         {[]collect.Group{group(inf, -inf)}, "the one configuration"},
		"half infinite":    {[]collect.Group{group(1, -inf)}, "Cumulative return"},
		"huge":             {[]collect.Group{group(-math.MaxFloat64, math.MaxFloat64)}, "the one configuration"},
		"large":            {[]collect.Group{group(-1e99, 1e99)}, "&#43;1.0e&#43;101%"},
		"tiny":             {[]collect.Group{group(-math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64)}, "Cumulative return"},
		"far and close":    {[]collect.Group{group(1e20, 1e20+16384)}, "Cumulative return"},
		"other key names":  {[]collect.Group{keyed(group(1, 2), "a", "1"), keyed(group(2, 1), "b", "1")}, "–</th><th scope=\"row\" class=\"nowrap\">1</th>"},
		"a shared choice":  {[]collect.Group{keyed(group(1, 2), "a", "1"), keyed(group(2, 1), "a", "1")}, "All with a 1."},
		"a broken frame":   {[]collect.Group{group(1, 2, 3)}, "has 3 values for 2 rows"},
		"no portfolio":     {[]collect.Group{{Daily: foldstream.Frame{Times: days, Columns: []foldstream.Column{{Name: "ic", Values: []float64{0.5, nan}}}}}}, "Cumulative daily IC"},
		"open test period": {[]collect.Group{{Windows: []collect.Window{{Index: 7, Status: foldstream.Running}}}}, "… to …"},
		"gaps":             {[]collect.Group{{Coverage: foldstream.Coverage{Gaps: []foldstream.Segment{segment("2021-03-01", "2021-03-04")}}}}, "no prediction for these sessions"},
	} {
		t.Run(name, func(t *testing.T) {
			page := html(t, report.Report{Collection: collect.Collection{Groups: tc.groups}})
			wellFormed(t, page)
			if !strings.Contains(page, tc.want) {
				t.Errorf("the page does not say %q", tc.want)
			}
			if at := regexp.MustCompile(`NaN|Inf[^.o]`).FindString(body(page)); at != "" {
				t.Errorf("the page holds %q", at)
			}
		})
	}
}

func TestWordsOfThePage(t *testing.T) {
	r := sampleReport()
	r.Absent = breakSome(&r.Collection)
	unsettle(&r.Collection)
	r.Collection.Groups[0].Windows[0].Fault = "no column named score" // of a task that is done
	page := html(t, r)
	for _, want := range []string{
		"24 configurations over 20 rolling windows, tested from 2 January 1996 to 2 November 2000. 474 of 480 results are in, 3 failed, 3 missing.",
		"Uncertified.", "Still running.", "9 March 2026, 16:04 UTC", "17 of 20", "no value on 1997-03-14", "no column named score", "survivorship bias", "Coloured by horizon",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for want, n := range map[string]int{`<td class="failed"`: 4, `<td class="open"`: 3, `data-c="`: 25, `<td class="num best">`: 9} {
		if got := strings.Count(page, want); got != n {
			t.Errorf("%s stands %d times, want %d", want, got, n)
		}
	}
	r = sampleReport()
	r.Generated = time.Time{}
	for _, not := range []string{"Uncertified.", "Still running.", "Incomplete.", "9 March", `id="problems"`} {
		if strings.Contains(html(t, r), not) {
			t.Errorf("the page says %q", not)
		}
	}
}

func TestTimelines(t *testing.T) {
	plan := report.Timelines(sampleTasks())
	var titles []string
	for _, line := range plan {
		titles = append(titles, line.Title)
		if len(line.Windows) != sampleWindows {
			t.Errorf("%s has %d windows", line.Title, len(line.Windows))
		}
	}
	want := []string{"Expanding, 12 configurations", "Sliding, 12 configurations"}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Error(diff)
	}
	bar := plan[1].Windows[1]
	if bar.Label != "2" || bar.Spans[0].Name != "train" || bar.Spans[1].Name != "valid" || bar.Spans[2].Segment != testOf(sessions(sampleSessions), 1) {
		t.Errorf("second window: %+v", bar)
	}
	gap := foldstream.Segment{Start: bar.Spans[1].End, End: bar.Spans[2].Start}
	if bar.Spans[3] != (report.Span{Name: "gap", Segment: gap}) {
		t.Errorf("the gap is %v, want %v", bar.Spans[3], gap)
	}
	if diff := cmp.Diff([]string{"Penalty 0.1, horizon 1, rolling sliding", "Labels reach 2 to 11 sessions ahead, 2 or more to spare"}, plan[1].Notes); diff != "" {
		t.Error(diff)
	}
	if got := report.Timelines(nil); len(got) != 0 {
		t.Errorf("no tasks gave %d timelines", len(got))
	}
}

// A picture with open ends reaches to its edges; one of nothing is still a picture.
func TestWindowsOpenAndEmpty(t *testing.T) {
	wellFormed(t, windows(t, nil))
	wellFormed(t, windows(t, []report.Timeline{{Title: "open", Windows: []report.WindowBar{{Spans: []report.Span{{Name: "train"}}}}}}))
	svg := windows(t, []report.Timeline{{Windows: []report.WindowBar{{Label: "1", Spans: []report.Span{
		{Name: "train", Segment: foldstream.Segment{End: date("2021-03-01")}}, {Name: "test", Segment: foldstream.Segment{Start: date("2021-02-01")}},
	}}}}})
	wellFormed(t, svg)
	if !strings.Contains(svg, "train: … to 2021-03-01") || !strings.Contains(svg, `width="96.4%"`) {
		t.Errorf("open ends do not reach the edges:\n%s", svg)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestErrWriter(t *testing.T) {
	if err := sampleReport().WriteHTML(brokenPipe{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("WriteHTML: %v", err)
	}
	if err := report.WindowsPlot("", nil).WriteSVG(brokenPipe{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Windows: %v", err)
	}
}
