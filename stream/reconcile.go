package stream

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// Pools lists the pools that ever had a task, in order: those that have a lane.
func (s *Store) Pools(ctx context.Context) ([]string, error) {
	var names []string
	for v, err := range s.Values(foldstream.Pools).List(ctx, "") {
		if err != nil {
			return nil, err
		}
		if name, _, isLane := strings.Cut(v.Key, "."); isLane && foldstream.ValidName("pool", name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Reconcile gives open tasks that lost their ticket a new one. Where the queue holds as many tickets as there are open tasks it
// looks no further.
func (s *Store) Reconcile(ctx context.Context, pool string) (int, error) {
	p := s.pool(pool)
	if err := p.usable(ctx, "reconcile"); err != nil {
		return 0, err
	}
	n, err := p.reconcile(ctx)
	if err == nil {
		err = stopped(ctx, "reconcile")
	}
	return n, s.door(ctx, "reconcile", err)
}

func (p *Pool) reconcile(ctx context.Context) (int, error) {
	if known, err := p.exists(ctx); err != nil || !known {
		return 0, err
	}
	last, err := p.lastLinks(ctx, nil)
	if err != nil {
		return 0, err
	}
	still := p.s.now().Add(-2 * p.leaseTime())
	var open int
	var suspects []foldstream.TaskID
	var strangers []uint64
	for m, err := range p.s.scan(ctx, query{stream: p.s.lay.defs(), filters: []string{p.s.lay.def(p.name, "*")}, headers: true}) {
		if err != nil {
			return 0, err
		}
		id := foldstream.TaskID(lastToken(m.subject))
		if !id.Valid() {
			strangers = append(strangers, m.seq)
			continue
		}
		l, begun := last[id]
		if begun && l.Status.Final() {
			continue
		}
		open++
		if m.at.Before(still) && (!begun || l.At.Before(still)) {
			suspects = append(suspects, id)
		}
	}
	if err := p.dismissDefinitions(ctx, strangers); err != nil {
		return 0, err
	}
	swept, err := p.sweep(ctx)
	if err != nil || len(suspects) == 0 {
		return len(swept), err
	}
	tickets, schedules, err := p.tickets(ctx)
	if err == nil && tickets == open {
		suspects, err = p.deadSchedules(ctx, schedules)
	}
	if err != nil || len(suspects) == 0 {
		return len(swept), err
	}
	swept = slices.DeleteFunc(swept, func(id foldstream.TaskID) bool { return slices.Contains(suspects, id) })
	mended, err := each(ctx, suspects, p.mend)
	return len(swept) + mended, err
}

// dismissDefinitions sets messages of DEFS aside that are no definitions: they would count as tasks.
func (p *Pool) dismissDefinitions(ctx context.Context, seqs []uint64) error {
	for _, seq := range seqs {
		m, err := p.s.at(ctx, p.s.lay.defs(), seq)
		if err == nil && m != nil {
			_, err = readDefinition(m)
			err = p.s.setAside(ctx, p.s.lay.defs(), err)
		}
		if err != nil && !p.s.passes(err) {
			return err
		}
	}
	return nil
}

// sweep takes dead tickets away and returns their tasks. It reads one ticket of each lane that has none: the oldest.
func (p *Pool) sweep(ctx context.Context) (swept []foldstream.TaskID, err error) {
	for _, name := range p.laneNames() {
		info, err := p.consumerInfo(ctx, name)
		if err != nil {
			return swept, err
		}
		for {
			m, err := p.s.oldest(ctx, p.s.lay.work(), p.s.lay.laneTickets(p.name, name))
			if err != nil {
				return swept, err
			}
			if m == nil || m.seq > info.AckFloor.Stream {
				break
			}
			if err := p.s.remove(ctx, p.s.lay.work(), m.seq); err != nil {
				return swept, err
			}
			swept = append(swept, foldstream.TaskID(lastToken(m.subject)))
		}
	}
	return swept, nil
}

// tickets counts the live tickets: pending and in flight in the pool's consumers, and schedules, whose subjects it returns.
func (p *Pool) tickets(ctx context.Context) (n int, schedules []string, err error) {
	for _, name := range p.laneNames() {
		info, err := p.consumerInfo(ctx, name)
		if err != nil {
			return 0, nil, err
		}
		n += int(info.NumPending) + info.NumAckPending
	}
	later, err := p.s.subjects(ctx, p.s.lay.work(), p.s.lay.allLater(p.name))
	return n + len(later), slices.Collect(maps.Keys(later)), err
}

// mostSchedules is up to how many schedules the reconciler looks at one by one: more are not peeked at once.
const mostSchedules = 1000

// deadSchedules returns the tasks whose schedule does not bring a ticket: it is long past, or none of ours.
func (p *Pool) deadSchedules(ctx context.Context, subjects []string) (ids []foldstream.TaskID, err error) {
	if len(subjects) == 0 || len(subjects) > mostSchedules {
		return nil, nil
	}
	for m, err := range p.s.peek(ctx, p.s.lay.work(), subjects) {
		if err != nil {
			return nil, err
		}
		t, err := placeOf(m)
		dead := err != nil && !isNewer(err)
		if err == nil {
			dead, err = p.isDead(ctx, m, t)
		}
		if id := foldstream.TaskID(lastToken(m.subject)); dead && id.Valid() {
			ids = append(ids, id)
		}
		if err != nil && !p.s.passes(err) {
			return nil, err
		}
	}
	return ids, nil
}

func (p *Pool) laneNames() []laneName {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := make([]laneName, len(p.lanes))
	for i, ln := range p.lanes {
		names[i] = ln.laneName
	}
	return names
}

// consumerInfo asks how a lane stands. A consumer that somebody deleted is made again.
func (p *Pool) consumerInfo(ctx context.Context, name laneName) (info *jetstream.ConsumerInfo, err error) {
	call := "CONSUMER.INFO." + p.s.lay.work() + "." + name.consumer(p.name)
	ask := func(ctx context.Context) error {
		c, err := p.s.js.Consumer(ctx, p.s.lay.work(), name.consumer(p.name))
		if err == nil {
			info = c.CachedInfo()
		}
		return err
	}
	err = p.s.retry(ctx, call, ask)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		if err = p.makeConsumer(ctx, name); err == nil {
			err = p.s.retry(ctx, call, ask)
		}
	}
	return info, err
}

// each does something to all of them, some at a time, and counts those that needed it. One that fails does not keep the others from
// it.
func each[T any](ctx context.Context, all []T, do func(context.Context, T) (bool, error)) (int, error) {
	const atOnce = 16
	var (
		mu   sync.Mutex
		done int
		errs []error
		work sync.WaitGroup
	)
	for part := range slices.Chunk(all, max(1, (len(all)+atOnce-1)/atOnce)) {
		work.Go(func() {
			for _, one := range part {
				ok, err := do(ctx, one)
				mu.Lock()
				if ok {
					done++
				}
				if err != nil {
					errs = append(errs, err)
				}
				mu.Unlock()
				if ctx.Err() != nil || err != nil && (verdictOf(err) == unsure || kindOf(err) == foldstream.Denied) {
					return
				}
			}
		})
	}
	work.Wait()
	for _, err := range errs {
		if kindOf(err) == foldstream.Denied {
			return done, err // what one is denied all are
		}
	}
	return done, errors.Join(errs...)
}
