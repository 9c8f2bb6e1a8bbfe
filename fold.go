package foldstream

import "fmt"

// Fold reduces members to one frame. The order in which members are added and adding one again make no difference to the
// bytes of the value. It is used by one goroutine.
type Fold interface {
	// Add takes a member. Errors: Invalid (a frame of another shape), Conflict (another task for the same place).
	Add(m Member) error
	// Value returns the frame of the members so far and how complete it is.
	Value() (Frame, Coverage, error)
}

// Member is one result with its place in a collection.
type Member struct {
	Expectation
	Frame Frame
}

// Coverage is how complete a collection or one group of it is.
type Coverage struct {
	Expected int
	Present  int
	Failed   []TaskID // given up; they count as missing
	Missing  []TaskID // not there yet
	Gaps     []Segment
	Overlaps []Segment
	// Duplicates are the sessions of which one member has a row twice; the last of its rows is in the frame.
	Duplicates []Segment
}

// Complete reports whether every expected member is present and no session is missing or doubled.
func (c Coverage) Complete() bool {
	return c.Present == c.Expected && len(c.Gaps) == 0 && len(c.Overlaps) == 0 && len(c.Duplicates) == 0
}

// String says in numbers what is there and what is wrong: "118 of 120 members, 2 failed, 1 gaps, 0 overlaps, 0 duplicates".
func (c Coverage) String() string {
	return fmt.Sprintf("%d of %d members, %d failed, %d gaps, %d overlaps, %d duplicates",
		c.Present, c.Expected, len(c.Failed), len(c.Gaps), len(c.Overlaps), len(c.Duplicates))
}
