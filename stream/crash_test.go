package stream_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// window is an operation of more than one step, with the steps after which its process may die.
type window struct {
	name    string
	prepare func(t *testing.T, w world)
	act     func(t *testing.T, w world, s *stream.Store) error
	steps   []string
	// alone are those of the steps after which the operation is completed without anybody who repeats it: by the reconciler, or by the
	// ticket that comes back. The others leave the task as it was before, or for a replacement without its successor.
	alone []string
	// either says that until then two tickets are there, of which any may be worked: with the priority that its band has.
	either bool
	// worker is an operation of a lease: nobody can repeat it.
	worker bool
}

// world is where a window is looked at: the pool, and the store of an operator who lives.
type world struct {
	ctx  context.Context
	url  string
	s    *stream.Store
	pool string
}

const crashLease = 300 * time.Millisecond

var errUse = errors.New("no use")

// two makes the tasks 1 and 2 of a pool, the first with stages.
func two(t *testing.T, w world) {
	t.Helper()
	first := streamtest.Task(1)
	first.Stages = []string{"fit", "score"}
	w.must(t, w.create(w.s, first, streamtest.Task(2)))
}

// twoFailed is two whose first task failed at its second stage.
func twoFailed(t *testing.T, w world) {
	t.Helper()
	two(t, w)
	w.must(t, w.fetch(t, w.s, "fit").Commit(w.ctx, by("before")))
	w.must(t, w.fetch(t, w.s, "score").Fail(w.ctx, errUse))
}

// twoRunning is two whose first task runs at its second stage.
func twoRunning(t *testing.T, w world) {
	t.Helper()
	two(t, w)
	w.must(t, w.fetch(t, w.s, "fit").Commit(w.ctx, by("before")))
	l := w.fetch(t, w.s, "score")
	w.must(t, l.Extend(w.ctx, foldstream.Progress{}))
}

func twoRemoved(t *testing.T, w world) {
	t.Helper()
	twoFailed(t, w)
	w.did(t)(w.s.Remove(w.ctx, w.pool, "cleared", first))
}

// taken is two whose first task the victim has, at a stage.
func taken(stage string) func(t *testing.T, w world, s *stream.Store) foldstream.Lease {
	return func(t *testing.T, w world, s *stream.Store) foldstream.Lease {
		t.Helper()
		if stage == "score" {
			w.must(t, w.fetch(t, w.s, "fit").Commit(w.ctx, by("before")))
		}
		l := w.fetch(t, s, stage)
		w.must(t, l.Extend(w.ctx, foldstream.Progress{}))
		return l
	}
}

// besides is taken by one who lives, with a second lease of the victim beside it.
func besides(stage string) func(t *testing.T, w world, s *stream.Store) foldstream.Lease {
	return func(t *testing.T, w world, s *stream.Store) foldstream.Lease {
		t.Helper()
		taken(stage)(t, w, w.s)
		l, err := s.Second(w.ctx, w.pool, first, foldstream.Filter{})
		w.must(t, err)
		return l
	}
}

var first = streamtest.Task(1).ID

var windows = []window{
	{name: "create", prepare: func(*testing.T, world) {},
		act: func(_ *testing.T, w world, s *stream.Store) error {
			return w.create(s, streamtest.Task(1), streamtest.Task(2))
		},
		steps: []string{"create: defined"}},
	{name: "copy", prepare: func(t *testing.T, w world) {
		t.Helper()
		_, err := w.s.Pool(w.pool+"-source").Create(w.ctx, streamtest.Task(1), streamtest.Task(2))
		w.must(t, err)
	},
		act: func(_ *testing.T, w world, s *stream.Store) (last error) {
			all := func(foldstream.TaskID) bool { return true }
			for _, err := range s.Copy(w.ctx, w.pool+"-source", w.pool, "", all) {
				last = err
			}
			return last
		},
		steps: []string{"create: defined"}},
	{name: "create again", prepare: twoRemoved,
		act: func(_ *testing.T, w world, s *stream.Store) error {
			t := streamtest.Task(1)
			t.Tags = map[string]string{"life": "second"}
			return w.create(s, t)
		},
		steps: []string{"create: defined", "create: ended", "create: cleared"}, alone: []string{"create: ended", "create: cleared"}},
	{name: "replace", prepare: twoFailed,
		act: func(_ *testing.T, w world, s *stream.Store) error {
			_, err := s.Replace(w.ctx, w.pool, "better", first, streamtest.Task(3))
			return err
		},
		steps: []string{"replace: ended", "replace: cleared", "replace: swept", "create: defined"}, alone: []string{"create: defined"}},
	{name: "replace what runs", prepare: twoRunning,
		act: func(_ *testing.T, w world, s *stream.Store) error {
			_, err := s.Replace(w.ctx, w.pool, "better", first, streamtest.Task(3))
			return err
		},
		steps: []string{"replace: ended", "replace: cleared", "replace: swept", "create: defined"}, alone: []string{"create: defined"}},
	{name: "adopt", prepare: func(t *testing.T, w world) { t.Helper(); w.elsewhere(t, 1, 2) }, act: adopt(1, 2), steps: []string{"adopt: defined"}},
	{name: "adopt what waits", prepare: func(t *testing.T, w world) { t.Helper(); w.elsewhere(t, 2); two(t, w) }, act: adopt(2),
		steps: []string{"adopt: ended", "adopt: cleared"}, alone: []string{"adopt: ended", "adopt: cleared"}},
	{name: "adopt what was removed", prepare: func(t *testing.T, w world) { t.Helper(); w.elsewhere(t, 1); twoRemoved(t, w) }, act: adopt(1),
		steps: []string{"create: defined", "create: ended", "create: cleared", "adopt: ended", "adopt: cleared"}, alone: []string{"adopt: ended", "adopt: cleared"}},
	{name: "cancel", prepare: twoRunning,
		act: func(_ *testing.T, w world, s *stream.Store) error {
			_, err := s.Cancel(w.ctx, w.pool, "enough", first)
			return err
		},
		steps: []string{"cancel: ended", "cancel: cleared"}, alone: []string{"cancel: ended", "cancel: cleared"}},
	{name: "remove", prepare: twoFailed,
		act: func(_ *testing.T, w world, s *stream.Store) error {
			_, err := s.Remove(w.ctx, w.pool, "cleared", first)
			return err
		},
		steps: []string{"remove: ended", "remove: cleared", "remove: swept"}, alone: []string{"remove: ended", "remove: cleared", "remove: swept"}},
	{name: "retry", prepare: twoFailed,
		act: func(_ *testing.T, w world, s *stream.Store) error {
			_, err := s.Retry(w.ctx, w.pool, "mended", first)
			return err
		},
		steps: []string{"retry: ended", "retry: cleared"}, alone: []string{"retry: ended", "retry: cleared"}},
	{name: "reset", prepare: twoRunning,
		act: func(_ *testing.T, w world, s *stream.Store) error {
			_, err := s.Reset(w.ctx, w.pool, true, first)
			return err
		},
		steps: []string{"reset: ended", "reset: cleared"}, alone: []string{"reset: ended", "reset: cleared"}},
	{name: "prioritize", prepare: two,
		act: func(_ *testing.T, w world, s *stream.Store) error {
			nine := 9
			_, err := s.Prioritize(w.ctx, w.pool, &nine, streamtest.Task(2).ID)
			return err
		},
		steps: []string{"prioritize: given"}, alone: []string{"prioritize: given"}, either: true},
	{name: "commit of a stage", prepare: two, worker: true,
		act: func(t *testing.T, w world, s *stream.Store) error {
			return taken("fit")(t, w, s).Commit(w.ctx, by("victim"))
		},
		steps: []string{"commit: stored", "commit: given"}},
	{name: "commit", prepare: two, worker: true,
		act: func(t *testing.T, w world, s *stream.Store) error {
			return taken("score")(t, w, s).Commit(w.ctx, by("victim"))
		},
		steps: []string{"commit: stored"}},
	{name: "commit of a stage by a second copy", prepare: two, worker: true,
		act: func(t *testing.T, w world, s *stream.Store) error {
			return besides("fit")(t, w, s).Commit(w.ctx, by("victim"))
		},
		steps: []string{"commit: stored", "commit: given"}},
	{name: "commit by a second copy", prepare: two, worker: true,
		act: func(t *testing.T, w world, s *stream.Store) error {
			return besides("score")(t, w, s).Commit(w.ctx, by("victim"))
		},
		steps: []string{"commit: stored"}},
	{name: "return", prepare: two, worker: true,
		act: func(t *testing.T, w world, s *stream.Store) error {
			return taken("score")(t, w, s).Return(w.ctx, errUse, crashLease)
		},
		steps: []string{"return: stored"}},
	{name: "return by schedule", prepare: two, worker: true,
		act: func(t *testing.T, w world, s *stream.Store) error {
			s.SetLongDelay(crashLease)
			return taken("score")(t, w, s).Return(w.ctx, errUse, 3*crashLease)
		},
		steps: []string{"return: stored", "return: scheduled"}},
	{name: "fail", prepare: two, worker: true,
		act: func(t *testing.T, w world, s *stream.Store) error {
			return taken("score")(t, w, s).Fail(w.ctx, errUse)
		},
		steps: []string{"fail: stored", "fail: buried"}},
	{name: "one crash too many", prepare: twoRunning, worker: true,
		act: func(t *testing.T, w world, s *stream.Store) error { // the victim fails a task at its first crash, as it was told to
			stream.AbandonAll(w.s)
			_, err := s.Pool(w.pool).Fetch(w.ctx, foldstream.Filter{Stage: "score", Wait: 4 * crashLease})
			if foldstream.Is(err, foldstream.NotFound) {
				return nil
			}
			return err
		},
		steps: []string{"crash: ended", "fail: buried"}},
}

// elsewhere works tasks in another pool.
func (w world) elsewhere(t *testing.T, tasks ...int) {
	t.Helper()
	p := w.s.Pool(w.pool + "-x")
	for _, i := range tasks {
		_, err := p.Create(w.ctx, streamtest.Task(i))
		w.must(t, err)
		l, err := p.Fetch(w.ctx, foldstream.Filter{Wait: soon.Wait})
		w.must(t, err)
		w.must(t, l.Commit(w.ctx, by("elsewhere")))
	}
}

// adopt takes the results of tasks over that another pool has.
func adopt(tasks ...int) func(*testing.T, world, *stream.Store) error {
	return func(t *testing.T, w world, s *stream.Store) error {
		t.Helper()
		var all []foldstream.Adoption
		for _, i := range tasks {
			for e, err := range w.s.Results(w.ctx, streamtest.Task(i).ID) {
				w.must(t, err)
				if e.Pool == w.pool+"-x" {
					all = append(all, foldstream.Adoption{Task: streamtest.Task(i), From: foldstream.Origin{Pool: e.Pool, Seq: e.Seq}})
				}
			}
		}
		_, err := s.Adopt(w.ctx, w.pool, all...)
		return err
	}
}

// TestCrash_EveryWindow kills the acting process after each step of each operation, with a real server under it. Somebody else repeats
// the operation, or nobody does; the pool then comes to what it comes to undisturbed, and nothing was lost or doubled. A step that no
// window lists is a fault of the test.
func TestCrash_EveryWindow(t *testing.T) {
	url := streamtest.Server(t).URL()
	for _, c := range windows {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			calm := newWorld(t, url, poolName(c.name))
			c.prepare(t, calm)
			undisturbed := openVictim(t, url)
			steps := undisturbed.Steps()
			calm.must(t, c.act(t, calm, undisturbed))
			if diff := cmp.Diff(slices.Sorted(slices.Values(c.steps)), steps()); diff != "" {
				t.Errorf("the steps of the operation (- listed, + taken):\n%s", diff)
			}
			stands := calm.look(t)
			ends := calm.workOff(t)
			for _, step := range c.steps {
				for how, there := range map[string]bool{"repeated": !c.worker, "left alone": c.worker || slices.Contains(c.alone, step)} {
					if there {
						t.Run(step+", "+how, func(t *testing.T) {
							t.Parallel()
							c.strike(t, newWorld(t, url, poolName(c.name+step+how)), step, how == "repeated", stands, ends)
						})
					}
				}
			}
		})
	}
}

// poolName makes a name of words.
func poolName(words string) string { return strings.NewReplacer(" ", "-", ":", "").Replace(words) }

// strike has the victim die after a step, and wants the pool to stand, and to end, as it does undisturbed.
func (c window) strike(t *testing.T, w world, step string, repeat bool, stands, ends standing) {
	c.prepare(t, w)
	victim := openVictim(t, w.url)
	died := victim.DieAt(step)
	if err := c.act(t, w, victim); !died.Load() {
		t.Fatalf("the victim lived on: %v", err)
	}
	if repeat {
		w.must(t, c.act(t, w, w.s))
	}
	if !c.worker {
		w.comes(t, "after the repair", func() string { return cmp.Diff(stands, w.look(t)) }, !repeat)
	}
	if c.either && repeat {
		w.oneTicketEach(t)
	}
	plain := cmpopts.AcyclicTransformer("anyPriority", func(text string) string {
		if c.either && !repeat {
			text = priorities.ReplaceAllString(text, "")
		}
		return text
	})
	if diff := cmp.Diff(ends, w.workOff(t), plain); diff != "" {
		t.Errorf("in the end (- undisturbed, + struck):\n%s", diff)
	}
}

// oneTicketEach wants no more tickets than there are open tasks.
func (w world) oneTicketEach(t *testing.T) {
	t.Helper()
	c, err := w.s.Verify(w.ctx, w.pool)
	w.must(t, err)
	if c.Tickets != c.Counts.Open() {
		t.Errorf("%d tasks are open, with %d tickets", c.Counts.Open(), c.Tickets)
	}
}

var priorities = regexp.MustCompile(" priority (none|[0-9]+)")

// openVictim opens a store on a connection of its own, as another process does. It fails a task at its first crash.
func openVictim(t *testing.T, url string) *stream.Store {
	t.Helper()
	s, err := stream.Open(t.Context(), connect(t, url), stream.Config{Lease: crashLease, Worker: "victim", Crashes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // it may be dead
	return s
}

func newWorld(t *testing.T, url, pool string) world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return world{ctx: ctx, url: url, s: open(t, url, stream.Config{Lease: crashLease, Worker: "heir"}), pool: pool}
}

func (w world) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w world) did(t *testing.T) func(n int, err error) {
	return func(n int, err error) {
		t.Helper()
		if err != nil || n != 1 {
			t.Fatalf("changed %d tasks: %v", n, err)
		}
	}
}

func (w world) create(s *stream.Store, tasks ...foldstream.Task) error {
	_, err := s.Pool(w.pool).Create(w.ctx, tasks...)
	return err
}

func (w world) fetch(t *testing.T, s *stream.Store, stage string) foldstream.Lease {
	t.Helper()
	l, err := s.Pool(w.pool).Fetch(w.ctx, foldstream.Filter{Stage: stage, Wait: soon.Wait})
	w.must(t, err)
	return l
}

func by(who string) foldstream.Result {
	return foldstream.Result{Params: map[string]string{"by": who}}
}

// standing is what can be seen of a pool: a line a task, and the dead letters.
type standing struct {
	Tasks   []string
	Letters []foldstream.TaskID
}

func (w world) look(t *testing.T) standing {
	t.Helper()
	var s standing
	for state, err := range w.s.Tasks(w.ctx, w.pool) {
		w.must(t, err)
		priority := "none"
		if state.Priority != nil {
			priority = fmt.Sprint(*state.Priority)
		}
		s.Tasks = append(s.Tasks, fmt.Sprintf("%s %s stage %q attempt %d priority %s replaces %q tags %v error %q", state.ID, state.Status,
			state.Stage, state.Attempt, priority, state.Replaces, state.Tags, state.Error))
	}
	slices.Sort(s.Tasks)
	for l, err := range w.s.Letters(w.ctx, w.pool) {
		w.must(t, err)
		s.Letters = append(s.Letters, l.Task.ID)
	}
	return s
}

// comes waits until nothing differs and nothing is lost, mending the pool if asked to.
func (w world) comes(t *testing.T, when string, differs func() string, mend bool) {
	t.Helper()
	err := streamtest.Eventually(w.ctx, func() error {
		if mend {
			if _, err := w.s.Reconcile(w.ctx, w.pool); err != nil {
				return err
			}
		}
		if diff := differs(); diff != "" {
			return fmt.Errorf("%s (- undisturbed, + struck):\n%s", when, diff)
		}
		c, err := w.s.Verify(w.ctx, w.pool)
		if err == nil && len(c.Faults) > 0 {
			err = fmt.Errorf("%s: %q", when, c.Faults)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// workOff works all that is left, and returns what the tasks came to, with a line for each result.
func (w world) workOff(t *testing.T) standing {
	t.Helper()
	var worked []string
	for {
		l, err := w.s.Pool(w.pool).Fetch(w.ctx, foldstream.Filter{Wait: crashLease / 10})
		if foldstream.Is(err, foldstream.NotFound) {
			c, err := w.s.Verify(w.ctx, w.pool)
			w.must(t, err)
			if c.Counts.Open() == 0 && c.Tickets == 0 {
				break
			}
			continue
		}
		w.must(t, err)
		task, part := l.Task(), "none"
		if task.Part != nil {
			part = task.Part.Params["by"]
		}
		err = l.Commit(w.ctx, by("heir"))
		if foldstream.Is(err, foldstream.Conflict) {
			continue // a spare ticket, which drops itself
		}
		w.must(t, err)
		worked = append(worked, fmt.Sprintf("worked %s stage %q attempt %d part by %s", task.ID, task.Stage, task.Attempt, part))
	}
	if err := streamtest.Conserved(w.ctx, w.s, w.pool); err != nil {
		t.Error(err)
	}
	s := w.look(t)
	slices.Sort(worked)
	s.Tasks = append(s.Tasks, worked...)
	for e, err := range w.s.Events(w.ctx, foldstream.EventFilter{Pool: w.pool}, 0) {
		w.must(t, err)
		if e.Kind == foldstream.EventResult {
			s.Tasks = append(s.Tasks, fmt.Sprintf("result of %s by %s", e.Task, e.Result.Params["by"]))
		}
	}
	slices.Sort(s.Tasks)
	return s
}
