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

// encode writes the group. basis is the digest of what the group was to be folded from, see basisOf; daily is where its
// daily values are.
func (g Group) encode(basis foldstream.Digest, daily Blob) ([]byte, error) {
	return encode(&wireGroup{
		Key: packKey(g.Key), Basis: string(basis),
		Expected: g.Coverage.Expected, Present: g.Coverage.Present,
		Failed: packIDs(g.Coverage.Failed), Missing: packIDs(g.Coverage.Missing),
		Gaps: mapEach(g.Coverage.Gaps, packSegment), Overlaps: mapEach(g.Coverage.Overlaps, packSegment),
		Windows: mapEach(g.Windows, packWindow), Metrics: packMetrics(g.Metrics), Faults: g.Faults,
		Daily: packBlob(daily), Frame: packBlob(g.Frame),
	})
}

// decodeGroup reads a group but for its Daily, whose place it returns.
func decodeGroup(what string, data []byte) (g Group, basis foldstream.Digest, daily Blob, err error) {
	var w wireGroup
	if err = decode(what, data, &w); err != nil {
		return g, "", daily, err
	}
	g = Group{
		Key: unpackKey(w.Key), Metrics: unpackMetrics(w.Metrics), Faults: w.Faults, Frame: w.Frame.unpack(),
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
	return g, foldstream.Digest(w.Basis), w.Daily.unpack(), foldstream.E(foldstream.Invalid, what, err)
}

func packBlob(b Blob) wireBlob { return wireBlob{b.Inline, string(b.Digest)} }

func (w wireBlob) unpack() Blob { return Blob{w.Inline, foldstream.Digest(w.Digest)} }

func packWindow(v Window) wireWindow {
	return wireWindow{v.Index, packSegment(v.Test), string(v.Task), string(v.Status), packMetrics(v.Metrics), v.Fault}
}

func (w wireWindow) unpack() (Window, error) {
	test, err := unpackSegment(w.Test)
	return Window{w.Index, test, foldstream.TaskID(w.Task), foldstream.Status(w.Status), unpackMetrics(w.Metrics), w.Fault}, err
}
