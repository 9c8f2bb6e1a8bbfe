package streamtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

var archiveChecks = []Check{
	{"archive/definitions", archiveDefinitions},
	{"archive/defined", archiveDefined},
	{"archive/copy", archiveCopy},
	{"archive/copy what is no pool", archiveCopyInvalid},
	{"archive/pools", archivePools},
	{"reconcile/nothing to mend", reconcileNothing},
	{"reconcile/tickets lost", reconcileLost},
	{"reconcile/ticket of a dead worker lost", reconcileDead},
	{"reconcile/ticket of a live worker lost", reconcileLive},
}

func archiveDefinitions(ctx context.Context, h Harness) error {
	tasks := Tasks(0, 30)
	tasks[3], tasks[4] = withPriority(tasks[3], 5), withStages(tasks[4], stages...)
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Store, 5); err != nil {
		return err
	}
	got, err := collect(h.Second.(foldstream.Archive).Definitions(ctx, pool))
	if err != nil {
		return err
	}
	return same("the definitions", got, tasks)
}

// archiveDefined asks which tasks have a definition: those of the pool, whatever became of them, and no other.
func archiveDefined(ctx context.Context, h Harness) error {
	tasks := Tasks(0, 12)
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	if _, err := h.Store.Pool("other").Create(ctx, Tasks(50, 3)...); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Store, len(tasks)); err != nil {
		return err
	}
	got, err := collect(h.Second.(foldstream.Archive).Defined(ctx, pool))
	if err != nil {
		return err
	}
	want := make([]foldstream.TaskID, len(tasks))
	for i, t := range tasks {
		want[i] = t.ID
	}
	slices.Sort(want)
	slices.Sort(got)
	return same("the tasks that are defined", got, want)
}

// archiveCopy makes tasks again in another pool, where some are already, whatever became of the originals: they begin as those did. It is
// harmless to repeat.
func archiveCopy(ctx context.Context, h Harness) error {
	tasks := Tasks(0, 40)
	tasks[3], tasks[4] = withPriority(tasks[3], 5), withStages(tasks[4], stages...)
	tasks[6].NotBefore, tasks[7].Replaces = time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond), tasks[8].ID
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Store, 5); err != nil {
		return err
	}
	var want []foldstream.Task
	for i, t := range tasks {
		if t.Experiment, t.Replaces = "again", ""; i != 10 {
			want = append(want, t)
		}
	}
	if _, err := h.Store.Pool("other").Create(ctx, want[:2]...); err != nil {
		return err
	}
	for _, fresh := range []int{len(want) - 2, 0} {
		wanted := func(id foldstream.TaskID) bool { return id != tasks[10].ID }
		if err := copied(ctx, h, wanted, len(want), fresh); err != nil {
			return err
		}
		got, err := collect(h.Store.(foldstream.Archive).Definitions(ctx, "other"))
		if err == nil {
			err = same("the copies", got, want)
		}
		if err != nil {
			return err
		}
	}
	stat, err := h.Second.Pool("other").Stat(ctx)
	if err == nil {
		err = same("the counts of the copies", stat, foldstream.Counts{foldstream.Waiting: len(want)})
	}
	if err != nil {
		return err
	}
	l, err := h.Store.Pool("other").Fetch(ctx, foldstream.Filter{})
	if err != nil {
		return err
	}
	return same("the first of the copies", l.Task().ID, tasks[3].ID) // its band
}

// copied copies to the pool other, and wants so many answers of which so many are of new tasks.
func copied(ctx context.Context, h Harness, wanted func(foldstream.TaskID) bool, all, fresh int) error {
	answers, isNew := 0, 0
	for some, err := range h.Second.(foldstream.Copier).Copy(ctx, pool, "other", "again", wanted) {
		if err != nil {
			return err
		}
		for _, c := range some {
			if answers++; c.New {
				isNew++
			}
		}
	}
	if answers != all || isNew != fresh {
		return fmt.Errorf("a copy answered for %d tasks of %d, and %d are new; want %d", answers, all, isNew, fresh)
	}
	return nil
}

// archiveCopyInvalid copies from, and to, what is no pool.
func archiveCopyInvalid(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return err
	}
	for _, c := range [][2]string{{"no pool", "other"}, {pool, "no pool"}} {
		answered := false
		for _, err := range h.Store.(foldstream.Copier).Copy(ctx, c[0], c[1], "again", func(foldstream.TaskID) bool { return true }) {
			if answered = true; !foldstream.Is(err, foldstream.Invalid) {
				return off(err, "a copy from %q to %q was not refused", c[0], c[1])
			}
		}
		if !answered {
			return fmt.Errorf("a copy from %q to %q said nothing", c[0], c[1])
		}
	}
	return nil
}

func archivePools(ctx context.Context, h Harness) error {
	for _, name := range []string{"b", "a"} {
		if _, err := h.Store.Pool(name).Create(ctx, Task(1)); err != nil {
			return err
		}
	}
	return Eventually(ctx, func() error {
		names, err := h.Second.(foldstream.Reconciler).Pools(ctx)
		slices.Sort(names)
		if err == nil {
			err = same("the pools", names, []string{"a", "b"})
		}
		return err
	})
}

// reconcileNothing reconciles tasks that are well, after two leases and more: no task comes twice.
func reconcileNothing(ctx context.Context, h Harness) error {
	leases, err := start(ctx, h.Store, Tasks(0, 2)...)
	if err != nil {
		return err
	}
	if err := leases[0].Commit(ctx, by("me")); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, 3*h.Lease); err != nil {
		return err
	}
	if err := create(ctx, h.Store, Task(5)); err != nil {
		return err
	}
	for range 3 {
		if n, err := h.Second.(foldstream.Reconciler).Reconcile(ctx, pool); err != nil || n != 0 {
			return off(err, "reconcile mended %d, want none", n)
		}
	}
	if _, err := drain(ctx, h.Store, 1); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, h.Lease); err != nil {
		return err
	}
	if err := leases[1].Commit(ctx, by("me")); err != nil {
		return err
	}
	return done(ctx, h, 3)
}

func reconcileLost(ctx context.Context, h Harness) error {
	const n = 40
	tasks := Tasks(0, n)
	for i := range tasks {
		tasks[i] = withPriority(tasks[i], i%3)
	}
	tasks[7] = withStages(tasks[7], "fit", "predict")
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 2))
	gone := 0
	for _, t := range tasks {
		if random.IntN(3) == 0 || t.ID == tasks[7].ID {
			if err := h.DeleteTicket(ctx, pool, t.ID); err != nil {
				return err
			}
			gone++
		}
	}
	if _, err := drain(ctx, h.Store, n-gone); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, h.Lease); err != nil {
		return err
	}
	if err := mended(ctx, h, gone); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Second, gone+1); err != nil { // one of them has two stages
		return err
	}
	if err := nothing(ctx, h.Store, h.Lease); err != nil {
		return err
	}
	return done(ctx, h, n)
}

// mended reconciles until n tasks were mended, and not more.
func mended(ctx context.Context, h Harness, n int) error {
	total := 0
	return Eventually(ctx, func() error {
		k, err := h.Second.(foldstream.Reconciler).Reconcile(ctx, pool)
		if total += k; err == nil && total != n {
			err = fmt.Errorf("reconcile mended %d, want %d", total, n)
		}
		return err
	})
}

func reconcileDead(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, Task(1))
	if err != nil {
		return err
	}
	h.Abandon(l)
	if err := h.DeleteTicket(ctx, pool, Task(1).ID); err != nil {
		return err
	}
	if err := mended(ctx, h, 1); err != nil {
		return err
	}
	heir, err := fetch(ctx, h.Second)
	if err != nil {
		return err
	}
	if err := refused(ctx, l); err != nil {
		return err
	}
	if err := heir.Commit(ctx, by("heir")); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func reconcileLive(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, Task(1))
	if err != nil {
		return err
	}
	if err := h.DeleteTicket(ctx, pool, Task(1).ID); err != nil {
		return err
	}
	if err := l.Commit(ctx, by("me")); err != nil {
		return fmt.Errorf("the ticket proves nothing, the claim does: %w", err)
	}
	if err := nothing(ctx, h.Store, 2*h.Lease); err != nil {
		return err
	}
	if n, err := h.Second.(foldstream.Reconciler).Reconcile(ctx, pool); err != nil || n != 0 {
		return off(err, "reconcile mended %d, the finished task", n)
	}
	return done(ctx, h, 1)
}
