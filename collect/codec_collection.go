package collect

import (
	"github.com/foldstream/foldstream"
)

func (s Summary) encode() ([]byte, error) {
	return encode(&wireSummary{
		Members: string(s.Members), Spec: packSpec(s.Spec), Certified: s.Certified, Settled: s.Settled,
		Expected: s.Expected, Present: s.Present, Failed: s.Failed, Ensemble: s.Ensemble,
		Groups: mapEach(s.Groups, func(g GroupSummary) wireGroupSummary {
			return wireGroupSummary{packKey(g.Key), g.Expected, g.Present, g.Failed}
		}),
	})
}

func decodeSummary(what string, data []byte) (Summary, error) {
	var w wireSummary
	if err := decode(what, data, &w); err != nil {
		return Summary{}, err
	}
	return Summary{
		Members: foldstream.Digest(w.Members), Spec: w.Spec.unpack(), Certified: w.Certified, Settled: w.Settled,
		Expected: w.Expected, Present: w.Present, Failed: w.Failed, Ensemble: w.Ensemble,
		Groups: mapEach(w.Groups, func(g wireGroupSummary) GroupSummary {
			return GroupSummary{unpackKey(g.Key), g.Expected, g.Present, g.Failed}
		}),
	}, nil
}

// encode writes the group. basis is the digest of what the group was to be folded from, see basisOf.
func (g Group) encode(basis foldstream.Digest) ([]byte, error) {
	daily, err := g.Daily.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return encode(&wireGroup{
		Key: packKey(g.Key), Basis: string(basis),
		Expected: g.Coverage.Expected, Present: g.Coverage.Present,
		Failed: packIDs(g.Coverage.Failed), Missing: packIDs(g.Coverage.Missing),
		Gaps: mapEach(g.Coverage.Gaps, packSegment), Overlaps: mapEach(g.Coverage.Overlaps, packSegment),
		Windows: mapEach(g.Windows, packWindow), Metrics: packMetrics(g.Metrics), Daily: daily,
		Frame: g.Frame.Inline, Digest: string(g.Frame.Digest), Faults: g.Faults,
	})
}

func decodeGroup(what string, data []byte) (g Group, basis foldstream.Digest, err error) {
	var w wireGroup
	if err = decode(what, data, &w); err != nil {
		return g, "", err
	}
	g = Group{
		Key: unpackKey(w.Key), Metrics: unpackMetrics(w.Metrics), Faults: w.Faults,
		Frame: Blob{w.Frame, foldstream.Digest(w.Digest)},
		Coverage: foldstream.Coverage{
			Expected: w.Expected, Present: w.Present, Failed: unpackIDs(w.Failed), Missing: unpackIDs(w.Missing),
		},
	}
	if g.Coverage.Gaps, err = unpackSegments(w.Gaps); err == nil {
		g.Coverage.Overlaps, err = unpackSegments(w.Overlaps)
	}
	if err == nil {
		g.Windows, err = mapErr(w.Windows, wireWindow.unpack)
	}
	if err == nil {
		err = g.Daily.UnmarshalBinary(w.Daily)
	}
	return g, foldstream.Digest(w.Basis), foldstream.E(foldstream.Invalid, what, err)
}

func packWindow(v Window) wireWindow {
	return wireWindow{v.Index, packSegment(v.Test), string(v.Task), string(v.Status), packMetrics(v.Metrics), v.Fault}
}

func (w wireWindow) unpack() (Window, error) {
	test, err := unpackSegment(w.Test)
	return Window{w.Index, test, foldstream.TaskID(w.Task), foldstream.Status(w.Status), unpackMetrics(w.Metrics), w.Fault}, err
}
