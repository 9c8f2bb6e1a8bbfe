package streamtest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/foldstream/foldstream"
)

var secondChecks = []Check{
	{"second/commits first", secondFirst},
	{"second/comes too late", secondLate},
	{"second/both commit at once", secondRace},
	{"second/gives up and writes nothing", secondGivesUp},
	{"second/ends with the first", secondEnds},
	{"second/ends when the first is lost", secondTakenOver},
	{"second/of a stage", secondStages},
	{"second/of what may be fetched", secondFilter},
	{"second/is told", secondTold},
}

// beside leases a task beside the worker that has it, in the other process. A claim is visible a moment after the lease.
func beside(ctx context.Context, h Harness, id foldstream.TaskID) (l foldstream.Lease, err error) {
	err = Eventually(ctx, func() error {
		l, err = h.Second.(Administered).Second(ctx, pool, id, foldstream.Filter{})
		return err
	})
	return l, err
}

// twice starts a task and leases it a second time.
func twice(ctx context.Context, h Harness, t foldstream.Task) (first, second foldstream.Lease, err error) {
	if first, err = startOne(ctx, h.Store, t); err != nil {
		return nil, nil, err
	}
	second, err = beside(ctx, h, t.ID)
	return first, second, err
}

// secondFirst has the second copy commit: the result is its own, and the first worker is refused and leaves nothing behind.
func secondFirst(ctx context.Context, h Harness) error {
	first, second, err := twice(ctx, h, withPriority(Task(1), 3))
	if err != nil {
		return err
	}
	one, two := first.Task(), second.Task()
	if one.Run == two.Run || two.Run == "" {
		return fmt.Errorf("of two runs at once one is called %q, the other %q", one.Run, two.Run)
	}
	run := two.Run
	one.Run, two.Run = "", ""
	if err := same("the task of the second lease", two, one); err != nil {
		return err
	}
	if err := errors.Join(second.Extend(ctx, foldstream.Progress{Percent: 50}), second.Commit(ctx, by("second"))); err != nil {
		return err
	}
	if err := errors.Join(refused(ctx, first), refused(ctx, second), resultBy(ctx, h.Store, Task(1).ID, "second")); err != nil {
		return err
	}
	if err := lived(ctx, h, run, foldstream.EventClaim, foldstream.EventResult); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, 3*h.Lease); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

// lived fails when the events of Task(1) are not of these kinds, or the last is not of this run.
func lived(ctx context.Context, h Harness, run string, kinds ...foldstream.EventKind) error {
	events, err := history(ctx, h.Store, Task(1).ID)
	if err != nil {
		return err
	}
	var got []foldstream.EventKind
	last := ""
	for _, e := range events {
		got, last = append(got, e.Kind), e.Run
	}
	if run != last {
		return fmt.Errorf("the last event is of run %q, want %q", last, run)
	}
	return same("the events", got, kinds)
}

func secondLate(ctx context.Context, h Harness) error {
	first, second, err := twice(ctx, h, Task(1))
	if err != nil {
		return err
	}
	if err := first.Commit(ctx, by("first")); err != nil {
		return err
	}
	if err := errors.Join(refused(ctx, second), refused(ctx, first)); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Second, Task(1).ID, "first"); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

// secondRace has both copies of many tasks commit at the same time.
func secondRace(ctx context.Context, h Harness) error {
	const n = 8
	var all [][2]foldstream.Lease
	for i := range n {
		first, second, err := twice(ctx, h, Task(i+1))
		if err != nil {
			return err
		}
		all = append(all, [2]foldstream.Lease{first, second})
	}
	faults := make([]error, n)
	var racing sync.WaitGroup
	for i, both := range all {
		racing.Go(func() {
			var ends [2]error
			var pair sync.WaitGroup
			for n := range both {
				k := (n + i) % 2 // who begins, too, is now the one and now the other
				pair.Go(func() { ends[k] = both[k].Commit(ctx, by(fmt.Sprint(k))) })
			}
			pair.Wait()
			winner := 0
			if ends[0] != nil {
				winner = 1
			}
			if ends[winner] != nil || !foldstream.Is(ends[1-winner], foldstream.Conflict) {
				faults[i] = fmt.Errorf("of two commits at once one must win and one be a conflict: %w; %w", off(ends[0], "won"), off(ends[1], "won"))
				return
			}
			faults[i] = resultBy(ctx, h.Store, Task(i+1).ID, fmt.Sprint(winner))
		})
	}
	racing.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, 3*h.Lease); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: n})
}

// secondGivesUp has second copies fail and go back: the first worker does not notice.
func secondGivesUp(ctx context.Context, h Harness) error {
	first, failing, err := twice(ctx, h, Task(1))
	if err != nil {
		return err
	}
	returning, err := beside(ctx, h, Task(1).ID)
	if err != nil {
		return err
	}
	if err := want(failing.Fail(ctx, nil), foldstream.Invalid, "fail without a reason"); err != nil {
		return err
	}
	if err := errors.Join(failing.Fail(ctx, errors.New("bad machine")), returning.Return(ctx, errors.New("later"), 0)); err != nil {
		return err
	}
	if err := errors.Join(refused(ctx, failing), refused(ctx, returning), nothing(ctx, h.Second, 3*h.Lease)); err != nil {
		return err
	}
	if err := lived(ctx, h, first.Task().Run, foldstream.EventClaim); err != nil {
		return err
	}
	if err := errors.Join(first.Extend(ctx, foldstream.Progress{}), first.Commit(ctx, by("first"))); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

// secondEnds ends the first lease in every way but a commit.
func secondEnds(ctx context.Context, h Harness) error {
	a := h.Store.(Administered)
	ends := []struct {
		what string
		do   func(l foldstream.Lease, id foldstream.TaskID) error
	}{
		{"return", func(l foldstream.Lease, _ foldstream.TaskID) error { return l.Return(ctx, errors.New("later"), 0) }},
		{"fail", func(l foldstream.Lease, _ foldstream.TaskID) error { return l.Fail(ctx, errors.New("never")) }},
		{"cancel", func(_ foldstream.Lease, id foldstream.TaskID) error {
			return did("cancel", 1)(a.Cancel(ctx, pool, "", id))
		}},
		{"remove", func(_ foldstream.Lease, id foldstream.TaskID) error {
			return did("remove", 1)(a.Remove(ctx, pool, "", id))
		}},
		{"reset", func(_ foldstream.Lease, id foldstream.TaskID) error {
			return did("reset", 1)(a.Reset(ctx, pool, true, id))
		}},
	}
	for i, end := range ends {
		id := Task(i + 1).ID
		first, second, err := twice(ctx, h, Task(i+1))
		if err != nil {
			return err
		}
		if err := end.do(first, id); err != nil {
			return fmt.Errorf("%s: %w", end.what, err)
		}
		if err := refused(ctx, second); err != nil {
			return fmt.Errorf("after %s: %w", end.what, err)
		}
		if end.what != "return" && end.what != "reset" {
			continue
		}
		if _, err := drain(ctx, h.Second, 1); err != nil {
			return fmt.Errorf("after %s: %w", end.what, err)
		}
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 2, foldstream.Dead: 1, foldstream.Withdrawn: 1, foldstream.Removed: 1})
}

// secondTakenOver has the first worker die: the second copy does not keep its claim alive, and is of no use to whoever takes over.
func secondTakenOver(ctx context.Context, h Harness) error {
	first, second, err := twice(ctx, h, Task(1))
	if err != nil {
		return err
	}
	h.Abandon(first)
	heir, err := fetch(ctx, h.Second)
	if err != nil {
		return fmt.Errorf("take over from a lost worker beside which a second copy runs: %w", err)
	}
	if err := errors.Join(refused(ctx, second), refused(ctx, first)); err != nil {
		return err
	}
	if err := heir.Commit(ctx, by("heir")); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

// secondStages has the second copy end the first stage, and the first worker the next one beside another second copy.
func secondStages(ctx context.Context, h Harness) error {
	first, second, err := twice(ctx, h, withStages(Task(1), stages[:2]...))
	if err != nil {
		return err
	}
	if err := second.Commit(ctx, by("fit")); err != nil {
		return err
	}
	if err := refused(ctx, first); err != nil {
		return err
	}
	if first, err = fetch(ctx, h.Store); err != nil {
		return fmt.Errorf("the stage after a second copy's: %w", err)
	}
	if err := at(first, "predict", "fit"); err != nil {
		return err
	}
	if second, err = beside(ctx, h, Task(1).ID); err != nil {
		return err
	}
	if err := at(second, "predict", "fit"); err != nil {
		return err
	}
	if err := first.Commit(ctx, by("predict")); err != nil {
		return err
	}
	if err := errors.Join(refused(ctx, second), nothing(ctx, h.Second, 3*h.Lease)); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

// secondFilter asks for second copies of what no fetch would bring, or nobody has.
func secondFilter(ctx context.Context, h Harness) error {
	a := h.Second.(Administered)
	ask := func(kind foldstream.Kind, what string, id foldstream.TaskID, f foldstream.Filter) error {
		l, err := a.Second(ctx, pool, id, f)
		if err == nil {
			err = l.Return(ctx, nil, 0)
		}
		return want(err, kind, "a second copy of "+what)
	}
	if err := ask(foldstream.NotFound, "what is not there", Task(1).ID, foldstream.Filter{}); err != nil {
		return err
	}
	first, second, err := twice(ctx, h, withPriority(withStages(Task(1), stages...), 0))
	if err != nil {
		return err
	}
	if err := create(ctx, h.Store, Task(2)); err != nil {
		return err
	}
	err = errors.Join(
		ask(foldstream.NotFound, "a task that waits", Task(2).ID, foldstream.Filter{}),
		ask(foldstream.NotFound, "another stage", Task(1).ID, foldstream.Filter{Stage: "predict"}),
		ask(foldstream.Invalid, "no stage", Task(1).ID, foldstream.Filter{Stage: "a b"}),
		ask(foldstream.NotFound, "a lower band", Task(1).ID, foldstream.Filter{MinBand: 11}),
		second.Extend(ctx, foldstream.Progress{}),
	)
	if err != nil {
		return err
	}
	if _, err := a.Change(ctx, pool, func(s *foldstream.PoolSettings) { s.Code, s.Paused = "v2", true }); err != nil {
		return err
	}
	err = Eventually(ctx, func() error {
		return errors.Join(
			ask(foldstream.Conflict, "a task for other code", Task(1).ID, foldstream.Filter{Code: "v1"}),
			ask(foldstream.NotFound, "a task of a paused pool", Task(1).ID, foldstream.Filter{Code: "v2"}),
		)
	})
	if err != nil {
		return err
	}
	return errors.Join(second.Extend(ctx, foldstream.Progress{}), first.Extend(ctx, foldstream.Progress{}))
}

// secondTold looks for both copies among what the workers have in hand.
func secondTold(ctx context.Context, h Harness) error {
	_, second, err := twice(ctx, h, Task(1))
	if err != nil {
		return err
	}
	if err := second.Extend(ctx, foldstream.Progress{Percent: 30}); err != nil {
		return err
	}
	if err := inHands(ctx, h, 1, 1); err != nil {
		return err
	}
	if err := second.Return(ctx, nil, 0); err != nil {
		return err
	}
	return inHands(ctx, h, 1, 0)
}

// inHands waits until so many first and second copies of Task(1) are told, by workers that were heard of since.
func inHands(ctx context.Context, h Harness, firsts, seconds int) error {
	return Eventually(ctx, func() error {
		found := map[bool]int{}
		for w, err := range h.Store.(Administered).Workers(ctx) {
			if err != nil {
				return err
			}
			for _, t := range w.Tasks {
				if t.Pool == pool && t.Task == Task(1).ID && t.Attempt == 1 && !t.Since.After(w.Heard) && w.Heard.Before(w.Expires) {
					found[t.Second]++
				}
				if t.Second && t.Progress.Percent != 30 {
					return fmt.Errorf("the second copy's progress is %v", t.Progress.Percent)
				}
			}
		}
		if found[false] != firsts || found[true] != seconds {
			return fmt.Errorf("workers tell of %d first and %d second copies, want %d and %d", found[false], found[true], firsts, seconds)
		}
		return nil
	})
}
