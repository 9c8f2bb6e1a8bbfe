package stream

import (
	"slices"
	"sort"

	"github.com/foldstream/foldstream"
)

// statusRow numbers the statuses.
var statusRow = [...]foldstream.Status{
	foldstream.Waiting, foldstream.Running, foldstream.PartDone, foldstream.Done, foldstream.Dead, foldstream.Withdrawn, foldstream.Removed,
}

// tally is how many tasks have each status.
type tally [len(statusRow)]int32

// entry is one task of the index, in 72 bytes.
type entry struct {
	def     uint64 // sequence of its definition; 0 is none: it was not read yet, or the task has another place
	event   uint64 // sequence of its last event; 0 is none
	updated int64  // when that was, in ns
	until   int64  // of a return: not before, in ns; 0 is no time
	attempt uint32
	stage   name
	worker  name
	crashes uint16
	key     key
	status  uint8 // in statusRow
	moved   uint8 // as in link
	trouble bool  // the last event says why an attempt failed
}

// blockSize is how many tasks are counted together, so that a page of few passes over many.
const blockSize = 1024

// block is a run of tasks of a roll.
type block struct {
	first   uint64 // sequence of the first one's definition
	entries []entry
	counts  tally
}

// roll is the tasks of one pool in order of creation. The zero roll has none.
type roll struct {
	at      map[key]int32 // the task's place: of blockSize tasks in each block
	early   map[key]entry // events of tasks whose definition was not read yet, or is gone
	blocks  []*block
	counts  tally
	left    int  // places that tasks have left
	foreign bool // there is something in the pool that this program does not understand
}

// define takes the definition of a task, which then is the youngest, and reports whether the task had none.
func (r *roll) define(k key, seq uint64) (isNew bool) {
	place, known := r.at[k]
	e := r.early[k]
	if known {
		e = *r.entry(place)
		if seq <= e.def {
			return false
		}
		r.leave(place)
	}
	if delete(r.early, k); len(r.early) == 0 {
		r.early = nil // a map keeps the room it once took
	}
	e.key, e.def = k, seq
	r.append(e)
	if r.left > blockSize+len(r.at) {
		r.compact()
	}
	return !known
}

// follow takes the last event of e's task and reports whether the task had none.
func (r *roll) follow(e entry) (isNew bool) {
	place, known := r.at[e.key]
	if !known {
		if r.early == nil {
			r.early = map[key]entry{}
		}
		old := r.early[e.key]
		if e.event > old.event {
			r.early[e.key] = e
		}
		return old.event == 0
	}
	old := r.entry(place)
	if e.event <= old.event {
		return false
	}
	isNew, e.def = old.event == 0, old.def
	r.count(place, old.status, -1)
	*old = e
	r.count(place, e.status, +1)
	return isNew
}

func (r *roll) append(e entry) {
	if len(r.blocks) == 0 || len(r.blocks[len(r.blocks)-1].entries) == blockSize {
		b := &block{first: e.def}
		if len(r.blocks) > 0 {
			b.entries = make([]entry, 0, blockSize)
		}
		r.blocks = append(r.blocks, b)
	}
	if r.at == nil {
		r.at = map[key]int32{}
	}
	last := r.blocks[len(r.blocks)-1]
	place := int32((len(r.blocks)-1)*blockSize + len(last.entries))
	last.entries = append(last.entries, e)
	r.at[e.key] = place
	r.count(place, e.status, +1)
}

// leave empties a place.
func (r *roll) leave(place int32) {
	e := r.entry(place)
	r.count(place, e.status, -1)
	e.def = 0
	r.left++
}

// compact closes the gaps.
func (r *roll) compact() {
	old := r.blocks
	r.blocks, r.counts, r.left = nil, tally{}, 0
	for _, b := range old {
		for _, e := range b.entries {
			if e.def > 0 {
				r.append(e)
			}
		}
	}
}

func (r *roll) entry(place int32) *entry {
	return &r.blocks[place/blockSize].entries[place%blockSize]
}

func (r *roll) count(place int32, status uint8, n int32) {
	r.counts[status] += n
	r.blocks[place/blockSize].counts[status] += n
}

// page returns up to n tasks whose definition comes after the sequence past, of the statuses that want counts, and whether there are
// more. Blocks without any are passed over.
func (r *roll) page(past uint64, want tally, n int) (found []entry, more bool) {
	begin := sort.Search(len(r.blocks), func(i int) bool { return r.blocks[i].first > past })
	for _, b := range r.blocks[max(begin-1, 0):] {
		if !b.has(want) {
			continue
		}
		for _, e := range b.entries {
			if e.def <= past || want[e.status] == 0 {
				continue
			}
			if len(found) == n {
				return found, true
			}
			found = append(found, e)
		}
	}
	return found, false
}

func (b *block) has(want tally) bool {
	for i, n := range b.counts {
		if n > 0 && want[i] > 0 {
			return true
		}
	}
	return false
}

// wanting returns the tally that counts these statuses; none is all. False: one of them is unknown.
func wanting(statuses []foldstream.Status) (want tally, ok bool) {
	for _, s := range statuses {
		i := slices.Index(statusRow[:], s)
		if i < 0 {
			return want, false
		}
		want[i] = 1
	}
	for i := range want {
		if len(statuses) == 0 {
			want[i] = 1
		}
	}
	return want, true
}

// told is the tally in the words of the contracts.
func (t tally) told() foldstream.Counts {
	counts := foldstream.Counts{}
	for i, n := range t {
		if n > 0 {
			counts[statusRow[i]] = int(n)
		}
	}
	return counts
}
