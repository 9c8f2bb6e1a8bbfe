package work

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// putOff is the pause of a task whose guard or data cannot be reached just now.
const putOff = 5 * time.Second

// job is a lease with what is to be done before it is worked.
type job struct {
	foldstream.Lease
	take   takeFunc // takes the places that the task needs
	second bool     // it stands beside another's
}

// attempt works one leased task, once it has its places, and settles its lease.
func (p *process) attempt(fetching, working context.Context, lease job) {
	t := lease.Task()
	began := clock.Tick()
	var result foldstream.Result
	var held *permit
	var err error
	var left <-chan struct{}
	rec := newRecorder(p.Artifacts)
	defer func() {
		if err := rec.points.Close(); err != nil {
			p.log.Warn("the temporary file of an attempt's metrics stays", "task", t.ID, "err", err)
		}
	}()
	if held, err = lease.take(fetching, t); err == nil {
		result, left, err = p.watched(working, lease, t, rec, held)
	}
	result.Worker, result.Duration = p.Name, clock.Since(began)
	p.key(&result, t)
	err = p.settle(fetching, lease, t, result, rec.points, err)
	p.say(t, lease.second, err, result.Duration)
	if left == nil {
		held.release()
	}
	if p.Done != nil {
		p.Done(t, err)
	}
	if left != nil {
		p.log.Error("a worker does not stop; its slot and its places stay taken until it does", "task", t.ID, "attempt", t.Attempt, "worker", t.Worker)
		select {
		case <-left:
			held.release()
		case <-working.Done(): // the consumer leaves without it; the places expire
		}
	}
}

// key notes what a result depends on. What several stages made that depended on different things has no one key.
func (r *Runner) key(result *foldstream.Result, t foldstream.Task) {
	result.Code, result.Data, result.Environment = cmp.Or(r.Code, result.Code, r.Build), foldstream.DataDigest(t.Data), r.Environment
	if t.Part != nil && t.Part.Key() != result.Key() {
		result.Environment = ""
	}
}

// watched works the task while the lease and its places hold and no limit of time is over. What cancelled the work is its error, but
// for a result that was finished all the same and an error that is permanent. A worker that ignores the cancelling is left
// behind: left is then closed when it ends.
func (p *process) watched(working context.Context, lease foldstream.Lease, t foldstream.Task, rec *recorder, held *permit) (_ foldstream.Result, left <-chan struct{}, err error) {
	ctx, cancel := context.WithCancelCause(working)
	defer cancel(nil)
	if t.Deadline > 0 {
		var release context.CancelFunc
		ctx, release = context.WithTimeoutCause(ctx, t.Deadline, overdue(t.Deadline))
		defer release()
	}
	pulse := &pulse{lease: lease, progress: rec.progress, told: true}
	var watch sync.WaitGroup
	watch.Go(func() { cancel(pulse.hold(ctx)) })
	if as := p.pointsOf(t); as.Run != "" {
		watch.Go(func() {
			rec.points.Feed(ctx, p.Metrics, as, func(err error) { p.log.Debug("points were not published", "task", t.ID, "err", err) })
		})
	}
	if t.Silence > 0 {
		watch.Go(func() { cancel(rec.listen(ctx, t.Silence)) })
	}
	if held != nil {
		watch.Go(func() { cancel(held.guard(ctx)) })
	}
	w := p.start(ctx, t, rec)
	result, err := w.wait(ctx)
	cause := context.Cause(ctx)
	cancel(nil)
	watch.Wait()
	if cause != nil && (isLost(cause) || err != nil && !foldstream.IsPermanent(err) && !errors.Is(err, cause)) {
		err = cause
	}
	if !isLost(cause) {
		if gone := pulse.flush(working); gone != nil {
			err = gone
		}
	}
	if errors.Is(err, errBehind) {
		left = w.done
	}
	return rec.fill(result), left, err
}

// pointsOf returns where the points of an attempt are published; the zero Points where they are not.
func (p *process) pointsOf(t foldstream.Task) foldstream.Points {
	as := foldstream.Points{Experiment: cmp.Or(t.Experiment, p.PoolName), Recorder: string(t.ID), Run: t.Run}
	if p.Metrics == nil || foldstream.ValidName("experiment", as.Experiment) != nil {
		return foldstream.Points{}
	}
	return as
}

// perform is the work itself: guard, data, worker. A panic becomes an error with its stack.
func (p *process) perform(ctx context.Context, t foldstream.Task, rec *recorder) (result foldstream.Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = classed{"panic", foldstream.Errorf(foldstream.Internal, "", "worker %q panicked: %v\n%s", t.Worker, v, debug.Stack())}
		}
	}()
	if p.Guard != nil {
		if err := p.Guard(t); err != nil {
			return result, steer(err)
		}
	}
	worker, err := p.Workers.Lookup(t.Worker)
	if err != nil {
		return result, foldstream.Permanent(err)
	}
	if t, err = p.inputs.bring(ctx, t); err != nil {
		return result, err
	}
	if t, err = p.restore(ctx, t); err != nil {
		return result, err
	}
	rec.begin()
	return worker.Work(ctx, t, rec)
}

// steer says what an error of a step before the work does to the task: what may pass puts it off, all else fails it.
func steer(err error) error {
	if passing(err) {
		return foldstream.Snooze(putOff, err.Error())
	}
	return foldstream.Permanent(err)
}

// passing reports whether err is of a kind that goes away by itself.
func passing(err error) bool {
	switch foldstream.KindOf(err) {
	case foldstream.Unavailable, foldstream.Timeout, foldstream.Cancelled:
		return true
	}
	return false
}

// lost is the end of a lease that is another's now.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

func isLost(err error) bool {
	_, ok := errors.AsType[lost](err)
	return ok
}
