package stream

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// Presence is a store's entry in the bucket Workers, put at every beat from its first fetch on: who works what. It counts until
// Expires, whatever the bucket does: an entry that was renewed may come back after the server is killed.
type Presence struct {
	Worker  string
	Host    string
	Version string
	Since   time.Time
	Expires time.Time
	Tasks   map[string]Work // by pool/id
	Seconds map[string]Work // the same, of second copies: these keep no claim alive
}

// Work is one task that a worker has in hand.
type Work struct {
	Claim    foldstream.Cursor
	Attempt  int
	Since    time.Time
	Progress foldstream.Progress
}

// presenceKey is the entry of one store among all that carry the worker's name.
func presenceKey(worker, session string) string { return worker + "." + session }

// present puts the store's entry. It is not waited for: the next beat puts another.
func (s *Store) present() {
	p := Presence{Worker: s.cfg.Worker, Host: s.host, Version: s.cfg.Version, Since: s.since, Tasks: map[string]Work{}, Seconds: map[string]Work{}}
	for _, pool := range s.allPools() {
		p.Expires = later(p.Expires, pool.beatsUntil())
		for _, l := range pool.leases() {
			p.list(l)
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

// list takes a lease up whose claim is decided.
func (p *Presence) list(l *lease) {
	all := p.Tasks
	if l.isSecond() {
		all = p.Seconds
	}
	select {
	case <-l.claimed:
		all[l.p.name+"/"+string(l.view.ID)] = l.work()
	default:
	}
}

func (l *lease) work() Work {
	w := Work{Claim: foldstream.Cursor(l.token), Attempt: l.view.Attempt, Since: l.since}
	if p := l.progress.Load(); p != nil {
		w.Progress = *p
	}
	return w
}

func (s *Store) presenceSubject(worker, session string) string {
	return s.lay.kvPrefix(foldstream.Workers) + presenceKey(worker, session)
}

// beatsUntil returns up to when the pool's next beat is waited for; the past while it does not beat.
func (p *Pool) beatsUntil() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.beating {
		return time.Time{}
	}
	return p.s.now().Add(p.lease)
}

// Workers reads who is alive, in order of their names: who fetched and still beats, also with nothing in hand.
func (s *Store) Workers(ctx context.Context) iter.Seq2[foldstream.Presence, error] {
	return func(yield func(foldstream.Presence, error) bool) {
		for v, err := range s.Values(foldstream.Workers).List(ctx, "") {
			var p Presence
			if err == nil {
				if p, err = decodePresence(v.Data); err != nil {
					s.met.tell(s.log, v, err)
					continue
				}
			}
			if err != nil {
				yield(foldstream.Presence{}, foldstream.E(foldstream.KindOf(err), "workers", err))
				return
			}
			if s.now().Before(p.Expires) && !yield(p.told(v.At), nil) {
				return
			}
		}
	}
}

// told is the entry in the words of the contracts, the oldest work of each pool first.
func (p Presence) told(heard time.Time) foldstream.Presence {
	t := foldstream.Presence{Worker: p.Worker, Host: p.Host, Version: p.Version, Since: p.Since, Heard: heard, Expires: p.Expires}
	for key, w := range p.Tasks {
		t.Tasks = append(t.Tasks, w.told(key, false))
	}
	for key, w := range p.Seconds {
		t.Tasks = append(t.Tasks, w.told(key, true))
	}
	slices.SortFunc(t.Tasks, func(a, b foldstream.InHand) int {
		return cmp.Or(strings.Compare(a.Pool, b.Pool), a.Since.Compare(b.Since), strings.Compare(string(a.Task), string(b.Task)))
	})
	return t
}

func (w Work) told(key string, second bool) foldstream.InHand {
	pool, id, _ := strings.Cut(key, "/")
	return foldstream.InHand{Pool: pool, Task: foldstream.TaskID(id), Attempt: w.Attempt, Since: w.Since, Second: second, Progress: w.Progress}
}

// livesOn returns how long the worker of a claim is known to live and to work it; 0 when it is not known.
func (s *Store) livesOn(ctx context.Context, claim link) (time.Duration, error) {
	m, err := s.newest(ctx, s.lay.kvStream(foldstream.Workers), s.presenceSubject(claim.Worker, claim.session))
	if err != nil || m == nil || m.header.Get(headerOperation) != "" {
		return 0, err
	}
	p, err := decodePresence(m.data)
	switch {
	case isNewer(err): // it lives, and may work this
		return max(s.until(m.at.Add(s.cfg.Lease)), 0), nil
	case err != nil || p.Tasks[claim.Pool+"/"+string(claim.Task)].Claim != claim.Seq:
		return 0, nil
	}
	return max(s.until(p.Expires), 0), nil
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
