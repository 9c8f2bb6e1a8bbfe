package collect

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// group is the state of one configuration. It is closed once every member was present when its value was stored; then
// its slots keep no results and nothing changes it.
type group struct {
	key    foldstream.Key
	basis  foldstream.Digest // of what the value depends on besides the results
	slots  []slot            // by window; part of the fold's
	dirty  bool              // changed since the value was stored
	closed bool

	present, failed            int // of the slots, as of now
	gaps, overlaps, duplicates int // of the stored value: how many runs of sessions
}

// basisOf is the digest of what a group is folded from besides its members' results. A stored value of the same basis with
// every member present is the value, and is not computed again.
func basisOf(spec foldstream.CollectionSpec, members []foldstream.Expectation, sessions []foldstream.Time, round int) (foldstream.Digest, error) {
	data, err := encode(struct {
		Spec    wire.Spec
		Members *wire.Members
		Round   int `msgpack:",omitempty"` // what is stored of another is folded again
	}{wire.SpecOf(spec), wire.MembersOf(members, foldstream.Tested(sessions, members)), round})
	return digestOf(data), err
}

func digestOf(data []byte) foldstream.Digest {
	sum := sha256.Sum256(data)
	return foldstream.Digest(hex.EncodeToString(sum[:]))
}

// final reports whether every member is present or given up.
func (g *group) final() bool { return g.present+g.failed == len(g.slots) }

// count adds a slot to the counts, or with n = −1 takes it out of them.
func (g *group) count(s *slot, n int) {
	switch {
	case s.present():
		g.present += n
	case s.failed():
		g.failed += n
	}
}

// stored notes what the stored value says. A group all of whose members are present is closed by it; others stay open, as a failed member may
// be tried again.
func (g *group) stored(c foldstream.Coverage) {
	g.dirty, g.gaps, g.overlaps, g.duplicates = false, len(c.Gaps), len(c.Overlaps), len(c.Duplicates)
	if g.present < len(g.slots) {
		return
	}
	g.closed = true
	for i := range g.slots {
		g.slots[i].result = nil
	}
}

// value returns the group's value as of now and its merged series. It is a pure function of the spec, the sessions and the slots.
func (f *fold) value(g *group) (Group, foldstream.Frame) {
	out := Group{Key: g.key, Windows: make([]Window, len(g.slots))}
	members := make([]foldstream.Expectation, len(g.slots))
	for i := range g.slots {
		out.Windows[i], members[i] = f.window(&g.slots[i]), f.expectation(g.key, &g.slots[i])
	}
	r := NewRolling(members, foldstream.Tested(f.sessions, members))
	for i := range g.slots {
		if s := &g.slots[i]; s.present() {
			if err := r.Add(foldstream.Member{Expectation: members[i], Frame: s.result.frame}); err != nil {
				out.Faults = append(out.Faults, err.Error())
			}
		}
	}
	merged, cover, err := r.Value()
	if err != nil {
		out.Faults = append(out.Faults, err.Error())
	}
	out.Coverage = cover
	out.Coverage.Missing = nil
	for i := range g.slots {
		switch s := &g.slots[i]; {
		case s.failed():
			out.Coverage.Failed = append(out.Coverage.Failed, members[i].Task)
		case !s.present():
			out.Coverage.Missing = append(out.Coverage.Missing, members[i].Task)
		}
	}
	out.assess(merged, f.spec)
	return out, merged
}

// defaults returns the spec with its zero values filled in.
func defaults(spec foldstream.CollectionSpec) foldstream.CollectionSpec {
	for _, d := range []struct {
		field *string
		value string
	}{{&spec.Frame, "pred"}, {&spec.Score, "score"}, {&spec.Label, "label"}, {&spec.Return, "return"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	return spec
}

// check says why a result's frame cannot be folded, "" where it can.
func check(f foldstream.Frame, spec foldstream.CollectionSpec) string {
	if err := f.Validate(); err != nil {
		return err.Error()
	}
	if f.Len() > 0 && f.Column(spec.Score) == nil {
		return "the frame " + spec.Frame + " has no column " + spec.Score
	}
	if slices.ContainsFunc(f.Times, foldstream.Time.IsOpen) {
		return "the frame " + spec.Frame + " has a row without a time"
	}
	return ""
}
