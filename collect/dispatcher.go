package collect

import (
	"context"
	"sync"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// dispatcher hands the experiments of a store to the followers of their pools. It is used by one goroutine.
type dispatcher struct {
	*leader
	pools map[string]*follower
	owner map[string]string // the pool that an experiment was handed to
}

func newDispatcher(l *leader) *dispatcher {
	return &dispatcher{leader: l, pools: map[string]*follower{}, owner: map[string]string{}}
}

// run watches the experiments until the context ends, and then waits for the followers.
func (d *dispatcher) run(ctx context.Context) {
	var followers sync.WaitGroup
	defer followers.Wait()
	var pause backoff
	for {
		for v, err := range d.Store.Values(foldstream.Experiments).Watch(ctx, "") {
			if err != nil {
				d.failed(ctx, d.log, "cannot watch the experiments", err)
				break
			}
			pause = 0
			if record.IsExperiment(v.Key) {
				d.hand(ctx, v, &followers)
			}
		}
		if !sleep(ctx, pause.next()) {
			return
		}
	}
}

// hand tells the pool's follower of an experiment that is new, changed or deleted. One of no tasks has no collection.
func (d *dispatcher) hand(ctx context.Context, v foldstream.Value, followers *sync.WaitGroup) {
	e, alive, err := record.DecodeExperiment(v)
	if err != nil {
		d.log.Error("cannot read an experiment", "experiment", v.Key, "err", err)
		return
	}
	alive = alive && e.Members != ""
	if before, known := d.owner[e.Name]; known && (!alive || before != e.Pool) {
		d.pools[before].tell(ctx, foldstream.Experiment{Name: e.Name})
		delete(d.owner, e.Name)
	}
	if !alive {
		return
	}
	f := d.pools[e.Pool]
	if f == nil {
		f = newFollower(d.leader, e.Pool)
		d.pools[e.Pool] = f
		followers.Go(func() { f.run(ctx) })
	}
	d.owner[e.Name] = e.Pool
	f.tell(ctx, e)
}
