package report_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/metric"
	"github.com/foldstream/foldstream/report"
)

// cells are the words of a table's rows.
func cells(table *node) (rows [][]string) {
	for _, tr := range table.all("tr") {
		var row []string
		for _, c := range tr.children {
			row = append(row, c.words())
		}
		rows = append(rows, row)
	}
	return rows
}

// table returns the table that a label names.
func table(t *testing.T, page *node, name string) *node {
	t.Helper()
	for _, box := range page.class("div", "scroll") {
		if box.attrs["aria-label"] == name {
			return box.children[0]
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

// The table of configurations says what the collection's own table says.
func TestResultsAgainstTheCollection(t *testing.T) {
	r := sampleReport()
	rows := cells(table(t, parse(t, html(t, r)), "Table of configurations"))
	if heads := strings.Join(rows[0], "|"); heads != "penalty|horizon|rolling|IC|ICIR|ICIR corr.|IC t|Rank IC|Rank ICIR|Ann. return|Inf. ratio|Max drawdown|Turnover|Windows|Curve" {
		t.Errorf("heads %s", heads)
	}
	minus := func(format string, v float64) string { return strings.Replace(fmt.Sprintf(format, v), "-", "−", 1) }
	want := collect.Table(r.Collection)
	if len(rows) != len(want)+1 {
		t.Fatalf("%d rows, want %d", len(rows)-1, len(want))
	}
	for i, w := range want {
		keys := []string{w.Key.Get("penalty"), w.Key.Get("horizon"), w.Key.Get("rolling")}
		g, horizon := r.Collection.Ensemble, 1
		if !w.Ensemble {
			g = &r.Collection.Groups[i]
			horizon = map[string]int{"1": 1, "5": 5, "10": 10}[w.Key.Get("horizon")]
		} else {
			keys = []string{"Ensemble"}
		}
		overlap := metric.Correct(g.Daily.Column("ic"), horizon)
		corrected := "–"
		if horizon > 1 {
			corrected = minus("%.3f", overlap.Ratio)
		}
		line := append(keys, minus("%.4f", w.IC), minus("%.3f", w.ICIR), corrected, minus("%.1f", overlap.T), minus("%.4f", w.RankIC), minus("%.3f", w.RankICIR),
			minus("%.1f%%", 100*w.AnnualReturn), minus("%.2f", w.InformationRatio), minus("%.1f%%", 100*w.MaxDrawdown), minus("%.2f", g.Metrics["turnover"]),
			fmt.Sprintf("%d of %d", w.Present, w.Expected), "")
		if !slices.Equal(rows[i+1], line) {
			t.Errorf("row %d is\n%q, want\n%q", i, rows[i+1], line)
		}
	}
}

// The grid has a cell for each member: its IC, or what it lacks and why.
func TestGridAgainstTheCollection(t *testing.T) {
	r := sampleReport()
	r.Absent = breakSome(&r.Collection)
	unsettle(&r.Collection)
	page := parse(t, html(t, r))
	if n := len(page.class("section", "wide")); n != 1 { // it has a page of its own on paper
		t.Errorf("%d wide sections", n)
	}
	grid := table(t, page, "Coverage grid")
	rows := grid.all("tr")[2:]
	if len(rows) != len(r.Collection.Groups) {
		t.Fatalf("%d rows", len(rows))
	}
	for i, g := range r.Collection.Groups {
		for _, w := range g.Windows {
			cell := rows[i].children[1+w.Index]
			title := cell.attrs["title"]
			switch {
			case w.Status == foldstream.Dead && (cell.attrs["class"] != "failed" || cell.words() != "×" || !strings.Contains(title, "has no value on 1997-03-14")),
				w.Status == foldstream.Waiting && (cell.attrs["class"] != "open" || cell.words() != "·" || !strings.Contains(title, "waiting")),
				w.Status == foldstream.Done && cell.words() != strings.Replace(fmt.Sprintf("%.1f", 100*w.Metrics["ic"]), "-", "−", 1) && math.Abs(100*w.Metrics["ic"]) > 0.05,
				!strings.Contains(title, "window "+fmt.Sprint(w.Index+1)+", "+w.Test.Start.String()):
				t.Errorf("row %d window %d, %s: class %q, %q, %q", i, w.Index, w.Status, cell.attrs["class"], cell.words(), title)
			}
		}
	}
}

// Window by window: the numbers are those of the window's sessions.
func TestSpellsAgainstTheEnsemble(t *testing.T) {
	r := sampleReport()
	rows := cells(table(t, parse(t, html(t, r)), "Table of windows"))
	if len(rows) != 1+sampleWindows {
		t.Fatalf("%d rows", len(rows))
	}
	daily := r.Collection.Ensemble.Daily
	for w, row := range rows[1:] {
		test := testOf(daily.Times, w)
		var ic, net []float64
		for i, at := range daily.Times {
			if !at.Before(test.Start) && !at.After(test.End) {
				ic, net = append(ic, daily.Column("ic")[i]), append(net, daily.Column("return")[i])
			}
		}
		sum, fall, top, at := 0.0, 0.0, math.Inf(-1), 0.0
		for _, v := range net {
			at += v
			sum, top = at, max(top, at)
			fall = min(fall, at-top)
		}
		minus := func(format string, v float64) string { return strings.Replace(fmt.Sprintf(format, v), "-", "−", 1) }
		want := []string{fmt.Sprint(w + 1), test.Start.String() + " to " + test.End.String(), fmt.Sprint(len(ic)), minus("%.4f", metric.Summarise(ic).Mean)}
		if !slices.Equal(row[:4], want) || row[5] != minus("%.1f%%", 100*sum) || row[6] != minus("%.1f%%", 100*fall) || row[8] != "24 of 24" {
			t.Errorf("window %d: %q, want %q, %.1f, %.1f", w, row, want, 100*sum, 100*fall)
		}
		best, name := math.Inf(-1), ""
		for i, g := range r.Collection.Groups {
			if v := g.Windows[w].Metrics["ic"]; v > best {
				k := sampleKey(i)
				best, name = v, fmt.Sprintf("%s · %s · %s, %.4f", k.Get("penalty"), k.Get("horizon"), k.Get("rolling"), v)
			}
		}
		if row[10] != name {
			t.Errorf("window %d: highest %q, want %q", w, row[10], name)
		}
	}
}

// Months: a cell is the mean of its sessions, the last the year's.
func TestMonthsAgainstTheEnsemble(t *testing.T) {
	r := sampleReport()
	rows := cells(table(t, parse(t, html(t, r)), "Table of months"))
	sums, counts := map[string]float64{}, map[string]float64{}
	for i, at := range r.Collection.Ensemble.Daily.Times {
		v := r.Collection.Ensemble.Daily.Column("ic")[i]
		for _, name := range []string{at.Std().Format("2006 Jan"), at.Std().Format("2006 year")} {
			sums[name], counts[name] = sums[name]+v, counts[name]+1
		}
	}
	if len(rows) != 6 || len(rows[0]) != 14 {
		t.Fatalf("%d rows of %d", len(rows), len(rows[0]))
	}
	for _, row := range rows[1:] {
		for m, got := range row[1:] {
			name := row[0] + " " + rows[0][m+1]
			want := ""
			if counts[name] > 0 {
				want = strings.Replace(fmt.Sprintf("%.1f", 100*sums[name]/counts[name]), "-", "−", 1)
			}
			if got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	}
}

// What trading takes: gross less net, and where nothing would be left.
func TestCosts(t *testing.T) {
	days := sessions(4)
	g := collect.Group{Daily: foldstream.Frame{Times: days, Columns: []foldstream.Column{
		{Name: "return", Values: []float64{.008, .018, -.012, .008}}, {Name: "gross", Values: []float64{.01, .02, -.01, .01}},
		{Name: "turnover", Values: []float64{1, .5, .25, .25}}, {Name: "cumulative", Values: []float64{.008, .026, .014, .022}},
	}}, Windows: []collect.Window{{Index: 0, Status: foldstream.Done, Test: foldstream.Segment{Start: days[0], End: days[3]}}}}
	c := collect.Collection{Groups: []collect.Group{g}, Spec: foldstream.CollectionSpec{Portfolio: foldstream.PortfolioSpec{TopK: 1, Cost: .0005}}}
	page := parse(t, html(t, report.Report{Collection: c}))
	text := ""
	for _, dl := range page.class("dl", "small") {
		text += dl.words()
	}
	// Gross .0075 a session, net .0055, turnover .5: costs of .002 · 252 = 50.4 %, and nothing is left at .0075 / .5 = 150 basis points.
	if want := "Turnover a session 0.500 Return before costs 189.0% Costs a year 50.4% Return after costs 138.6% Cost of trading 5.0 bp Earns nothing at 150 bp"; text != want {
		t.Errorf("costs are %q, want %q", text, want)
	}
}

// The marks that a reader must not miss stand on the page and on every picture.
func TestMarks(t *testing.T) {
	for name, want := range map[string]string{"whole": "", "broken": "Incomplete.", "running": "Uncertified. Still running.", "leaky": "Uncertified. Incomplete."} {
		r := samples()[name]
		page := parse(t, html(t, r))
		var marks []string
		for _, p := range page.class("p", "alert") {
			marks = append(marks, p.all("b")[0].words())
		}
		if got := strings.Join(marks, " "); got != want {
			t.Errorf("%s is marked %q, want %q", name, got, want)
		}
		for _, what := range []string{"curves", "windows"} {
			svg := written(t, plot(t, r, what).WriteSVG)
			for _, mark := range []string{"uncertified", "incomplete", "still running"} {
				if strings.Contains(svg, " · "+mark) != strings.Contains(strings.ToLower(want), mark) {
					t.Errorf("%s, %s: %q or not", name, what, mark)
				}
			}
		}
	}
}

// Sessions that no window predicted, or that a row stands for twice, make a collection incomplete, though every member is there.
func TestMarkOfSessions(t *testing.T) {
	at := []foldstream.Segment{segment("1996-05-01", "1996-05-02")}
	for want, wrong := range map[string]foldstream.Coverage{
		"no prediction for these sessions": {Gaps: at}, "predicted by more than one window": {Overlaps: at}, "a window has a row twice": {Duplicates: at},
	} {
		r := sampleReport()
		for _, c := range []*foldstream.Coverage{&r.Collection.Coverage, &r.Collection.Groups[3].Coverage} {
			c.Gaps, c.Overlaps, c.Duplicates = wrong.Gaps, wrong.Overlaps, wrong.Duplicates
		}
		text := parse(t, html(t, r)).words()
		for _, want := range []string{"Incomplete.", want} {
			if !strings.Contains(text, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
	}
}

// A failure shows what went wrong and how the log ends; a long middle is left out. What waits with an error shows it.
func TestFailures(t *testing.T) {
	r := leakyReport()
	r.Collection.Groups[0].Windows[2].Status = foldstream.Waiting
	r.Absent[r.Collection.Groups[0].Windows[2].Task] = report.Absence{Status: foldstream.Waiting, Error: "no licence", Attempts: 1, Worker: "node-6-4242"}
	r.Collection.Groups[0].Windows[3].Status = foldstream.Waiting
	r.Collection.Groups[0].Windows[4].Status = foldstream.Waiting
	rows := cells(table(t, parse(t, html(t, r)), "Failed and missing"))
	if len(rows) != 1+3+1+1 {
		t.Fatalf("%d rows: %q", len(rows), rows)
	}
	for _, want := range []string{"exit status 137: the command was killed epoch 0", "… 47 lines left out …", "epoch 59 loss 0.0014 Killed", "task k3v03q7w04", "3 attempts, the last on node-7-4711"} {
		if !strings.Contains(rows[1][3], want) {
			t.Errorf("%q does not say %q", rows[1][3], want)
		}
	}
	if strings.Contains(rows[1][3], "epoch 30 ") {
		t.Error("the middle of the log is there")
	}
	if got := rows[4]; got[1] != "3" || !strings.Contains(got[3], "no licence") {
		t.Errorf("a task that was returned: %q", got)
	}
	if got := rows[5]; got[0] != "penalty 0.1, horizon 1, rolling expanding" || got[3] != "2 windows not there yet" {
		t.Errorf("tasks that wait: %q", got)
	}
}

// Where results are from: all of it, and what may differ from run to run on lines of its own.
func TestProvenance(t *testing.T) {
	page := parse(t, html(t, sampleReport()))
	var got []string
	for _, div := range page.class("dl", "facts")[0].children {
		got = append(got, div.attrs["class"]+"|"+div.words())
	}
	want := []string{
		"|Experiment dow30", "|Made from dow30.yaml", "|Pool dow30",
		"|Members 480, listed in SHA-256 95dcb86a1f2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3", "|Worked by ridge",
		"|Leak check certified: no task's training, nor its label's reach, touches its test period (policy refuse); 480 of 480 tasks certified; labels reach 2 to 11 sessions ahead, 1 or more to spare",
		"|Calendar b4d1f5a07c9e22d83a6a1e6f", "|Code foldstream v0.1.0", "|Sessions 2529, 1990-12-31 to 2001-01-02",
		"|Data prices prices.csv, 462,502 bytes, SHA-256 6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090",
		"run|Attempts 492 for 480 tasks; 9 failed, 3 lost with their worker", "run|Worked 2026-03-09 16:03:30 UTC to 2026-03-09 16:03:44 UTC, 14.2s",
		"run|Working time 53s in all", "run|Consumers 2: node-6-4242, node-7-4711",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Labels that overlap are said so, the longest first; those of one session are not.
func TestOverlapNotes(t *testing.T) {
	text := parse(t, html(t, sampleReport())).words()
	for _, want := range []string{metric.OverlapNote(10), "holds for labels over 5 sessions."} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	r := oneReport()
	if text := parse(t, html(t, r)).words(); strings.Contains(text, "overlap") || strings.Contains(text, "ICIR corr.") {
		t.Error("labels of one session are said to overlap")
	}
	for i := range r.Tasks { // the tasks tell, whatever the choice is called
		r.Tasks[i].Key, r.Tasks[i].Horizon = foldstream.Key{{Name: "ahead", Value: "far"}}, 3
	}
	r.Collection.Groups[0].Key = r.Tasks[0].Key
	if text := parse(t, html(t, r)).words(); !strings.Contains(text, metric.OverlapNote(3)) {
		t.Error("labels of 3 sessions are not said to overlap")
	}
	r.Tasks = nil
	r.Collection.Groups[0].Key = foldstream.Key{{Name: "horizon", Value: "7"}} // where the tasks are gone, the key tells
	if text := parse(t, html(t, r)).words(); !strings.Contains(text, metric.OverlapNote(7)) {
		t.Error("labels of 7 sessions are not said to overlap")
	}
}

// The curves: the ensemble and the best stand out and are named at their ends, and with many a band shows where most are.
func TestCurvesStandOut(t *testing.T) {
	r := sampleReport()
	best, top := 0, math.Inf(-1)
	for i, g := range r.Collection.Groups {
		if sums := g.Daily.Column("cumulative"); sums[len(sums)-1] > top {
			best, top = i, sums[len(sums)-1]
		}
	}
	page := parse(t, html(t, r))
	for _, prefix := range []string{"c", "f"} {
		if line := page.id(fmt.Sprint(prefix, best+1)); line == nil || !strings.HasSuffix(line.attrs["class"], " best") {
			t.Errorf("%s%d does not stand out", prefix, best+1)
		}
		if line := page.id(prefix + "0"); line == nil || line.attrs["class"] != "curve lead" {
			t.Errorf("%s0 is not the ensemble", prefix)
		}
	}
	var ends []string
	for _, text := range page.id("fig-curves").all("tspan") {
		ends = append(ends, text.parent.words())
	}
	want := fmt.Sprintf("+%.0f%% best", 100*top)
	if !slices.Contains(ends, want) || len(ends) != 3 {
		t.Errorf("the ends say %q, want %q among them", ends, want)
	}
	if n := len(page.class("g", "band")); n != 0 {
		t.Errorf("%d bands for 24 curves", n)
	}
	if many := parse(t, html(t, manyReport(60, 4))); len(many.id("fig-curves").class("g", "band")) != 1 {
		t.Error("no band for 60 curves")
	}
}

// Without an ensemble the configuration with the highest IC of those that have most results speaks for the whole, and is named.
func TestLeadWithoutEnsemble(t *testing.T) {
	r := sampleReport()
	r.Collection.Ensemble = nil
	best, top := 0, math.Inf(-1)
	for i, g := range r.Collection.Groups {
		if v := g.Metrics["ic"]; v > top {
			best, top = i, v
		}
	}
	named := func(i int) string {
		k := sampleKey(i)
		return fmt.Sprintf("These are of the configuration with the highest IC, penalty %s, horizon %s, rolling %s.", k.Get("penalty"), k.Get("horizon"), k.Get("rolling"))
	}
	if text := parse(t, html(t, r)).words(); !strings.Contains(text, named(best)) {
		t.Errorf("the page does not say %q", named(best))
	}
	r.Collection.Groups[best].Coverage.Present--
	if text := parse(t, html(t, r)).words(); strings.Contains(text, named(best)) {
		t.Error("a configuration that lacks results speaks for the whole")
	}
}
