package work

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// places are the numbered entries cap/<pool>/<key>/<i> in the bucket of locks: who holds one may run one task of the key. An entry
// is made, renewed and deleted by compare-and-set only.
//
// No clocks of two machines are compared: another's entry counts as expired once it was seen unchanged for the whole lease that
// it names, on the clock here, while the store answered. So neither a server that was away nor an old entry that it
// brings back after a crash makes a place free too early or for ever taken.
type places struct {
	values foldstream.Values
	pool   string
	holder string
	life   string // differs for each Run, so that nobody takes an old entry for its own
	log    *slog.Logger
	freed  func()     // is told of each place that gets free
	denied chan error // holds the first thing that the store forbids

	mu    sync.Mutex
	lease time.Duration
	seen  map[string]map[int]*place // by key and number; one that is not there is free as far as is known
	held  map[*permit]struct{}
	blind time.Time // until when nothing was heard of the store
}

// place is an entry as it was last seen, or one of our own.
type place struct {
	mine     bool // ours: held, or on its way; the watch does not touch it then
	revision uint64
	lease    time.Duration
	since    time.Time // when this revision was first seen
}

// entry is what an entry says.
type entry struct {
	Holder string `json:"holder"`
	Life   string `json:"life"`
	Lease  int64  `json:"lease_ms"`
	Beat   uint64 `json:"beat"` // counts renewals
}

// keyName writes a task's key as part of a bucket's key; what cannot stand there goes in hex.
func keyName(key string) string {
	plain := key != "" && key[0] != '_' && len(key) <= 64
	for _, r := range key {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		plain = plain && (letter || r == '-' || r == '_')
	}
	if plain {
		return key
	}
	return "=" + hex.EncodeToString([]byte(key))
}

func (s *places) name(key string, i int) string {
	return s.prefix() + key + "/" + strconv.Itoa(i)
}

func (s *places) prefix() string { return "cap/" + s.pool + "/" }

// taken returns how many places of a key are taken.
func (s *places) taken(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count(key)
}

// count is taken with mu held.
func (s *places) count(key string) int {
	n := 0
	for _, p := range s.seen[key] {
		if s.live(p) {
			n++
		}
	}
	return n
}

func (s *places) live(p *place) bool {
	since := p.since
	if s.blind.After(since) {
		since = s.blind
	}
	return p.mine || clock.Since(since) < p.lease
}

// setLease follows the lease of the pool; the bucket forgets entries that are not renewed for longer than defaultLease.
func (s *places) setLease(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease = min(d, defaultLease)
}

func (s *places) leaseTime() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lease
}

// blinded notes that the store could not be asked up to now.
func (s *places) blinded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blind = clock.Tick()
}

// occupy takes a place of a key for the permit. It begins at any of them, so that those who come together seldom meet. Errors:
// crowded, those of Values.Put.
func (s *places) occupy(ctx context.Context, p *permit, m maximum) error {
	first := rand.IntN(m.most)
	for n := range m.most {
		i := (first + n) % m.most
		for range 2 { // again when the entry was not what it seemed
			revision, ok := s.reserve(m, i)
			if !ok {
				break
			}
			one := &seat{key: m.key, i: i, revision: revision}
			err := s.write(ctx, one)
			if err == nil {
				p.seats = append(p.seats, one)
				return nil
			}
			if err := s.unreserve(ctx, one, err); err != nil {
				return err
			}
		}
	}
	return noPlace(m)
}

// reserve marks a place that seems free as ours, and returns the revision to expect of it.
func (s *places) reserve(m maximum, i int) (revision uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.seen[m.key]
	if all == nil {
		all = map[int]*place{}
		s.seen[m.key] = all
	}
	if p := all[i]; p != nil {
		if s.live(p) {
			return 0, false
		}
		revision = p.revision
	}
	if s.count(m.key) >= m.most { // there were more places once
		return 0, false
	}
	all[i] = &place{mine: true, revision: revision}
	return revision, true
}

// unreserve gives a place up that could not be taken. A conflict is looked into; every other error is returned.
func (s *places) unreserve(ctx context.Context, one *seat, err error) error {
	s.forget(one)
	if !foldstream.Is(err, foldstream.Conflict) {
		return err
	}
	v, err := s.values.Get(ctx, s.name(one.key, one.i))
	if foldstream.Is(err, foldstream.NotFound) {
		return nil
	}
	if err == nil {
		s.learn(v)
	}
	return err
}

// forget takes a place of ours out of what is known.
func (s *places) forget(one *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear(one.key, one.i)
}

// clear is taken with mu held.
func (s *places) clear(key string, i int) {
	if delete(s.seen[key], i); len(s.seen[key]) == 0 {
		delete(s.seen, key)
	}
}

// write puts the seat's entry over the revision it knows.
func (s *places) write(ctx context.Context, one *seat) error {
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.over {
		return nil
	}
	one.beat++
	data, err := json.Marshal(entry{Holder: s.holder, Life: s.life, Lease: s.leaseTime().Milliseconds(), Beat: one.beat})
	if err != nil {
		return foldstream.E(foldstream.Internal, "limit", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.leaseTime())
	defer cancel()
	revision, err := s.values.Put(ctx, foldstream.Value{Key: s.name(one.key, one.i), Data: data, Revision: one.revision})
	if err == nil {
		one.revision = revision
	}
	return err
}

// watch follows the entries of others until ctx ends.
func (s *places) watch(ctx context.Context) {
	for wait := firstPause; ctx.Err() == nil; wait = min(2*wait, lastPause) {
		for v, err := range s.values.Watch(ctx, s.prefix()) {
			if err != nil {
				s.failed("the places cannot be watched; trying again", err)
				break
			}
			wait = firstPause
			s.learn(v)
		}
		s.blinded()
		pause(ctx, jitter(wait))
	}
}

// learn takes in an entry as the store shows it.
func (s *places) learn(v foldstream.Value) {
	key, number, ok := strings.Cut(strings.TrimPrefix(v.Key, s.prefix()), "/")
	i, err := strconv.Atoi(number)
	if !ok || err != nil || i < 0 {
		return
	}
	s.mu.Lock()
	old := s.seen[key][i]
	if old != nil && (old.mine || old.revision >= v.Revision) {
		s.mu.Unlock()
		return
	}
	switch {
	case v.Deleted:
		s.clear(key, i)
	case s.seen[key] == nil:
		s.seen[key] = map[int]*place{i: s.read(v)}
	default:
		s.seen[key][i] = s.read(v)
	}
	s.mu.Unlock()
	if v.Deleted && old != nil {
		s.freed()
	}
}

// read makes a place of an entry. One of our own that we do not hold is left of a write without an answer, and free; one that cannot
// be read is given the lease of ours.
func (s *places) read(v foldstream.Value) *place {
	p, e := &place{revision: v.Revision, lease: s.lease, since: clock.Tick()}, entryOf(v)
	switch {
	case e.Life == s.life:
		p.lease = 0
	case e.Lease > 0:
		p.lease = time.Duration(min(e.Lease, defaultLease.Milliseconds())) * time.Millisecond // nobody's is longer
	}
	return p
}

// entryOf reads an entry; the zero entry where that cannot be.
func entryOf(v foldstream.Value) entry {
	var e entry
	if json.Unmarshal(v.Data, &e) != nil {
		return entry{}
	}
	return e
}
