package stream

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/foldstream/foldstream"
)

// index is where the tasks of all pools stand, in memory: what their definitions and their last events say, without bodies. Two
// readers tell it of the messages of DEFS and EVENTS, each in order. It is safe for concurrent use.
type index struct {
	lay    layout
	mu     sync.Mutex
	rolls  map[string]*roll
	names  names
	defs   feed
	events feed
}

func newIndex(lay layout) *index {
	return &index{
		lay: lay, rolls: map[string]*roll{},
		defs:   feed{stream: lay.defs(), root: lay.prefix + ".def."},
		events: feed{stream: lay.events(), root: lay.prefix + ".event.", last: true},
	}
}

// define takes the next message of DEFS.
func (x *index) define(m *stored) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.defs.pass(m.seq - 1)
	if r, k := x.locate(&x.defs, m.subject); r != nil && r.define(k, m.seq) {
		x.defs.subjects++
	}
	x.came(&x.defs, m)
}

// follow takes the next message of EVENTS.
func (x *index) follow(m *stored) {
	l, err := readLink(m)
	status := slices.Index(statusRow[:], l.Status)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.events.pass(m.seq - 1)
	if r, k := x.locate(&x.events, m.subject); r != nil {
		if err != nil || status < 0 {
			r.foreign, status, l.Seq = true, 0, foldstream.Cursor(m.seq)
		}
		if r.follow(x.entry(k, l, uint8(status))) {
			x.events.subjects++
		}
	}
	x.came(&x.events, m)
}

func (x *index) came(f *feed, m *stored) {
	f.tail = point{m.seq, m.at}
	f.pass(m.seq)
}

// locate returns the roll and the key of a subject's task; nil where it is no task's. The caller holds mu.
func (x *index) locate(f *feed, subject string) (*roll, key) {
	pool, id, _ := strings.Cut(strings.TrimPrefix(subject, f.root), ".")
	r := x.rolls[pool]
	if r == nil {
		r = &roll{}
		x.rolls[strings.Clone(pool)] = r
	}
	k, ok := keyOf(foldstream.TaskID(id))
	if !ok {
		r.foreign = true
		f.stray(subject)
		return nil, k
	}
	return r, k
}

// entry is a link as the index holds it. The caller holds mu.
func (x *index) entry(k key, l link, status uint8) entry {
	e := entry{
		key: k, event: uint64(l.Seq), updated: l.At.UnixNano(), status: status, moved: uint8(min(l.moved, math.MaxUint8)),
		attempt: uint32(min(uint64(l.Attempt), math.MaxUint32)), crashes: uint16(min(l.crashes, math.MaxUint16)),
		stage: x.names.of(l.Stage), worker: x.names.of(l.Worker), trouble: l.trouble != "",
	}
	if !l.until.IsZero() {
		e.until = l.until.UnixNano()
	}
	return e
}

// name stands for a text that many tasks share; 0 is "".
type name uint32

// names are texts, each held once.
type names struct {
	known map[string]name
	all   []string
}

func (n *names) of(text string) name {
	if n.known == nil {
		n.known, n.all = map[string]name{"": 0}, []string{""}
	}
	i, known := n.known[text]
	if !known {
		text = strings.Clone(text) // it may be a piece of a whole message
		i = name(len(n.all))
		n.known[text], n.all = i, append(n.all, text)
	}
	return i
}

func (n *names) text(i name) string {
	if i == 0 {
		return ""
	}
	return n.all[i]
}
