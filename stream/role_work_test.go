package stream_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// stages are those of the tasks that have any.
var stages = []string{"fit", "last"}

// seen is the pool, the experiment and the schedule of which everybody may read.
const seen = "seen"

// setScene makes something to look at of every kind.
func setScene(t *testing.T, s *stream.Store) {
	t.Helper()
	ctx := t.Context()
	later := streamtest.Task(2)
	later.NotBefore = time.Now().Add(time.Hour)
	_, err := s.Pool(seen).Create(ctx, streamtest.Task(0), streamtest.Task(1), later, streamtest.Task(3))
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	must(err)
	l, err := s.Pool(seen).Fetch(ctx, foldstream.Filter{Wait: 10 * time.Second})
	must(err)
	must(l.Commit(ctx, foldstream.Result{}))
	l, err = s.Pool(seen).Fetch(ctx, foldstream.Filter{Wait: 10 * time.Second})
	must(err)
	must(l.Fail(ctx, errors.New("no")))
	_, _, err = s.Artifacts().Put(ctx, strings.NewReader(seen))
	must(err)
	for _, bucket := range []string{foldstream.Collections, foldstream.Experiments, foldstream.Locks} {
		_, err = s.Values(bucket).Put(ctx, foldstream.Value{Key: seen})
		must(err)
	}
	must(s.Schedule(ctx, foldstream.Schedule{Name: seen, When: "@every 1h", Kind: "k"}, false))
	must(s.Metrics().Publish(ctx, pointsOf(seen)))
}

func pointsOf(recorder string) foldstream.Points {
	return foldstream.Points{Experiment: seen, Recorder: recorder, Run: "r", Series: foldstream.Series{}}
}

// view is what everybody may: look at everything.
func (r rehearsal) view(ctx context.Context) error {
	for f := range r.Examine(ctx) {
		if f.Level == stream.Critical {
			return fmt.Errorf("%s: %s", f.About, f.Text)
		}
	}
	_, stat := r.Stat(ctx)
	_, verify := r.Verify(ctx, seen)
	_, page := drained(r.Page(ctx, seen, foldstream.TaskQuery{}))
	_, foreign := drained(r.Foreign(ctx, true))
	_, defs := drained(r.Definitions(ctx, seen))
	_, events := drained(r.Events(ctx, foldstream.EventFilter{Pool: seen}, 0))
	_, letters := drained(r.Letters(ctx, seen))
	_, workers := drained(r.Workers(ctx))
	_, metrics := drained(r.Metrics().Read(ctx, foldstream.MetricFilter{Experiment: seen}))
	_, collections := drained(r.Values(foldstream.Collections).List(ctx, ""))
	_, experiments := drained(r.Values(foldstream.Experiments).List(ctx, ""))
	n, schedules := drained(r.Schedules(ctx))
	if schedules == nil && n != 1 {
		schedules = fmt.Errorf("%d schedules", n)
	}
	return errors.Join(stat, verify, page, foreign, defs, events, letters, workers, metrics, collections, experiments, schedules, r.read(ctx))
}

// read reads an artifact.
func (r rehearsal) read(ctx context.Context) error {
	d, _, err := r.admin.Artifacts().Put(ctx, strings.NewReader(seen))
	if err != nil {
		return err
	}
	f, err := r.Artifacts().Open(ctx, d)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, f)
	return errors.Join(err, f.Close())
}

func drained[T any](all iter.Seq2[T, error]) (n int, err error) {
	for _, err := range all {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// put puts an artifact, and once more, which takes its own pieces away.
func (r rehearsal) put(ctx context.Context) error {
	_, _, err := r.Artifacts().Put(ctx, strings.NewReader(r.pool))
	_, _, again := r.Artifacts().Put(ctx, strings.NewReader(r.pool))
	return errors.Join(err, again)
}

// lock takes a lock that nobody has.
func (r rehearsal) lock(ctx context.Context) error {
	_, err := r.Values(foldstream.Locks).Get(ctx, "of."+r.pool)
	if foldstream.Is(err, foldstream.NotFound) {
		_, err = r.Values(foldstream.Locks).Put(ctx, foldstream.Value{Key: "of." + r.pool})
	}
	return err
}

// produce makes an experiment and its tasks, says which code they require, and executes what schedules order.
func (r rehearsal) produce(ctx context.Context) error {
	if err := r.put(ctx); err != nil {
		return err
	}
	_, err := r.Values(foldstream.Experiments).Put(ctx, foldstream.Value{Key: r.pool})
	if err == nil {
		_, err = r.Pool(r.pool).Create(ctx, streamtest.Tasks(10, 2)...)
	}
	if err == nil {
		_, err = r.Change(ctx, r.pool, func(*foldstream.PoolSettings) {})
	}
	if err == nil {
		err = r.admin.OrderNow(ctx, seen)
	}
	if err != nil {
		return err
	}
	o, err := r.NextOrder(ctx, 10*time.Second)
	if err != nil {
		return err
	}
	return o.Done(ctx, foldstream.Outcome{})
}

// consume works tasks of every band and stage in every way: they are done, also by a second copy, part done, failed, returned for now and for long. It caps
// how many run, keeps prepared data, and sets aside what is no ticket.
func (r rehearsal) consume(ctx context.Context) error {
	if err := r.prepareWork(ctx); err != nil {
		return err
	}
	for ended := 0; ended < 2*(foldstream.MaxBand+1); {
		l, err := r.Pool(r.pool).Fetch(ctx, foldstream.Filter{Wait: 20 * time.Second})
		if err != nil {
			return err
		}
		t := l.Task()
		switch {
		case t.Attempt > 1 || t.Tags["n"] != "0" && t.Tags["n"] != "1":
			if t.Tags["n"] == "2" {
				l, err = r.beside(ctx, t.ID)
			}
			if err == nil {
				err = l.Commit(ctx, foldstream.Result{})
			}
			if t.Stage != stages[0] {
				ended++
			}
		case t.Tags["n"] == "0":
			err = l.Return(ctx, errors.New("later"), time.Hour)
			ended++
		case t.Stage == stages[0]:
			err = l.Commit(ctx, foldstream.Result{})
		default:
			err = l.Fail(ctx, errors.New("no"))
			ended++
		}
		if err != nil {
			return err
		}
	}
	if err := r.settled(ctx); err != nil {
		return err
	}
	lock := r.lock(ctx)
	_, places := drained(r.Values(foldstream.Locks).List(ctx, ""))
	_, prepared := r.Values(foldstream.Experiments).Put(ctx, foldstream.Value{Key: "=cache." + r.pool})
	return errors.Join(r.put(ctx), lock, places, prepared, r.Metrics().Publish(ctx, pointsOf(r.pool)))
}

// beside leases a running task a second time. Its claim is visible a moment after its lease.
func (r rehearsal) beside(ctx context.Context, id foldstream.TaskID) (l foldstream.Lease, err error) {
	err = streamtest.Eventually(ctx, func() error {
		l, err = r.Second(ctx, r.pool, id, foldstream.Filter{})
		return err
	})
	return l, err
}

// prepareWork has tasks of each band, without stages and with two, and something that is none.
func (r rehearsal) prepareWork(ctx context.Context) error {
	var tasks []foldstream.Task
	for band := range foldstream.MaxBand + 1 {
		for i, of := range [][]string{nil, stages} {
			t := streamtest.Task(2*band + i)
			t.Stages = of
			if band > 0 {
				priority := band - 10
				t.Priority = &priority
			}
			tasks = append(tasks, t)
		}
	}
	_, err := r.admin.Pool(r.pool).Create(ctx, tasks...)
	return cmp.Or(err, r.plant(ctx, "fold.work."+r.pool+"._.0."+string(streamtest.Task(99).ID)))
}

// plant publishes what is not ours.
func (r rehearsal) plant(ctx context.Context, subject string) error {
	return r.admin.Plant(ctx, &nats.Msg{Subject: subject, Data: []byte("what is this")})
}

// settled fetches until no ticket is left of the pool but that of the task that was put off.
func (r rehearsal) settled(ctx context.Context) error {
	return streamtest.Eventually(ctx, func() error {
		if _, err := r.Pool(r.pool).Fetch(ctx, foldstream.Filter{}); !foldstream.Is(err, foldstream.NotFound) {
			return fmt.Errorf("one more task: %w", err)
		}
		c, err := r.admin.Verify(ctx, r.pool)
		if err == nil && c.Tickets != 1 {
			err = fmt.Errorf("%d tickets", c.Tickets)
		}
		return err
	})
}

// aggregate folds, answers from an index, gives lost tickets back, makes lanes that are gone, and sets aside what stands in the place of
// tickets and definitions.
func (r rehearsal) aggregate(ctx context.Context) error {
	if _, err := r.admin.Pool(r.pool).Create(ctx, streamtest.Task(0)); err != nil {
		return err
	}
	if err := r.answer(ctx); err != nil {
		return err
	}
	_, collection := r.Values(foldstream.Collections).Put(ctx, foldstream.Value{Key: r.pool})
	lock := r.lock(ctx)
	lost := r.DeleteTicket(ctx, r.pool, streamtest.Task(0).ID) // as it deletes what a killed server brought back
	strangers := []string{"work." + r.pool + ".later.0." + string(streamtest.Task(0).ID), "def." + r.pool + "." + noTask, "def." + r.pool + ".nobody"}
	for _, subject := range strangers {
		lost = errors.Join(lost, r.plant(ctx, "fold."+subject))
	}
	if err := errors.Join(r.put(ctx), collection, lock, lost); err != nil {
		return err
	}
	mended := 0
	return streamtest.Eventually(ctx, func() error {
		n, err := r.Reconcile(ctx, r.pool)
		mended += n
		aside, reading := r.asideOf(ctx)
		if err = errors.Join(err, reading); err == nil && (mended != 1 || aside != len(strangers)) {
			err = fmt.Errorf("%d tickets are back, %d strangers set aside", mended, aside)
		}
		return err
	})
}

// asideOf counts what was set aside of the pool.
func (r rehearsal) asideOf(ctx context.Context) (n int, err error) {
	for f, err := range r.admin.Foreign(ctx, false) {
		if err != nil {
			return n, err
		}
		if f.Aside && strings.Contains(f.Subject, "."+r.pool+".") {
			n++
		}
	}
	return n, nil
}

// answer keeps an index until it has answered.
func (r rehearsal) answer(ctx context.Context) error {
	serving, cancel := context.WithCancel(ctx)
	var index sync.WaitGroup
	index.Go(func() { _ = r.ServeIndex(serving) }) // it ends with its context
	err := streamtest.Eventually(ctx, func() error {
		if counts, ok := r.admin.AskStat(ctx, r.pool); !ok || counts[r.pool][foldstream.Waiting] != 1 {
			return fmt.Errorf("the index answers %v", counts)
		}
		return nil
	})
	_, page := drained(r.Page(ctx, seen, foldstream.TaskQuery{}))
	cancel()
	index.Wait()
	return errors.Join(err, page)
}
