package stream

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// Pool is one queue of tasks, and the one dispatcher of all its fetches in this process.
type Pool struct {
	s    *Store
	name string
	bad  error // why the name cannot be a pool's

	mu       sync.Mutex
	known    bool          // its lease is stored
	lease    time.Duration // by its settings
	paused   bool          // by its settings
	code     string        // that they require; "" is any
	revision uint64        // of its settings
	ready    map[laneName]bool
	held     map[*lease]struct{} // leases to beat for
	beating  bool
	dispatcher
}

var _ foldstream.Pool = (*Pool)(nil)

func newPool(s *Store, name string) *Pool {
	return &Pool{
		s: s, name: name, bad: foldstream.ValidName("pool", name), lease: s.cfg.Lease,
		ready: map[laneName]bool{}, held: map[*lease]struct{}{},
	}
}

// usable reports why an operation cannot begin.
func (p *Pool) usable(ctx context.Context, op string) error {
	if err := stopped(ctx, op); err != nil {
		return err
	}
	if p.s.life().Err() != nil {
		return foldstream.Errorf(foldstream.Unavailable, op, "the store is closed")
	}
	return foldstream.E(foldstream.Invalid, op, p.bad)
}

// leaseTime returns how long a lease of the pool lives without a beat.
func (p *Pool) leaseTime() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lease
}

// exists reports whether the pool ever had settings, and takes them over.
func (p *Pool) exists(ctx context.Context) (bool, error) {
	v, err := p.stored(ctx)
	if err != nil || v.Revision == 0 {
		return false, err
	}
	return true, p.configure(v)
}

// configure takes the settings of an entry over.
func (p *Pool) configure(v foldstream.Value) error {
	set, err := p.s.readSettings(v)
	if err == nil {
		p.obey(set, v.Revision)
	}
	return err
}

// ensureLane makes the lane's consumer, if it is not there, and lets everybody know of it.
func (p *Pool) ensureLane(ctx context.Context, name laneName) error {
	p.mu.Lock()
	ready := p.ready[name]
	p.mu.Unlock()
	if ready {
		return nil
	}
	if err := p.ensure(ctx); err != nil {
		return err
	}
	if err := p.makeConsumer(ctx, name); err != nil {
		return p.s.door(ctx, "create", err)
	}
	_, err := p.s.Values(foldstream.Pools).Put(ctx, foldstream.Value{Key: p.laneKey(name)})
	if err != nil && !foldstream.Is(err, foldstream.Conflict) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready[name] = true
	p.addLane(name)
	return nil
}

// makeConsumer makes the lane's durable consumer; one that exists stays as it is.
func (p *Pool) makeConsumer(ctx context.Context, name laneName) error {
	config := jetstream.ConsumerConfig{
		Durable: name.consumer(p.name), FilterSubject: p.s.lay.laneTickets(p.name, name),
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: p.leaseTime(), DeliverPolicy: jetstream.DeliverAllPolicy,
		MaxDeliver: -1, MaxAckPending: 1 << 20, MaxWaiting: 1 << 14,
	}
	err := p.s.retry(ctx, "CONSUMER.CREATE."+p.s.lay.work()+"."+config.Durable+".", func(ctx context.Context) error {
		_, err := p.s.js.CreateConsumer(ctx, p.s.lay.work(), config)
		return err
	})
	if errors.Is(err, jetstream.ErrConsumerExists) {
		return nil
	}
	return err
}

func (p *Pool) laneKey(name laneName) string {
	return p.name + "." + stageToken(name.stage) + "." + strconv.Itoa(name.band)
}

// watchPools follows the bucket Pools, so that every store knows a new lane a moment after its first ticket. It returns when all
// there is at the start is known.
func (s *Store) watchPools(ctx context.Context) error {
	ready := make(chan error, 1)
	s.background(func(life context.Context) {
		unread := foldstream.Errorf(foldstream.Unavailable, "open", "the list of pools cannot be read")
		for v, err := range s.Values(foldstream.Pools).Watch(life, "") {
			switch {
			case err != nil:
				unread = foldstream.Errorf(foldstream.KindOf(err), "open", "the list of pools cannot be read: %w", err)
			case v.Key == "":
				ready <- nil
			case !v.Deleted:
				err = s.learn(v)
			}
			switch {
			case isNewer(err): // who comes to that pool is told
				s.log.Debug("passing over a pool of a newer program", "err", err)
			case err != nil:
				s.log.Error("the list of pools cannot be read whole", "err", err)
			}
		}
		select {
		case ready <- unread:
		default:
		}
	})
	select {
	case err := <-ready:
		return err
	case <-ctx.Done():
		return s.door(context.Background(), "open", context.Cause(ctx))
	}
}

// learn takes over an entry of the bucket Pools: "pool" or "pool.stage.band". One that is neither is another program's.
func (s *Store) learn(v foldstream.Value) error {
	name, lane, isLane := strings.Cut(v.Key, ".")
	p := s.pool(name)
	if p.bad != nil {
		s.met.tell(s.log, v, p.bad)
		return nil
	}
	if !isLane {
		return p.configure(v)
	}
	stage, band, _ := strings.Cut(lane, ".")
	ln, ok := laneOf(stage, band)
	if !ok {
		s.met.tell(s.log, v, errNoLane)
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addLane(ln)
	p.pump()
	return nil
}

var errNoLane = errors.New("its key is neither a pool nor a lane of one")
