package collect

import (
	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

func (s Summary) encode() ([]byte, error) {
	return encode(&wireSummary{
		Members: string(s.Members), Round: s.Round, Spec: wire.SpecOf(s.Spec), Certified: s.Certified, Settled: s.Settled,
		Expected: s.Expected, Present: s.Present, Failed: s.Failed, Ensemble: s.Ensemble,
		Groups: wire.Each(s.Groups, func(g GroupSummary) wireGroupSummary {
			return wireGroupSummary{wire.Key(g.Key), g.Expected, g.Present, g.Failed}
		}),
		Gaps: s.Gaps, Overlaps: s.Overlaps, Duplicates: s.Duplicates, Codes: packCodes(s.Codes),
	})
}

func decodeSummary(what string, data []byte) (Summary, error) {
	var w wireSummary
	if err := decode(what, data, &w); err != nil {
		return Summary{}, err
	}
	return Summary{
		Members: foldstream.Digest(w.Members), Round: w.Round, Spec: w.Spec.Spec(), Certified: w.Certified, Settled: w.Settled,
		Expected: w.Expected, Present: w.Present, Failed: w.Failed, Ensemble: w.Ensemble,
		Groups: wire.Each(w.Groups, func(g wireGroupSummary) GroupSummary {
			return GroupSummary{wire.KeyOf(g.Key), g.Expected, g.Present, g.Failed}
		}),
		Gaps: w.Gaps, Overlaps: w.Overlaps, Duplicates: w.Duplicates, Codes: unpackCodes(w.Codes),
	}, nil
}

// encode writes the group. basis is the digest of what the group was to be folded from, see basisOf; daily is where its
// daily values are.
func (g Group) encode(basis foldstream.Digest, daily Blob) ([]byte, error) {
	return encode(&wireGroup{
		Key: wire.Key(g.Key), Basis: string(basis),
		Expected: g.Coverage.Expected, Present: g.Coverage.Present,
		Failed: packIDs(g.Coverage.Failed), Missing: packIDs(g.Coverage.Missing),
		Gaps: wire.Each(g.Coverage.Gaps, wire.Segment), Overlaps: wire.Each(g.Coverage.Overlaps, wire.Segment),
		Windows: wire.Each(g.Windows, packWindow), Metrics: packMetrics(g.Metrics), Faults: g.Faults,
		Daily: packBlob(daily), Frame: packBlob(g.Frame), Duplicates: wire.Each(g.Coverage.Duplicates, wire.Segment),
	})
}

// decodeGroup reads a group but for its Daily, whose place it returns.
func decodeGroup(what string, data []byte) (g Group, basis foldstream.Digest, daily Blob, err error) {
	var w wireGroup
	if err = decode(what, data, &w); err != nil {
		return g, "", daily, err
	}
	g = Group{
		Key: wire.KeyOf(w.Key), Metrics: unpackMetrics(w.Metrics), Faults: w.Faults, Frame: w.Frame.unpack(),
		Coverage: foldstream.Coverage{
			Expected: w.Expected, Present: w.Present, Failed: unpackIDs(w.Failed), Missing: unpackIDs(w.Missing),
		},
	}
	if g.Coverage.Gaps, err = wire.TryEach(w.Gaps, wire.SegmentOf); err == nil {
		g.Coverage.Overlaps, err = wire.TryEach(w.Overlaps, wire.SegmentOf)
	}
	if err == nil {
		g.Coverage.Duplicates, err = wire.TryEach(w.Duplicates, wire.SegmentOf)
	}
	if err == nil {
		g.Windows, err = wire.TryEach(w.Windows, wireWindow.unpack)
	}
	return g, foldstream.Digest(w.Basis), w.Daily.unpack(), foldstream.E(foldstream.Invalid, what, err)
}

func packBlob(b Blob) wireBlob { return wireBlob{b.Inline, string(b.Digest)} }

func (w wireBlob) unpack() Blob { return Blob{w.Inline, foldstream.Digest(w.Digest)} }

func packWindow(v Window) wireWindow {
	return wireWindow{v.Index, wire.Segment(v.Test), string(v.Task), string(v.Status), packMetrics(v.Metrics), v.Fault, v.Code}
}

func (w wireWindow) unpack() (Window, error) {
	test, err := wire.SegmentOf(w.Test)
	return Window{w.Index, test, foldstream.TaskID(w.Task), foldstream.Status(w.Status), unpackMetrics(w.Metrics), w.Fault, w.Code}, err
}
