package report_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/report"
)

// A made-up experiment in the size of a real one: 4 penalties × 3 horizons × 2 rolling kinds over 20 windows of 63 sessions.
const (
	sampleWindows  = 20
	sampleSessions = 1263
)

func sessions(n int) []foldstream.Time {
	out := make([]foldstream.Time, 0, n)
	for d := time.Date(1996, 1, 2, 0, 0, 0, 0, time.UTC); len(out) < n; d = d.AddDate(0, 0, 1) {
		if wd := d.Weekday(); wd != time.Saturday && wd != time.Sunday {
			out = append(out, foldstream.TimeOf(d))
		}
	}
	return out
}

func sampleKey(i int) foldstream.Key {
	return foldstream.Key{}.
		With("penalty", []string{"0.1", "1", "10", "100"}[i/6]).
		With("horizon", []string{"1", "5", "10"}[i/2%3]).
		With("rolling", []string{"expanding", "sliding"}[i%2])
}

// testOf is the test period of a window; the last one takes the sessions that are left over.
func testOf(days []foldstream.Time, w int) foldstream.Segment {
	end := (w+1)*63 - 1
	if w == sampleWindows-1 {
		end = len(days) - 1
	}
	return foldstream.Segment{Start: days[w*63], End: days[end]}
}

// walk is a group whose returns are a random walk with a drift.
func walk(key foldstream.Key, days []foldstream.Time, seed uint64, edge float64) collect.Group {
	rng := rand.New(rand.NewPCG(seed, 7))
	var ic, returns, gross, turnover, cumulative, drawdown []float64
	sum, top, icSum, icSquares, retSum, retSquares, deepest := 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
	for range days {
		c, r := edge+0.22*rng.NormFloat64(), edge/55+0.0095*rng.NormFloat64()
		sum, icSum, icSquares, retSum, retSquares = sum+r, icSum+c, icSquares+c*c, retSum+r, retSquares+r*r
		top = max(top, sum)
		deepest = min(deepest, sum-top)
		traded := 0.31 + 0.1*rng.NormFloat64()
		gross, turnover = append(gross, r+traded*0.001), append(turnover, traded)
		ic, returns, cumulative, drawdown = append(ic, c), append(returns, r), append(cumulative, sum), append(drawdown, sum-top)
	}
	n := float64(len(days))
	icMean, retMean := icSum/n, retSum/n
	icSD, retSD := math.Sqrt(icSquares/n-icMean*icMean), math.Sqrt(retSquares/n-retMean*retMean)
	return collect.Group{
		Key: key,
		Metrics: collect.Metrics{
			"ic": icMean, "icir": icMean / icSD, "rank_ic": 0.93 * icMean, "rank_icir": 0.95 * icMean / icSD,
			"annual_return": retMean * 252, "information_ratio": retMean / retSD * math.Sqrt(252), "max_drawdown": deepest, "turnover": 0.31,
		},
		Daily: foldstream.Frame{Times: days, Columns: []foldstream.Column{
			{Name: "ic", Values: ic}, {Name: "rank_ic", Values: ic}, {Name: "return", Values: returns}, {Name: "gross", Values: gross}, {Name: "turnover", Values: turnover},
			{Name: "cumulative", Values: cumulative}, {Name: "drawdown", Values: drawdown},
		}},
	}
}

func addWindows(g *collect.Group, seed int) {
	ic := g.Daily.Column("ic")
	for w := range sampleWindows {
		sum, test := 0.0, testOf(g.Daily.Times, w)
		for _, v := range ic[w*63 : (w+1)*63] {
			sum += v
		}
		g.Windows = append(g.Windows, collect.Window{
			Index: w, Test: test, Status: foldstream.Done, Metrics: collect.Metrics{"ic": sum / 63},
			Task: foldstream.TaskID(fmt.Sprintf("k3v%02dq7w%02dabcdefghijklmnop", seed, w)),
		})
	}
	g.Coverage = foldstream.Coverage{Expected: sampleWindows, Present: sampleWindows}
}

func sampleCollection() collect.Collection {
	days := sessions(sampleSessions)
	c := collect.Collection{Experiment: "dow30", Certified: true, Settled: true, Spec: foldstream.CollectionSpec{Ensemble: "average", Portfolio: foldstream.PortfolioSpec{TopK: 5, Cost: 0.001}}, Coverage: foldstream.Coverage{Expected: 480, Present: 480}}
	for i := range 24 {
		horizon, _ := strconv.Atoi(sampleKey(i).Get("horizon"))
		g := walk(sampleKey(i), days, uint64(i+1), 0.012+0.002*float64(horizon))
		addWindows(&g, i)
		c.Groups = append(c.Groups, g)
	}
	ensemble := walk(nil, days, 99, 0.036)
	ensemble.Coverage = c.Coverage
	c.Ensemble = &ensemble
	return c
}

// breakSome makes some results failed.
func breakSome(c *collect.Collection) map[foldstream.TaskID]report.Absence {
	failures := map[foldstream.TaskID]report.Absence{}
	for _, at := range [][2]int{{3, 4}, {3, 5}, {17, 12}} {
		g := &c.Groups[at[0]]
		w := &g.Windows[at[1]]
		w.Status, w.Metrics = foldstream.Dead, nil
		g.Coverage.Present--
		g.Coverage.Failed = append(g.Coverage.Failed, w.Task)
		c.Coverage.Present--
		c.Coverage.Failed = append(c.Coverage.Failed, w.Task)
		failures[w.Task] = report.Absence{
			Status: foldstream.Dead, Attempts: 3, Worker: "node-7-4711",
			Error: "attempt 3 of 3: exit status 1: ridge: column \"AA\" of prices.csv has no value on 1997-03-14\nread 1,263 rows, 30 columns",
		}
	}
	return failures
}

// unsettle makes some results not there yet, as in a collection that grows.
func unsettle(c *collect.Collection) {
	for w := 17; w < 20; w++ {
		g := &c.Groups[9]
		g.Windows[w].Status, g.Windows[w].Metrics = foldstream.Waiting, nil
		g.Coverage.Present--
		g.Coverage.Missing = append(g.Coverage.Missing, g.Windows[w].Task)
		c.Coverage.Present--
		c.Coverage.Missing = append(c.Coverage.Missing, g.Windows[w].Task)
	}
	c.Settled, c.Certified, c.Ensemble = false, false, nil
	c.Groups[9].Daily, c.Groups[9].Metrics = foldstream.Frame{}, nil
}

// sampleTasks are the tasks of the sample, with segments that roll.
func sampleTasks() []foldstream.Task {
	days := sessions(sampleSessions)
	year := 365 * 24 * time.Hour
	var out []foldstream.Task
	for i := range 24 {
		for w := range sampleWindows {
			test := testOf(days, w)
			start := test.Start.Std()
			first := time.Date(1991, 1, 2, 0, 0, 0, 0, time.UTC)
			if i%2 == 1 {
				first = start.Add(-5 * year)
			}
			var t foldstream.Task
			t.Key, t.Window, t.Worker = sampleKey(i), foldstream.Window{Index: w, Of: sampleWindows}, "ridge"
			t.Horizon, _ = strconv.Atoi(t.Key.Get("horizon"))
			t.Leak = foldstream.Certificate{Policy: foldstream.Refuse, Reach: foldstream.Ahead(t.Horizon + 1), Gap: 1 + i%2, Certified: true}
			t.Data = []foldstream.Data{{Name: "prices", Path: "/data/prices.csv", Size: 462502, Digest: "6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090"}}
			t.Segments = foldstream.Segments{
				"train": {Start: foldstream.TimeOf(first), End: foldstream.TimeOf(start.Add(-year))},
				"valid": {Start: foldstream.TimeOf(start.Add(-year + 24*time.Hour)), End: foldstream.TimeOf(start.Add(-15 * 24 * time.Hour))},
				"test":  test,
			}
			out = append(out, t)
		}
	}
	return out
}

func sampleReport() report.Report {
	return report.Report{
		Title: "Ridge on thirty Dow Jones stocks, 1996 to 2000",
		Experiment: foldstream.Experiment{
			Name: "dow30", Pool: "dow30", Calendar: "b4d1f5a07c9e22d83a6a1e6f", Policy: foldstream.Refuse, Source: "experiments/dow30.yaml", Expected: 480,
			Notes: []string{
				"Prices are daily closes of the 30 members that the index had at the end of the period: a survivorship bias, which makes every return here too good.",
				"Costs are 10 basis points one way on the value traded. Signals are known at the close of a session and traded at the next close.",
			},
			Members: "95dcb86a1f2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3",
		},
		Facts: [][2]string{{"code", "foldstream v0.1.0"}, {"sessions", "2529, 1990-12-31 to 2001-01-02"}},
		Run: report.Run{
			Started: time.Date(2026, 3, 9, 16, 3, 30, 0, time.UTC), Finished: time.Date(2026, 3, 9, 16, 3, 44, 200e6, time.UTC),
			Working: 53 * time.Second, Attempts: 492, Failed: 9, Lost: 3, Workers: []string{"node-6-4242", "node-7-4711"},
		},
		Generated:  time.Date(2026, 3, 9, 16, 4, 0, 0, time.UTC),
		Tasks:      sampleTasks(),
		Collection: sampleCollection(),
	}
}
