package collect

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// slot is the place of one member of a group and what became of it so far.
type slot struct {
	foldstream.Expectation
	status  foldstream.Status // Waiting for all that is not final
	metrics Metrics           // of the winning result
	frame   foldstream.Frame  // of the winning result, until the group is closed
	fault   string            // why the winning result cannot be folded
	code    string            // version of the code that made the winning result
}

func (s slot) present() bool { return s.status == foldstream.Done && s.fault == "" }

// given up: the member will not come unless somebody asks for it.
func (s slot) failed() bool { return s.status.Final() && !s.present() }

// group is the state of one configuration. It is closed once every member was present when its value was stored; then
// its slots keep no frames and nothing changes it.
type group struct {
	key    foldstream.Key
	basis  foldstream.Digest // of what the value depends on besides the results
	slots  []slot            // by window
	dirty  bool              // changed since the value was stored
	closed bool

	cover foldstream.Coverage // of the stored value
	frame Blob                // of the stored value, once it is final
}

func newGroup(spec foldstream.CollectionSpec, members []foldstream.Expectation, sessions []foldstream.Time) (*group, error) {
	basis, err := basisOf(spec, members, sessions)
	g := &group{key: members[0].Key, basis: basis, slots: make([]slot, len(members)), dirty: true}
	for i, m := range members {
		g.slots[i] = slot{Expectation: m, status: foldstream.Waiting}
	}
	return g, err
}

// basisOf is the digest of what a group is folded from besides its members' results. A stored value of the same basis with
// every member present is the value, and is not computed again.
func basisOf(spec foldstream.CollectionSpec, members []foldstream.Expectation, sessions []foldstream.Time) (foldstream.Digest, error) {
	data, err := encode(struct {
		Spec    wire.Spec
		Members *wire.Members
	}{wire.SpecOf(spec), wire.MembersOf(members, foldstream.Tested(sessions, members))})
	return digestOf(data), err
}

func digestOf(data []byte) foldstream.Digest {
	sum := sha256.Sum256(data)
	return foldstream.Digest(hex.EncodeToString(sum[:]))
}

// count returns how many members are present and how many given up.
func (g *group) count() (present, failed int) {
	for _, s := range g.slots {
		switch {
		case s.present():
			present++
		case s.failed():
			failed++
		}
	}
	return present, failed
}

// codes counts the members that are present by the code that made them.
func (g *group) codes() Codes {
	codes := Codes{}
	for _, s := range g.slots {
		if s.present() {
			codes[s.code]++
		}
	}
	return codes
}

// final reports whether every member is present or given up.
func (g *group) final() bool {
	present, failed := g.count()
	return present+failed == len(g.slots)
}

// close drops the frames of a group all of whose members are present. Others stay open: a failed member may be tried again.
func (g *group) close() {
	if present, _ := g.count(); present < len(g.slots) {
		return
	}
	g.closed = true
	for i := range g.slots {
		g.slots[i].frame = foldstream.Frame{}
	}
}

// restore closes the group where its stored value has every member and was folded from the same.
func (g *group) restore(data []byte) {
	value, basis, _, err := decodeGroup("group", data)
	if err != nil || basis != g.basis || value.Coverage.Present < len(g.slots) || len(value.Windows) < len(g.slots) || value.Frame.IsEmpty() {
		return
	}
	for i := range g.slots {
		g.slots[i].status = foldstream.Done
		g.slots[i].code = value.Windows[i].Code
	}
	g.dirty, g.closed, g.cover, g.frame = false, true, value.Coverage, value.Frame
}

// fold returns the group's value as of now and its merged series. It is a pure function of the spec, the sessions and the slots.
func (g *group) fold(spec foldstream.CollectionSpec, sessions []foldstream.Time) (Group, foldstream.Frame) {
	out := Group{Key: g.key, Windows: wire.Each(g.slots, slot.window)}
	r := NewRolling(wire.Each(g.slots, func(s slot) foldstream.Expectation { return s.Expectation }), foldstream.Tested(sessions, expectations(g.slots)))
	for _, s := range g.slots {
		if s.present() {
			if err := r.Add(foldstream.Member{Expectation: s.Expectation, Frame: s.frame}); err != nil {
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
	for _, s := range g.slots {
		switch {
		case s.failed():
			out.Coverage.Failed = append(out.Coverage.Failed, s.Task)
		case !s.present():
			out.Coverage.Missing = append(out.Coverage.Missing, s.Task)
		}
	}
	out.assess(merged, spec)
	return out, merged
}

func expectations(slots []slot) []foldstream.Expectation {
	return wire.Each(slots, func(s slot) foldstream.Expectation { return s.Expectation })
}

func (s slot) window() Window {
	return Window{Index: s.Window.Index, Test: s.Test, Task: s.Task, Status: s.status, Metrics: s.metrics, Fault: s.fault, Code: s.code}
}

// take sets what an event says of the member. frame and fault are those of a result. It reports whether that changed
// anything that is stored.
func (s *slot) take(ev foldstream.Event, frame foldstream.Frame, fault string) bool {
	before := s.status
	if ev.Kind == foldstream.EventResult && ev.Result != nil {
		*s = slot{
			Expectation: s.Expectation, status: foldstream.Done,
			metrics: cloneMetrics(ev.Result.Metrics), frame: frame, fault: fault, code: ev.Result.Code,
		}
		return true
	}
	s.status = foldstream.Waiting
	if ev.Status.Final() && ev.Kind == foldstream.EventEnd {
		s.status = ev.Status
	}
	s.metrics, s.frame, s.fault, s.code = nil, foldstream.Frame{}, "", ""
	return s.status != before
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
