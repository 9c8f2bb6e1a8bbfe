package record

import (
	"cmp"
	"context"
	"time"

	"github.com/foldstream/foldstream"
)

// hands is who works which tasks of one pool now.
type hands struct {
	lease time.Duration // how long a worker counts as alive that was not heard of since its claim
	held  map[string]held
}

type held struct {
	worker string
	foldstream.InHand
}

// defaultLease is a pool's that has no settings yet.
const defaultLease = 10 * time.Second

// handsOf asks who works the tasks of a pool; "" is none.
func handsOf(ctx context.Context, store Store, pool string) (hands, error) {
	h := hands{held: map[string]held{}}
	if pool == "" {
		return h, nil
	}
	set, err := store.Settings(ctx, pool)
	if err != nil {
		return h, err
	}
	h.lease = cmp.Or(set.Lease, defaultLease)
	for p, err := range store.Workers(ctx) {
		if err != nil {
			return h, err
		}
		for _, t := range p.Tasks {
			if t.Pool == pool {
				h.held[string(t.Task)] = held{p.Worker, t}
			}
		}
	}
	return h, nil
}

// judge returns the recorder of a task with its progress or, where its worker is not heard of any more, as lost.
func (h hands) judge(r Recorder, now time.Time) Recorder {
	if r.Status != Running {
		return r
	}
	held, ok := h.held[r.ID]
	switch {
	case ok && held.worker == r.Worker && held.Attempt == r.Attempt:
		r.Progress = held.Progress
	case now.Sub(r.Started) > h.lease:
		r.Status = Lost
	}
	return r
}
