package metric

import (
	"cmp"
	"math"
	"slices"
)

// holding is an instrument that is held.
type holding struct {
	name  string
	since int // the count of the time it was bought at
	row   int // its row of the day; −1 where it has none
}

func (h holding) compare(name string) int { return cmp.Compare(h.name, name) }

// day is the rows of one time, in order of name.
type day struct {
	names  []string
	scores []float64
}

// ranked returns the rows with a score, the highest first; equal scores are in order of name.
func (d day) ranked() []int {
	var rows []int
	for i, s := range d.scores {
		if !math.IsNaN(s) {
			rows = append(rows, i)
		}
	}
	slices.SortStableFunc(rows, func(i, j int) int { return cmp.Compare(d.scores[j], d.scores[i]) })
	return rows
}

// choose returns what is held next, in order of name: of what is held and those of the rest that could come in, the best; as
// much as may be sold at time now.
func (p Portfolio) choose(held []holding, d day, now int) []holding {
	drop := p.NDrop
	if drop == 0 {
		drop = p.TopK
	}
	free, newcomers := p.TopK, drop+p.TopK-len(held)
	for _, h := range held {
		if p.locked(h, now) {
			free--
		}
	}
	var next []holding
	for _, row := range d.ranked() {
		at, has := slices.BinarySearchFunc(held, d.names[row], holding.compare)
		h := holding{d.names[row], now, row}
		switch {
		case has:
			h.since = held[at].since
		case newcomers == 0:
			continue
		default:
			newcomers--
		}
		if has && p.locked(h, now) {
			next = append(next, h)
		} else if free > 0 {
			free--
			next = append(next, h)
		}
	}
	next = p.unscored(next, held, d, drop, now)
	slices.SortFunc(next, func(a, b holding) int { return a.compare(b.name) })
	return next
}

// unscored adds to next, which is chosen among those with a score, the held without one that may not be sold: those that are
// locked, and those beyond what may be sold at one time.
func (p Portfolio) unscored(next, held []holding, d day, drop, now int) []holding {
	stay := 0
	for _, h := range next {
		if h.since != now {
			stay++
		}
	}
	var without []holding
	for _, h := range held {
		row, there := slices.BinarySearch(d.names, h.name)
		if there && !math.IsNaN(d.scores[row]) {
			continue
		}
		if h.row = row; !there {
			h.row = -1
		}
		without = append(without, h)
	}
	sold := len(held) - stay - len(without)
	for _, h := range without {
		if !p.locked(h, now) && sold < drop {
			sold++
			continue
		}
		next = append(next, h)
	}
	return next
}

// locked reports whether a holding has not been held for long enough to be sold.
func (p Portfolio) locked(h holding, now int) bool { return now-h.since < p.MinHold }
