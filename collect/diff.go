package collect

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// Tolerance says which numbers count as equal: those whose difference is at most Abs + Rel × the larger of their sizes. The zero Tolerance is
// exact. NaN equals NaN, and an infinity itself.
type Tolerance struct{ Abs, Rel float64 }

// Equal reports whether two numbers count as equal.
func (t Tolerance) Equal(a, b float64) bool {
	switch {
	case a == b, math.IsNaN(a) && math.IsNaN(b):
		return true
	case math.IsInf(a, 0) || math.IsInf(b, 0):
		return false
	}
	return math.Abs(a-b) <= t.Abs+t.Rel*max(math.Abs(a), math.Abs(b))
}

// DiffOptions say how to compare. The zero DiffOptions compare exactly, and everything.
type DiffOptions struct {
	Tolerance
	Common bool // only the members that both have; a configuration only where both have the same windows of it
}

// Diff is how two experiments differ, the left one and the right one: first what they were told, then what came of it, member by member (by
// configuration and window) and configuration by configuration, the ensemble as one of them.
type Diff struct {
	Left, Right string
	Settings    []Setting   // that are not the same
	Windows     DiffCount   // the members
	Groups      DiffCount   // the configurations and the ensemble
	Redefined   int         // members on both sides whose tasks are not the same, whatever their results are
	Numbers     []DiffShare // what was compared, by name: those of configurations first
	Changes     []Change    // what is not the same, the largest change first; at most MaxChanges
	Changed     int         // how many there are of them
	OnlyLeft    []DiffPlace // at most MaxChanges
	OnlyRight   []DiffPlace
}

// MaxChanges is how many changes, and places on one side only, a Diff tells one by one.
const MaxChanges = 10_000

// Setting is something two experiments were told otherwise: "collection.portfolio.cost". "" is nothing.
type Setting struct{ Name, Left, Right string }

// DiffCount counts what was compared.
type DiffCount struct{ Identical, Changed, OnlyLeft, OnlyRight int }

func (c DiffCount) same() bool { return c.Changed+c.OnlyLeft+c.OnlyRight == 0 }

// DiffPlace is a member, a configuration or the ensemble.
type DiffPlace struct {
	Key    foldstream.Key // nil for the ensemble
	Window int            // the member's window, from 0; -1 for the configuration and the ensemble as a whole
}

// IsWindow reports whether the place is a member.
func (p DiffPlace) IsWindow() bool { return p.Window >= 0 }

// Change is one thing that is not the same on both sides: a number, or, where one of Texts is set, a text.
type Change struct {
	DiffPlace
	What        string // "annual_return", "status", "param alpha", "pred.score": a column of a frame
	Left, Right float64
	Texts       [2]string
	Cells       int    // of a column: how many values are not the same; Left and Right are those that are furthest apart
	At          string // of a column: the row of these
}

// IsText reports whether the change is one of texts.
func (c Change) IsText() bool { return c.Texts != [2]string{} }

// By is how much a number changed.
func (c Change) By() float64 { return c.Right - c.Left }

// Share is how much a number changed against the larger of its sizes, from 0 to 2: the order of changes. It is infinite where that is no
// number, and for texts.
func (c Change) Share() float64 {
	share := math.Abs(c.By()) / max(math.Abs(c.Left), math.Abs(c.Right))
	if c.IsText() || math.IsNaN(share) {
		return math.Inf(1)
	}
	return share
}

// compare is the order of changes: the largest first; of those that are equal configurations before windows, in key order.
func (c Change) compare(d Change) int {
	return cmp.Or(cmp.Compare(d.Share(), c.Share()), c.DiffPlace.compare(d.DiffPlace), strings.Compare(c.What, d.What))
}

func (p DiffPlace) compare(q DiffPlace) int {
	if p.IsWindow() != q.IsWindow() {
		return cmp.Compare(p.Window, q.Window)
	}
	return cmp.Or(p.Key.Compare(q.Key), cmp.Compare(p.Window, q.Window))
}

// DiffShare tells of one number how many places have it and in how many of them it changed.
type DiffShare struct {
	What     string
	Window   bool // of members, not of configurations
	Compared int
	Changed  int
	Largest  Change // the largest change; the zero Change where there is none
}

// Same reports whether nothing that came of the experiments differs. What they were told may.
func (d Diff) Same() bool { return d.Windows.same() && d.Groups.same() }

// DiffOf compares the collections of two experiments of a store and the results of their members, frames included. It holds the metrics of
// the left one's members and two frames at a time. Errors: NotFound, Invalid (a frame that cannot be read).
func DiffOf(ctx context.Context, store foldstream.Store, left, right Collection, o DiffOptions) (Diff, error) {
	d := &differ{store: store, o: o, shares: map[string]*DiffShare{}}
	d.Left, d.Right = left.Experiment, right.Experiment
	if err := d.windows(ctx); err != nil {
		return Diff{}, err
	}
	d.groups(left, right)
	d.Settings = append(settingsOf(d.of[0], d.of[1], left, right), d.codes()...)
	d.settle()
	return d.Diff, nil
}

// differ compares.
type differ struct {
	Diff
	store  foldstream.Store
	o      DiffOptions
	of     [2]foldstream.Experiment
	code   [2]map[string]bool // versions of the code that made results
	shares map[string]*DiffShare
}

// settle puts what was found in order.
func (d *differ) settle() {
	d.cutChanges()
	for _, places := range []*[]DiffPlace{&d.OnlyLeft, &d.OnlyRight} {
		slices.SortFunc(*places, DiffPlace.compare)
		*places = (*places)[:min(len(*places), MaxChanges)]
	}
	for _, s := range d.shares {
		d.Numbers = append(d.Numbers, *s)
	}
	slices.SortFunc(d.Numbers, func(a, b DiffShare) int {
		if a.Window != b.Window {
			return map[bool]int{true: 1, false: -1}[a.Window]
		}
		return strings.Compare(a.What, b.What)
	})
}

func (d *differ) cutChanges() {
	slices.SortFunc(d.Changes, Change.compare)
	d.Changes = d.Changes[:min(len(d.Changes), MaxChanges)]
}

// changed takes a change in.
func (d *differ) changed(c Change) {
	d.Changed++
	if d.Changes = append(d.Changes, c); len(d.Changes) >= 2*MaxChanges {
		d.cutChanges()
	}
}

// number compares a number that both sides have, and reports whether it is the same.
func (d *differ) number(c Change) bool {
	same := c.Cells == 0 && d.o.Equal(c.Left, c.Right)
	name := c.What
	if c.IsWindow() {
		name = "window " + name
	}
	s := d.shares[name]
	if s == nil {
		s = &DiffShare{What: c.What, Window: c.IsWindow()}
		d.shares[name] = s
	}
	s.Compared++
	if same {
		return true
	}
	if s.Changed++; s.Changed == 1 || c.compare(s.Largest) < 0 {
		s.Largest = c
	}
	d.changed(c)
	return false
}

// text compares a text, and reports whether it is the same.
func (d *differ) text(at DiffPlace, what, left, right string) bool {
	if left != right {
		d.changed(Change{DiffPlace: at, What: what, Texts: [2]string{orAbsent(left), orAbsent(right)}})
	}
	return left == right
}

// absent stands for what one side does not have.
const absent = "none"

func orAbsent(text string) string { return cmp.Or(text, absent) }

// metrics compares all numbers of a place, and reports whether they are the same.
func (d *differ) metrics(at DiffPlace, left, right Metrics) bool {
	same := true
	for _, name := range namesOf(left, right) {
		a, inLeft := left[name]
		b, inRight := right[name]
		if inLeft && inRight {
			same = d.number(Change{DiffPlace: at, What: name, Left: a, Right: b}) && same
		} else {
			same = d.text(at, name, textOf(a, inLeft), textOf(b, inRight)) && same
		}
	}
	return same
}
