package stream

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// Store is a foldstream.Store, Archive and Reconciler on JetStream. It does not own its connection.
type Store struct {
	nc        *nats.Conn
	js        jetstream.JetStream
	cfg       Config
	lay       layout
	log       *slog.Logger
	longDelay time.Duration // the longest pause that a ticket waits out in its consumer
	session   string        // this store among all that carry the same worker name
	host      string
	since     time.Time // by the server's clock
	clock     serverClock
	wall      func() time.Time       // this machine's clock, which decides nothing; tests put others here
	denied    atomic.Pointer[denial] // the last one
	unheard   atomic.Pointer[denial] // the last one of what no reply is waited for: answers to tickets and orders, and the presence
	muted     atomic.Int64           // until then no index is asked, in ns
	shown     atomic.Bool            // this store has an entry in the bucket Workers
	expiry    time.Duration          // of the bucket Locks
	met       meetings
	firsts    firsts
	stall     jetstream.PublishOpt
	bulk      bulk
	between   func(step string) error // tests die between two steps here; nil goes on
	refusals  func(err error)         // tests hear here of publishes that were refused; nil is nobody

	get func(ctx context.Context, stream string, query []byte) (*stored, error) // a message that decides: getLeader; tests put a fault here

	scheduling atomic.Bool // the stream of schedules is there
	ordering   atomic.Bool // and the consumer of their orders

	mu    sync.Mutex
	pools map[string]*Pool

	life   func() context.Context // of the background work; ends with Close
	end    context.CancelFunc
	work   sync.WaitGroup
	closed sync.Once
	undo   []func()
}

var (
	_ foldstream.Store      = (*Store)(nil)
	_ foldstream.Clock      = (*Store)(nil)
	_ foldstream.Archive    = (*Store)(nil)
	_ foldstream.Reconciler = (*Store)(nil)
)

// maxInFlight is how many publishes may wait for their acknowledgement.
const maxInFlight = 8192

// Open opens the store that the connection's server holds and makes what is missing of it. The connection must stay open
// until after Close; two stores may share one. Errors: Invalid (cfg), Unavailable, Denied, Full.
func Open(ctx context.Context, nc *nats.Conn, cfg Config) (*Store, error) {
	s, err := newStore(nc, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		_ = s.Close() // the error that matters is the one of the start
		return nil, err
	}
	return s, nil
}

// newStore makes a store that has not looked at its server yet.
func newStore(nc *nats.Conn, cfg Config) (*Store, error) {
	cfg, err := cfg.filled()
	if err != nil {
		return nil, err
	}
	s := &Store{
		nc: nc, cfg: cfg, lay: newLayout(cfg.Prefix), log: cfg.Logger, session: nonce(), host: hostName(), wall: time.Now, //nolint:forbidigo // what the doctor compares with the server's
		pools: map[string]*Pool{}, longDelay: longDelay, bulk: bulk{first: firstOfBulk, slow: slowInBulk, least: leastInFlow}, stall: jetstream.WithStallWait(cfg.Patience),
	}
	s.firsts.sent = map[*nats.Msg]func(uint64, error){}
	s.get = s.getLeader
	s.denied.Store(noDenial())
	s.unheard.Store(noDenial())
	s.js, err = jetstream.New(s.nc, append(s.firsts.hear(),
		jetstream.WithPublishAsyncMaxPending(maxInFlight),
		jetstream.WithPublishAsyncTimeout(s.tryTime()),
		jetstream.WithDefaultTimeout(s.tryTime()))...)
	if err != nil {
		return nil, foldstream.E(kindOf(err), "open", err)
	}
	s.undo = append(s.undo, s.watchDenials(), s.js.CleanupPublisher)
	life, end := context.WithCancel(context.Background())
	s.life, s.end = func() context.Context { return life }, end
	return s, nil
}

func (s *Store) start(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	err := s.provision(limited)
	if err == nil {
		err = s.door(limited, "open", s.ensure(limited, s.learnTime))
		s.since = s.now()
	}
	if err == nil {
		s.watchConnection()
		err = s.watchPools(limited)
	}
	if foldstream.Is(err, foldstream.Cancelled) && ctx.Err() == nil { // its own time is over, not the caller's
		err = foldstream.Errorf(foldstream.Unavailable, "open", "JetStream does not answer in %v, as in a cluster without a leader", s.cfg.Patience)
	}
	return err
}

// tryTime is how long one try of an operation waits for its reply.
func (s *Store) tryTime() time.Duration { return max(s.cfg.Patience/4, 250*time.Millisecond) }

// Pool returns the pool of that name. Errors of a bad name come from its methods: Invalid.
func (s *Store) Pool(name string) foldstream.Pool { return s.pool(name) }

// pool returns the one Pool of that name.
func (s *Store) pool(name string) *Pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pools[name]
	if p == nil {
		p = newPool(s, name)
		if p.bad == nil {
			s.pools[name] = p
		}
	}
	return p
}

func (s *Store) allPools() []*Pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Pool, 0, len(s.pools))
	for _, p := range s.pools {
		all = append(all, p)
	}
	return all
}

// point is a place where a process may die: what comes after it is left to whoever repeats the operation, or to the reconciler.
func (s *Store) point(step string) error {
	if s.between == nil {
		return nil
	}
	return s.between(step)
}

// background runs f beside, until it returns; it must when its context ends. After Close it does nothing.
func (s *Store) background(f func(ctx context.Context)) {
	ctx := s.life()
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() == nil {
		s.work.Go(func() { f(ctx) })
	}
}

// watchConnection asks for tickets again after a reconnect: the server forgot what was asked of it.
func (s *Store) watchConnection() {
	changes := s.nc.StatusChanged(nats.CONNECTED)
	s.undo = append(s.undo, func() { s.nc.RemoveStatusListener(changes) })
	s.background(func(ctx context.Context) {
		learn := time.NewTicker(learnEvery)
		defer learn.Stop()
		for {
			select {
			case <-changes:
				for _, p := range s.allPools() {
					p.reset()
				}
			case <-learn.C:
			case <-ctx.Done():
				return
			}
			if err := s.learnTime(ctx); err != nil {
				s.log.Debug("the server does not tell its time; it is reckoned on", "err", err)
			}
		}
	})
}

// Close stops the store's background work and waits for it. Fetches that wait fail with Unavailable. Leases that are
// still held are not given back: without beats they run out, and their tasks come to other workers.
func (s *Store) Close() error {
	s.closed.Do(func() {
		s.mu.Lock()
		s.end()
		s.mu.Unlock()
		for _, p := range s.allPools() {
			p.stop()
		}
		s.work.Wait()
		s.leave()
		for i := len(s.undo) - 1; i >= 0; i-- {
			s.undo[i]()
		}
	})
	return nil
}
