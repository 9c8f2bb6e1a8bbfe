package stream

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

var sizeFlag = flag.Int("tasks", 20_000, "how many tasks the test of the index's size holds")

// TestIndex_Size holds many finished tasks in memory and weighs them: no more than 200 bytes each.
func TestIndex_Size(t *testing.T) {
	n := *sizeFlag
	var x *index
	weigh := func() float64 {
		x = newIndex(newLayout("fold"))
		before := heap()
		for i := range n {
			x.define(definition(x.lay, i, uint64(i+1)))
		}
		for i := range n {
			x.follow(event(x.lay, i, uint64(i+1), foldstream.Done))
		}
		return (float64(heap()) - float64(before)) / float64(n)
	}
	each := weigh()
	for range 10 { // what other tests leave behind, and what of theirs is collected, is weighed with it
		if each > 72 && each <= 200 {
			break
		}
		each = weigh()
	}
	t.Logf("%d tasks take %.0f bytes each", n, each)
	if each <= 72 || each > 200 {
		t.Errorf("%d tasks take %.0f bytes each", n, each)
	}
	if got := x.rolls["p"].counts.told()[foldstream.Done]; got != n {
		t.Errorf("%d of %d tasks are done", got, n)
	}
}

func definition(lay layout, i int, seq uint64) *stored {
	return &stored{subject: lay.def("p", numbered(i)), seq: seq, at: time.Unix(int64(seq), 0)}
}

func event(lay layout, i int, seq uint64, status foldstream.Status) *stored {
	kind := foldstream.EventEnd
	for k, statuses := range lives {
		if slices.Contains(statuses, status) {
			kind = k
		}
	}
	l := link{Event: foldstream.Event{Kind: kind, Status: status, Worker: "host-1", Stage: "fit", Attempt: 1}, nonce: "n", session: "s"}
	return &stored{subject: lay.event("p", numbered(i)), seq: seq, at: time.Unix(int64(seq), 0), header: nats.Header{headerEvent: {l.line()}}}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// numbered returns ids as scattered as real ones.
func numbered(i int) foldstream.TaskID {
	var k key
	binary.LittleEndian.PutUint64(k[:], uint64(i+1)*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint64(k[8:], uint64(i+1)*0xbf58476d1ce4e5b9)
	return k.id()
}

// known is what a list has of a task that an index has in its own way.
type known struct {
	id         foldstream.TaskID
	def, event uint64
	status     foldstream.Status
}

// TestIndex_Quick gives an index definitions and events of few or many tasks, again and again, as two readers bring them, and compares it
// with a list that is searched from its start.
func TestIndex_Quick(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		x, list := newIndex(newLayout("fold")), make([]known, []int{3, 40, 1500}[random.IntN(3)])
		var defs, events uint64
		for range 1 + random.IntN(8) {
			for i := range list {
				k := &list[i]
				k.id = numbered(i)
				if random.IntN(2) == 0 {
					defs += 1 + random.Uint64N(3)
					k.def = defs
					x.define(definition(x.lay, i, defs))
				}
				if random.IntN(2) == 0 {
					events += 1 + random.Uint64N(3)
					k.event, k.status = events, statusRow[random.IntN(len(statusRow))]
					x.follow(event(x.lay, i, events, k.status))
				}
			}
		}
		list = slices.DeleteFunc(list, func(k known) bool { return k.def == 0 })
		slices.SortFunc(list, func(a, b known) int { return cmp.Compare(a.def, b.def) })
		if err := compareRoll(x.rolls["p"], list, random); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// compareRoll wants a roll to count as the list does, and to page through it in the same order.
func compareRoll(r *roll, list []known, random *rand.Rand) error {
	counts := foldstream.Counts{}
	for i := range list {
		if list[i].event == 0 {
			list[i].status = foldstream.Waiting
		}
		counts[list[i].status]++
	}
	if r == nil {
		r = &roll{}
	}
	if got := r.counts.told(); !maps.Equal(got, counts) {
		return fmt.Errorf("counts %v, want %v", got, counts)
	}
	for range 5 {
		q := foldstream.TaskQuery{Limit: 1 + random.IntN(2000)}
		if random.IntN(2) == 0 {
			q.Statuses = []foldstream.Status{statusRow[random.IntN(len(statusRow))], foldstream.Removed}
		}
		past := uint64(0)
		if len(list) > 0 {
			past = list[random.IntN(len(list))].def - random.Uint64N(2)
		}
		rest := slices.DeleteFunc(slices.Clone(list), func(k known) bool { return k.def <= past || !q.Wants(k.status) })
		want, _ := wanting(q.Statuses)
		found, more := r.page(past, want, q.Limit)
		if more != (len(rest) > q.Limit) || len(found) != min(len(rest), q.Limit) {
			return fmt.Errorf("a page of %d, more: %v; want %d of %d", len(found), more, q.Limit, len(rest))
		}
		for i, e := range found {
			if got := (known{e.key.id(), e.def, e.event, statusRow[e.status]}); got != rest[i] {
				return fmt.Errorf("entry %d of the page is %+v, want %+v", i, got, rest[i])
			}
		}
	}
	return nil
}

// FuzzQuestion wants whatever comes as a question to be answered or refused.
func FuzzQuestion(f *testing.F) {
	for _, body := range []string{"", "{}", `{"version":1,"pool":"p","statuses":["done"],"after":"aaaaaaaaaaaaaaaaaaaaaaaaaa","past":1,"limit":3}`, `{"version":2}`, "[", `{} {}`} {
		f.Add([]byte(body))
	}
	x := &indexer{index: newIndex(newLayout("fold"))}
	for i := range 3000 {
		x.define(definition(x.lay, i, uint64(i+1)))
		x.follow(event(x.lay, i, uint64(i+1), statusRow[i%len(statusRow)]))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := readQuestion(body)
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		for _, answer := range []answerer{(*indexer).stat, (*indexer).tasks} {
			reply, err := answer(x, q)
			if err == nil {
				_, err = json.Marshal(reply)
			}
			if err != nil && !foldstream.Is(err, foldstream.Invalid) && !foldstream.Is(err, foldstream.NotFound) {
				t.Errorf("%q: %v", body, err)
			}
		}
	})
}
