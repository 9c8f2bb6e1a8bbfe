package streamtest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

var metricChecks = []Check{
	{"metric/publish and read", metricRead},
	{"metric/follow", metricFollow},
	{"metric/delete", metricDelete},
	{"metric/refused", metricRefused},
	{"metric/the newest are kept", metricKept},
}

// pointsOf returns points of the run "1" of a recorder: n of them from the step first on.
func pointsOf(recorder string, first, n int) foldstream.Points {
	p := foldstream.Points{Experiment: "mine", Recorder: recorder, Run: "1", First: first}
	for i := range n {
		at := time.UnixMilli(1_700_000_000_000 + int64(i)).UTC()
		p.Series = append(p.Series, foldstream.Point{Metric: "loss", Step: int64(first + i), Value: 1 / float64(1+i), At: at})
	}
	return p
}

// publish publishes each of the points.
func publish(ctx context.Context, s foldstream.Store, all ...foldstream.Points) error {
	for _, p := range all {
		if err := s.Metrics().Publish(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// published waits until the points that a filter lets through are these.
func published(ctx context.Context, h Harness, f foldstream.MetricFilter, want ...foldstream.Points) error {
	return Eventually(ctx, func() error {
		got, err := collect(h.Second.Metrics().Read(ctx, f))
		if err != nil {
			return err
		}
		return same(fmt.Sprintf("the points of %q", f.Recorder), got, want)
	})
}

func metricRead(ctx context.Context, h Harness) error {
	a1, b1, a2, other := pointsOf("a", 0, 3), pointsOf("b", 0, 1), pointsOf("a", 7, 2), pointsOf("a", 0, 1)
	a2.Run, other.Experiment = "2", "other"
	a2.Series[0].Value, a2.Series[1].Metric = math.NaN(), `a "strange", name`
	if err := publish(ctx, h.Store, a1, b1, other, a2); err != nil {
		return err
	}
	for f, want := range map[foldstream.MetricFilter][]foldstream.Points{
		{Experiment: "mine"}:                {a1, b1, a2},
		{Experiment: "mine", Recorder: "a"}: {a1, a2},
		{Experiment: "mine", Recorder: "c"}: nil,
		{Experiment: "other"}:               {other},
		{Experiment: "nowhere"}:             nil,
	} {
		if err := published(ctx, h, f, want...); err != nil {
			return err
		}
	}
	return nil
}

// metricFollow reads what was there before and what comes, and nothing of others.
func metricFollow(ctx context.Context, h Harness) error {
	following, stop := context.WithCancel(ctx)
	defer stop()
	if err := publish(ctx, h.Store, pointsOf("a", 0, 1)); err != nil {
		return err
	}
	points, ended := make(chan foldstream.Points, 16), make(chan error, 1)
	go func() {
		for p, err := range h.Second.Metrics().Read(following, foldstream.MetricFilter{Experiment: "mine", Recorder: "a", Follow: true}) {
			if err != nil {
				ended <- err
				return
			}
			points <- p
		}
		ended <- nil
	}()
	next := 0
	come := func(upTo int) error {
		return receive(ctx, points, func(p foldstream.Points) bool {
			if p.Recorder != "a" || p.First != next {
				return false // what is missing or doubled never comes to its end
			}
			next = p.First + len(p.Series)
			return next == upTo
		}, fmt.Sprintf("the points up to %d", upTo))
	}
	if err := come(1); err != nil {
		return err
	}
	if err := publish(ctx, h.Store, pointsOf("b", 0, 1), pointsOf("a", 1, 2), pointsOf("a", 3, 1)); err != nil {
		return err
	}
	if err := come(4); err != nil {
		return err
	}
	stop()
	return receive(ctx, ended, func(err error) bool { return err == nil }, "an end without an error when the context ends")
}

func metricDelete(ctx context.Context, h Harness) error {
	a, b, other := pointsOf("a", 0, 2), pointsOf("b", 0, 2), pointsOf("a", 0, 1)
	other.Experiment = "other"
	if err := publish(ctx, h.Store, a, b, other); err != nil {
		return err
	}
	mine, others := foldstream.MetricFilter{Experiment: "mine"}, foldstream.MetricFilter{Experiment: "other"}
	if err := h.Second.Metrics().Delete(ctx, "mine", "a"); err != nil {
		return err
	}
	if err := published(ctx, h, mine, b); err != nil {
		return err
	}
	for range 2 {
		if err := h.Second.Metrics().Delete(ctx, "mine", ""); err != nil {
			return err
		}
	}
	if err := published(ctx, h, mine); err != nil {
		return err
	}
	if err := published(ctx, h, others, other); err != nil {
		return err
	}
	if err := publish(ctx, h.Store, a); err != nil {
		return err
	}
	return published(ctx, h, mine, a)
}

func metricRefused(ctx context.Context, h Harness) error {
	good := pointsOf("a", 0, 1)
	for name, bad := range map[string]func(*foldstream.Points){
		"an experiment of no name":   func(p *foldstream.Points) { p.Experiment = "" },
		"an experiment with a dot":   func(p *foldstream.Points) { p.Experiment = "a.b" },
		"a recorder of no name":      func(p *foldstream.Points) { p.Recorder = "" },
		"a recorder with a wildcard": func(p *foldstream.Points) { p.Recorder = "*" },
		"points of no run":           func(p *foldstream.Points) { p.Run = "" },
		"an experiment of any name":  func(p *foldstream.Points) { p.Experiment = ">" },
	} {
		p := good
		bad(&p)
		if err := want(h.Store.Metrics().Publish(ctx, p), foldstream.Invalid, name); err != nil {
			return err
		}
	}
	good.Series[0].Metric = strings.Repeat("x", 2*h.MaxPayload)
	if err := want(h.Store.Metrics().Publish(ctx, good), foldstream.TooLarge, "points over the limit"); err != nil {
		return err
	}
	_, err := collect(h.Store.Metrics().Read(ctx, foldstream.MetricFilter{Experiment: "*"}))
	if err := want(err, foldstream.Invalid, "reading an experiment of a bad name"); err != nil {
		return err
	}
	return want(h.Store.Metrics().Delete(ctx, "mine", "*"), foldstream.Invalid, "deleting a recorder of a bad name")
}

// metricKept publishes more than is kept.
func metricKept(ctx context.Context, h Harness) error {
	const over = 5
	if err := publish(ctx, h.Store, pointsOf("b", 0, 1)); err != nil {
		return err
	}
	for i := range foldstream.PointsKept + over {
		if err := publish(ctx, h.Store, pointsOf("a", i, 1)); err != nil {
			return err
		}
	}
	return Eventually(ctx, func() error {
		got, err := collect(h.Second.Metrics().Read(ctx, foldstream.MetricFilter{Experiment: "mine"}))
		if err != nil {
			return err
		}
		if n := len(got); n != foldstream.PointsKept+1 || got[0].Recorder != "b" || got[1].First != over || got[n-1].First != foldstream.PointsKept+over-1 {
			return fmt.Errorf("%d are left of %d, the first of them %+v", n, foldstream.PointsKept+over+1, got[0])
		}
		return nil
	})
}
