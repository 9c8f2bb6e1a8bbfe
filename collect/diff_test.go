package collect_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// outcome is what a window of an experiment comes to: a result, or a failure.
type outcome struct {
	id     foldstream.TaskID
	result *foldstream.Result
}

// outcomes are those of so many windows, all alike but for their numbers.
func outcomes(t *testing.T, store foldstream.Store, n int) []outcome {
	t.Helper()
	tasks := streamtest.Tasks(0, n)
	out := make([]outcome, n)
	for i := range out {
		f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}}}
		for d := range 3 {
			for j, name := range []string{"A", "B"} {
				f.Times, f.Instruments = append(f.Times, day(4*i+d)), append(f.Instruments, name)
				f.Columns[0].Values = append(f.Columns[0].Values, math.Sin(float64(10*i+2*d+j)))
				f.Columns[1].Values = append(f.Columns[1].Values, math.NaN())
			}
		}
		r := &foldstream.Result{Metrics: map[string]float64{"ic": float64(i + 1), "loss": math.NaN()}, Params: map[string]string{"n": "1"}, Code: "v1"}
		if i%2 == 0 {
			r.Frames = map[string]foldstream.Frame{"pred": f}
		} else {
			r.Artifacts = []foldstream.Artifact{stored(t, store, f)}
		}
		out[i] = outcome{tasks[i].ID, r}
	}
	return out
}

func stored(t *testing.T, store foldstream.Store, f foldstream.Frame) foldstream.Artifact {
	t.Helper()
	data, err := frame.Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	digest, size, err := store.Artifacts().Put(t.Context(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return foldstream.Artifact{Name: "pred", Digest: digest, Size: size, Type: foldstream.FrameType}
}

// keep makes an experiment, in a pool of its name, of windows that came to something; a nil result is a failure. It returns an empty collection.
func keep(t *testing.T, store foldstream.Store, name string, all ...outcome) collect.Collection {
	t.Helper()
	var members []foldstream.Expectation
	for i, o := range all {
		if o.id == "" {
			continue
		}
		key := foldstream.Key{{Name: "alpha", Value: fmt.Sprint(1 + i/4)}}
		members = append(members, foldstream.Expectation{Key: key, Window: foldstream.Window{Index: i % 4, Of: 4}, Test: span(4*i, 4*i+3), Task: o.id})
		task := streamtest.Task(0)
		task.ID = o.id
		if _, err := store.Pool(name).Create(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		l, err := store.Pool(name).Fetch(t.Context(), foldstream.Filter{Wait: 10e9})
		if err == nil && o.result == nil {
			err = l.Fail(t.Context(), errors.New("broken"))
		} else if err == nil {
			err = l.Commit(t.Context(), *o.result)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := record.PutExperiment(t.Context(), store, foldstream.Experiment{Name: name, Pool: name}, members); err != nil {
		t.Fatal(err)
	}
	return collect.Collection{Experiment: name}
}

// lines writes a difference for tests: a line a change.
func lines(d collect.Diff) string {
	var b strings.Builder
	for _, c := range d.Changes {
		fmt.Fprintf(&b, "%s/%d %s", c.Key, c.Window, c.What)
		if c.IsText() {
			fmt.Fprintf(&b, " %q %q\n", c.Texts[0], c.Texts[1])
		} else {
			fmt.Fprintf(&b, " %.4g %.4g %d %s\n", c.Left, c.Right, c.Cells, c.At)
		}
	}
	return b.String()
}

func TestDiffTellsWhatChanged(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			left := keep(t, store, "a", outcomes(t, store, 7)...)
			same := keep(t, store, "b", outcomes(t, store, 7)...)
			d, err := collect.DiffOf(t.Context(), store, left, same, collect.DiffOptions{})
			if err != nil || !d.Same() || d.Windows != (collect.DiffCount{Identical: 7}) || d.Changed > 0 || len(d.Settings) > 0 {
				t.Fatalf("%v: %+v", err, d)
			}

			other := outcomes(t, store, 9)
			other[0].result.Metrics["ic"] += 1e-10
			other[1].result.Artifacts[0] = stored(t, store, changedFrame(outcomes(t, store, 4)[2].result.Frames["pred"], 4)) // window 2's rows
			pred := other[2].result.Frames["pred"]
			other[2].result.Frames["pred"] = changedFrame(pred, 0, 3)
			other[3].result = nil
			other[4].result.Params["n"], other[4].result.Code = "2", "v2"
			other[5].id = streamtest.Task(99).ID
			other[6].id = "" // only on the left
			right := keep(t, store, "c", other...)
			if d, err = collect.DiffOf(t.Context(), store, left, right, collect.DiffOptions{}); err != nil {
				t.Fatal(err)
			}
			want := `alpha=1/1 pred rows "6 only here" "6 only here"
alpha=1/3 frame pred "there" "none"
alpha=1/3 ic "4" "none"
alpha=1/3 loss "NaN" "none"
alpha=1/3 param n "1" "none"
alpha=1/3 status "done" "failed"
alpha=2/0 param n "1" "2"
alpha=1/2 pred.score -0.8462 3.154 2 2020-01-10 B
alpha=1/0 ic 1 1 0 
`
			if got := lines(d); got != want {
				t.Errorf("%s\nand not\n%s", got, want)
			}
			if d.Windows != (collect.DiffCount{Identical: 1, Changed: 5, OnlyLeft: 1, OnlyRight: 2}) || d.Redefined != 1 || d.Same() {
				t.Errorf("%+v, %d redefined", d.Windows, d.Redefined)
			}
			if len(d.Settings) != 1 || d.Settings[0] != (collect.Setting{Name: "code", Left: "v1", Right: "v1, v2"}) {
				t.Errorf("%+v", d.Settings)
			}
			common, err := collect.DiffOf(t.Context(), store, left, right, collect.DiffOptions{Common: true, Tolerance: collect.Tolerance{Rel: 1e-9}})
			if err != nil || common.Windows != (collect.DiffCount{Identical: 2, Changed: 4}) || strings.Contains(lines(common), "1/0") {
				t.Errorf("%v: %+v\n%s", err, common.Windows, lines(common))
			}
		})
	}
}

// changedFrame is a copy of a frame with more in some of its scores.
func changedFrame(f foldstream.Frame, rows ...int) foldstream.Frame {
	f = f.Sorted()
	for _, row := range rows {
		f.Columns[0].Values[row] += float64(row + 1)
	}
	return f
}

func TestDiffOfCollections(t *testing.T) {
	store := mem.New(mem.Options{})
	group := func(key string, ret, ic float64, windows int) collect.Group {
		g := collect.Group{Metrics: collect.Metrics{"annual_return": ret, "ic": ic}, Coverage: foldstream.Coverage{Expected: windows, Present: windows}}
		if key != "" {
			g.Key = foldstream.Key{{Name: "alpha", Value: key}}
		}
		for i := range windows {
			g.Windows = append(g.Windows, collect.Window{Index: i})
		}
		return g
	}
	ensemble, moved := group("", 0.1, 0.5, 0), group("", 0.2, 0.5, 0)
	left := keep(t, store, "l", outcomes(t, store, 1)...)
	left.Groups, left.Ensemble = []collect.Group{group("1", 0.1, 0.5, 4), group("2", 0.1, 0.5, 4), group("3", 0.1, 0.5, 4)}, &ensemble
	left.Spec.Portfolio = foldstream.PortfolioSpec{TopK: 5, Cost: 0.001}
	right := keep(t, store, "r", outcomes(t, store, 1)...)
	right.Groups, right.Ensemble = []collect.Group{group("1", 0.05, 0.5, 4), group("2", 0.3, 0.5, 2), group("4", 0.1, 0.5, 4)}, &moved
	right.Spec.Portfolio = foldstream.PortfolioSpec{TopK: 5, Cost: 0.002}

	d, err := collect.DiffOf(t.Context(), store, left, right, collect.DiffOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Groups != (collect.DiffCount{Changed: 3, OnlyLeft: 1, OnlyRight: 1}) || d.Windows != (collect.DiffCount{Identical: 1}) {
		t.Errorf("%+v, %+v", d.Groups, d.Windows)
	}
	if !slices.Equal(d.Settings, []collect.Setting{{Name: "collection.portfolio.cost", Left: "0.001", Right: "0.002"}}) {
		t.Errorf("%+v", d.Settings)
	}
	for i, want := range []collect.DiffShare{{What: "annual_return", Compared: 3, Changed: 3}, {What: "ic", Compared: 3}, {What: "ic", Window: true, Compared: 1}} {
		got := d.Numbers[i]
		if i == 0 && (got.Largest.Right != 0.3 || !(collect.Tolerance{Rel: 1e-9}).Equal(got.Largest.By(), 0.2)) {
			t.Errorf("the largest change is %+v", got.Largest)
		}
		if got.Largest = (collect.Change{}); !cmp.Equal(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	common, err := collect.DiffOf(t.Context(), store, left, right, collect.DiffOptions{Common: true})
	if err != nil || common.Groups != (collect.DiffCount{Changed: 1}) || common.Changes[0].Right != 0.05 {
		t.Errorf("%v: %+v %+v", err, common.Groups, common.Changes)
	}
}

// A tolerance agrees with its definition, is symmetric, and grows with its parts.
func TestTolerance(t *testing.T) {
	number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1, 1 + 1e-9}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		tol := collect.Tolerance{Abs: rapid.Float64Range(0, 2).Draw(t, "abs"), Rel: rapid.Float64Range(0, 2).Draw(t, "rel")}
		if tol.Equal(a, b) != tol.Equal(b, a) {
			t.Error("not symmetric")
		}
		exact := (collect.Tolerance{}).Equal(a, b)
		if exact != (a == b || a != a && b != b) {
			t.Errorf("exactly equal: %v", exact)
		}
		if exact && !tol.Equal(a, b) {
			t.Error("equal numbers are not within a tolerance")
		}
		if (math.IsInf(a, 0) || math.IsNaN(a)) && tol.Equal(a, b) && !exact {
			t.Error("a number is near none")
		}
	})
	for _, c := range []struct {
		tol  collect.Tolerance
		a, b float64
		want bool
	}{
		{collect.Tolerance{Abs: 0.1}, 1, 1.1 - 1e-12, true}, {collect.Tolerance{Abs: 0.1}, 1, 1.11, false},
		{collect.Tolerance{Rel: 0.1}, 90, 100, true}, {collect.Tolerance{Rel: 0.1}, 89, 100, false},
		{collect.Tolerance{Abs: 1, Rel: 0.1}, 89, 100, true},
	} {
		if got := c.tol.Equal(c.a, c.b); got != c.want {
			t.Errorf("%+v of %v and %v: %v", c.tol, c.a, c.b, got)
		}
	}
}
