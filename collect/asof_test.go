package collect_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// aggregated runs an aggregator on a store until the test ends.
func aggregated(t *testing.T, store foldstream.Store) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- (&collect.Aggregator{Store: store, ID: "a", Every: 5 * time.Millisecond}).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// moment is a collection as it was stored at a time.
type moment struct {
	at time.Time
	collect.Collection
}

// metricsNamed gives the windows that have a metric.
func metricsNamed(c collect.Collection, name string) iter.Seq[collect.Window] {
	return func(yield func(collect.Window) bool) {
		for _, g := range c.Groups {
			for _, w := range g.Windows {
				if _, has := w.Metrics[name]; has && !yield(w) {
					return
				}
			}
		}
	}
}

// rememberRound waits until all members of a round are there.
func rememberRound(t *testing.T, store foldstream.Store, round, present, expected int) moment {
	t.Helper()
	err := streamtest.Eventually(t.Context(), func() error {
		s, err := collect.LoadSummary(t.Context(), store, "e")
		if err == nil && (s.Round != round || s.Present != present || s.Expected != expected || !s.Settled) {
			err = fmt.Errorf("the collection is %+v", s)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := collect.Load(t.Context(), store, "e")
	if err != nil {
		t.Fatal(err)
	}
	return moment{time.Now(), c}
}

// remember waits until so many members are present and so many given up, and all of that is stored.
func remember(t *testing.T, store foldstream.Store, present, failed int) (m moment) {
	t.Helper()
	err := streamtest.Eventually(t.Context(), func() (err error) {
		m.at = time.Now()
		s, err := collect.LoadSummary(t.Context(), store, "e")
		if err != nil {
			return err
		}
		if s.Present != present || s.Failed != failed { // it is stored last
			return fmt.Errorf("the summary has %d present, %d failed", s.Present, s.Failed)
		}
		if m.Collection, err = collect.Load(t.Context(), store, "e"); err != nil {
			return err
		}
		if c := m.Coverage; c.Present != present || len(c.Failed) != failed || m.Settled != (present+failed == 4) {
			return fmt.Errorf("%d present, %d failed, settled %v", c.Present, len(c.Failed), m.Settled)
		}
		for _, g := range m.Groups {
			if g.Windows == nil {
				return fmt.Errorf("%s is not folded yet", g.Key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What a collection was at a time, folded afterwards, is what the aggregator had stored then: also before the first result, after a failure, and
// after what failed was done after all.
func TestAsOfIsWhatWasStoredThen(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			tasks, members := streamtest.Tasks(0, 4), []foldstream.Expectation{}
			for i, task := range tasks {
				members = append(members, foldstream.Expectation{
					Key: foldstream.Key{{Name: "alpha", Value: fmt.Sprint(1 + i/2)}}, Window: foldstream.Window{Index: i % 2, Of: 2}, Test: span(4*(i%2), 4*(i%2)+3), Task: task.ID,
				})
			}
			before := time.Now().Add(-time.Hour)
			e := foldstream.Experiment{
				Name: "e", Pool: "p", Created: time.Now(),
				Collection: foldstream.CollectionSpec{Ensemble: foldstream.EnsembleAverage, Portfolio: foldstream.PortfolioSpec{TopK: 1, Cost: 0.001}},
			}
			if err := record.PutExperiment(t.Context(), store, e, members); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Pool("p").Create(t.Context(), tasks...); err != nil {
				t.Fatal(err)
			}
			aggregated(t, store)
			moments := []moment{remember(t, store, 0, 0)}
			var failed foldstream.TaskID
			for i := range 4 {
				l, err := store.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 10 * time.Second})
				if err != nil {
					t.Fatal(err)
				}
				if i == 1 {
					failed = l.Task().ID
					err = l.Fail(t.Context(), errors.New("broken"))
				} else {
					err = l.Commit(t.Context(), priced(members, l.Task().ID))
				}
				if err != nil {
					t.Fatal(err)
				}
				moments = append(moments, remember(t, store, max(i, min(i+1, 1)), min(i, 1)))
			}
			if _, err := store.(foldstream.Admin).Retry(t.Context(), "p", "once more", failed); err != nil {
				t.Fatal(err)
			}
			l, err := store.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 10 * time.Second})
			if err == nil {
				err = l.Commit(t.Context(), priced(members, failed))
			}
			if err != nil {
				t.Fatal(err)
			}
			moments = append(moments, remember(t, store, 4, 0))
			if n, err := store.(foldstream.Admin).Remove(t.Context(), "p", "a complete collection stays", failed); err != nil || n != 1 {
				t.Fatal(n, err)
			}
			moments = append(moments, remember(t, store, 4, 0))

			// A done task begins another life, with another result.
			again := tasks[3]
			if n, err := store.(foldstream.Admin).Remove(t.Context(), "p", "changed", again.ID); err != nil || n != 1 {
				t.Fatal(n, err)
			}
			if _, err := store.(foldstream.Admin).Remove(t.Context(), "p", "changed", failed); err != nil {
				t.Fatal(err)
			}
			if err := record.Renew(t.Context(), store, "e", time.Now()); err != nil {
				t.Fatal(err)
			}
			for _, task := range tasks {
				if task.ID != again.ID && task.ID != failed {
					continue
				}
				if _, err := store.Pool("p").Create(t.Context(), task); err != nil {
					t.Fatal(err)
				}
				l, err := store.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 10 * time.Second})
				if err == nil {
					result := priced(members, task.ID)
					result.Metrics = map[string]float64{"other": 1}
					err = l.Commit(t.Context(), result)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			renewed := rememberRound(t, store, 1, 4, 4)
			if other := len(slices.Collect(metricsNamed(renewed.Collection, "other"))); other != 2 {
				t.Errorf("%d windows have the results of the new lives, want 2", other)
			}
			moments = append(moments, renewed)

			// The experiment loses a configuration, and is folded otherwise.
			e.Created, e.Collection.Portfolio.Cost = time.Now(), 0.002
			if err := record.ReviseExperiment(t.Context(), store, e, members[2:]); err != nil {
				t.Fatal(err)
			}
			moments = append(moments, rememberRound(t, store, 2, 2, 2))
			err = streamtest.Eventually(t.Context(), func() error { // it goes when the new one is stored
				for v, err := range store.Values(foldstream.Collections).List(t.Context(), "e") {
					if err != nil {
						return err
					}
					if strings.Contains(v.Key, "alpha=1") {
						return fmt.Errorf("%s is left of what it was", v.Key)
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}

			for i, m := range moments {
				got, err := collect.AsOf(t.Context(), store, "e", m.at)
				if err != nil {
					t.Fatal(err)
				}
				opts := cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateNaNs(), cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })}
				if d := cmp.Diff(m.Collection, got, opts); d != "" {
					t.Errorf("moment %d (- stored, + as of):\n%s", i, d)
				}
			}
			if c := moments[len(moments)-1]; c.Ensemble == nil || len(c.Ensemble.Metrics) < 4 {
				t.Errorf("the last has the ensemble %+v", c.Ensemble)
			}
			if _, err := collect.AsOf(t.Context(), store, "e", before); !foldstream.Is(err, foldstream.NotFound) {
				t.Errorf("before it was made: %v", err)
			}
		})
	}
}

// priced is a result with predictions of the task's window.
func priced(members []foldstream.Expectation, id foldstream.TaskID) foldstream.Result {
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}, {Name: "return"}}}
	for i, m := range members {
		if m.Task != id {
			continue
		}
		for d := range 4 {
			for j, name := range []string{"A", "B", "C"} {
				f.Times, f.Instruments = append(f.Times, day(4*m.Window.Index+d)), append(f.Instruments, name)
				came := math.Sin(float64(100*m.Window.Index+10*d+j)) / 50
				for k, v := range []float64{math.Cos(float64(1000*i + 10*d + j)), came, came} {
					f.Columns[k].Values = append(f.Columns[k].Values, v)
				}
			}
		}
	}
	return foldstream.Result{Frames: map[string]foldstream.Frame{"pred": f}, Metrics: map[string]float64{"ic": 0.5}}
}
