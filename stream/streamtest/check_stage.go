package streamtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/foldstream/foldstream"
)

var stageChecks = []Check{
	{"stage/one after the other", stageOrder},
	{"stage/fetched by name", stageFilter},
	{"stage/attempts start anew", stageAttempts},
	{"stage/a crash resumes at its stage", stageCrash},
	{"stage/a stale commit of an earlier stage", stageStale},
}

var stages = []string{"fit", "predict", "record"}

// at fails when the lease is not on the stage with the part that by(part) handed on; "" is no part.
func at(l foldstream.Lease, stage, part string) error {
	t := l.Task()
	if t.Stage != stage || t.Attempt != 1 {
		return fmt.Errorf("fetched stage %q, attempt %d; want %q, 1", t.Stage, t.Attempt, stage)
	}
	switch {
	case part == "" && t.Part != nil:
		return fmt.Errorf("stage %q came with a part though none went before", stage)
	case part != "" && t.Part == nil:
		return fmt.Errorf("stage %q came without the part of the stage before", stage)
	case part != "":
		return same("the part of stage "+stage, *t.Part, by(part))
	}
	return nil
}

func stageOrder(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, withStages(Task(1), stages...)); err != nil {
		return err
	}
	part := ""
	for i, stage := range stages {
		l, err := fetch(ctx, []foldstream.Store{h.Store, h.Second}[i%2])
		if err != nil {
			return fmt.Errorf("stage %s: %w", stage, err)
		}
		if err := at(l, stage, part); err != nil {
			return err
		}
		if err := l.Commit(ctx, by(stage)); err != nil {
			return err
		}
		want := foldstream.Counts{foldstream.PartDone: 1}
		if stage == stages[2] {
			want = foldstream.Counts{foldstream.Done: 1}
		}
		if err := counts(ctx, h.Store, want); err != nil {
			return err
		}
		part = stage
	}
	if err := resultBy(ctx, h.Store, Task(1).ID, "record"); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, 2*h.Lease); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func stageFilter(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, withStages(Task(1), stages...)); err != nil {
		return err
	}
	_, err := h.Store.Pool(pool).Fetch(ctx, foldstream.Filter{Stage: "predict", Wait: h.Lease})
	if err := want(err, foldstream.NotFound, "fetch of a stage that is not reached"); err != nil {
		return err
	}
	part := ""
	for _, stage := range stages {
		l, err := h.Store.Pool(pool).Fetch(ctx, foldstream.Filter{Stage: stage, Wait: patience})
		if err != nil {
			return fmt.Errorf("stage %s: %w", stage, err)
		}
		if err := at(l, stage, part); err != nil {
			return err
		}
		if err := l.Commit(ctx, by(stage)); err != nil {
			return err
		}
		part = stage
	}
	return done(ctx, h, 1)
}

// stageAttempts has an attempt of the first stage fail: the second stage has all its attempts.
func stageAttempts(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, withStages(Task(1), stages[:2]...))
	if err != nil {
		return err
	}
	if err := l.Return(ctx, errors.New("busy"), 0); err != nil {
		return err
	}
	if l, err = fetch(ctx, h.Second); err != nil {
		return err
	}
	if t := l.Task(); t.Stage != "fit" || t.Attempt != 2 {
		return fmt.Errorf("fetched stage %q, attempt %d; want fit, 2", t.Stage, t.Attempt)
	}
	if err := l.Commit(ctx, by("fit")); err != nil {
		return err
	}
	if l, err = fetch(ctx, h.Store); err != nil {
		return err
	}
	if err := at(l, "predict", "fit"); err != nil {
		return err
	}
	if err := l.Commit(ctx, by("predict")); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

// secondStage starts a task, ends its first stage and leases the second.
func secondStage(ctx context.Context, h Harness) (first, second foldstream.Lease, err error) {
	if first, err = startOne(ctx, h.Store, withStages(Task(1), stages[:2]...)); err != nil {
		return nil, nil, err
	}
	if err := first.Commit(ctx, by("fit")); err != nil {
		return nil, nil, err
	}
	second, err = fetch(ctx, h.Store)
	return first, second, err
}

func stageCrash(ctx context.Context, h Harness) error {
	_, l, err := secondStage(ctx, h)
	if err != nil {
		return err
	}
	h.Abandon(l)
	heir, err := fetch(ctx, h.Second)
	if err != nil {
		return err
	}
	if err := at(heir, "predict", "fit"); err != nil {
		return err
	}
	if err := refused(ctx, l); err != nil {
		return err
	}
	if err := heir.Commit(ctx, by("heir")); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Store, Task(1).ID, "heir"); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func stageStale(ctx context.Context, h Harness) error {
	first, second, err := secondStage(ctx, h)
	if err != nil {
		return err
	}
	if err := refused(ctx, first); err != nil {
		return err
	}
	if err := second.Commit(ctx, by("predict")); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, 2*h.Lease); err != nil {
		return err
	}
	return done(ctx, h, 1)
}
