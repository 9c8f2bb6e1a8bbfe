package stream

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// Presence is a store's entry in the bucket Workers, put at every beat while it holds leases: who works what. It counts until
// Expires, whatever the bucket does: an entry that was renewed may come back after the server is killed.
type Presence struct {
	Worker  string
	Expires time.Time
	Tasks   map[string]Work // by pool/id
}

// Work is one task that a worker has in hand.
type Work struct {
	Claim    foldstream.Cursor
	Attempt  int
	Progress foldstream.Progress
}

// presenceKey is the entry of one store among all that carry the worker's name.
func presenceKey(worker, session string) string { return worker + "." + session }

// present puts the store's entry. It is not waited for: the next beat puts another.
func (s *Store) present() {
	p := Presence{Worker: s.cfg.Worker, Tasks: map[string]Work{}}
	for _, pool := range s.allPools() {
		for _, l := range pool.leases() {
			select {
			case <-l.claimed:
				p.Tasks[pool.name+"/"+string(l.view.ID)] = l.work()
			default:
			}
			p.Expires = later(p.Expires, time.Now().Add(pool.leaseTime()))
		}
	}
	s.shown.Store(true)
	data, err := encode(&p)
	if err == nil {
		err = s.nc.PublishMsg(&nats.Msg{Subject: s.presenceSubject(s.cfg.Worker, s.session), Data: data})
	}
	if err != nil {
		s.log.Warn("this worker could not say that it lives", "worker", s.cfg.Worker, "err", err)
	}
}

func (l *lease) work() Work {
	w := Work{Claim: foldstream.Cursor(l.token), Attempt: l.view.Attempt}
	if p := l.progress.Load(); p != nil {
		w.Progress = *p
	}
	return w
}

func (s *Store) presenceSubject(worker, session string) string {
	return s.lay.kvPrefix(foldstream.Workers) + presenceKey(worker, session)
}

// Present lists the workers that live and hold leases, in order of their names.
func (s *Store) Present(ctx context.Context) ([]Presence, error) {
	var all []Presence
	for v, err := range s.Values(foldstream.Workers).List(ctx, "") {
		if err != nil {
			return nil, err
		}
		p, err := decodePresence(v.Data)
		if err != nil {
			return nil, foldstream.Errorf(foldstream.Invalid, "workers", "key %q: %w", v.Key, err)
		}
		if len(p.Tasks) > 0 && time.Now().Before(p.Expires) {
			all = append(all, p)
		}
	}
	return all, nil
}

// livesOn returns how long the worker of a claim is known to live and to work it; 0 when it is not known.
func (s *Store) livesOn(ctx context.Context, claim link) (time.Duration, error) {
	m, err := s.newest(ctx, s.lay.kvStream(foldstream.Workers), s.presenceSubject(claim.Worker, claim.session))
	if err != nil || m == nil || m.header.Get(headerOperation) != "" {
		return 0, err
	}
	p, err := decodePresence(m.data)
	if err != nil || p.Tasks[claim.Pool+"/"+string(claim.Task)].Claim != claim.Seq {
		return 0, err
	}
	return max(time.Until(p.Expires), 0), nil
}

func decodePresence(data []byte) (Presence, error) {
	var p Presence
	err := decode(data, &p)
	return p, err
}

// leave takes the store's entry away, if there is one.
func (s *Store) leave() {
	if !s.shown.Load() {
		return
	}
	m := nats.NewMsg(s.presenceSubject(s.cfg.Worker, s.session))
	m.Header.Set(headerOperation, "DEL")
	_ = s.nc.PublishMsg(m) // it expires by itself
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
