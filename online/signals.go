package online

import (
	"bytes"
	"context"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/internal/wire"
)

// Part is the signals of a month: as an artifact of their own, so that a routine stores a few sessions anew and not all there are.
type Part struct {
	Month    string // 2006-01
	Sessions int
	Rows     int
	Span     foldstream.Segment // its first and last session with signals
	Frame    foldstream.Digest  // a Parquet file: a row a session and instrument with the column "score", sorted
}

// scoreColumn is the column of the signals.
const scoreColumn = "score"

// says is what a configuration says of some sessions.
type says struct {
	key   foldstream.Key
	frame foldstream.Frame // with the column of scores alone
}

// fold makes signals of what the configurations say: of one session and instrument one score, by the ensemble of the spec, an average
// where it names none (Qlib: OnlineManager.prepare_signals). Each session is folded by itself.
func fold(spec foldstream.CollectionSpec, all []says) (foldstream.Frame, error) {
	expected := wire.Each(all, func(s says) foldstream.Expectation { return foldstream.Expectation{Key: s.key} })
	ensemble := collect.NewEnsemble(spec, expected)
	for i, s := range all {
		if err := ensemble.Add(foldstream.Member{Expectation: expected[i], Frame: s.frame}); err != nil {
			return foldstream.Frame{}, err
		}
	}
	f, _, err := ensemble.Value()
	if err == nil && len(f.Columns) > 0 {
		f.Columns = []foldstream.Column{{Name: scoreColumn, Values: f.Columns[0].Values}}
	}
	return f, err
}

// pick returns those rows of a frame that are of the sessions, with the column of scores alone, and the sessions that have none. The
// sessions must be in order. Errors: Invalid (a frame without such a column).
func pick(f foldstream.Frame, score string, sessions []foldstream.Time) (foldstream.Frame, []foldstream.Time, error) {
	var rows []int
	have := map[foldstream.Time]bool{}
	for i, t := range f.Times {
		if _, wanted := slices.BinarySearchFunc(sessions, t, foldstream.Time.Compare); wanted {
			rows = append(rows, i)
			have[t] = true
		}
	}
	lacks := slices.DeleteFunc(slices.Clone(sessions), func(t foldstream.Time) bool { return have[t] })
	if len(rows) == 0 {
		return foldstream.Frame{}, lacks, nil
	}
	values := f.Column(score)
	if values == nil {
		return foldstream.Frame{}, lacks, foldstream.Errorf(foldstream.Invalid, "online", "the predictions have no column %q", score)
	}
	f.Columns = []foldstream.Column{{Name: score, Values: values}}
	return f.Rows(rows), lacks, nil
}

// join puts frames of other rows and the same columns behind one another.
func join(f, g foldstream.Frame) foldstream.Frame {
	if f.Len() == 0 {
		return g
	}
	if g.Len() == 0 {
		return f
	}
	out := foldstream.Frame{Times: slices.Concat(f.Times, g.Times), Columns: make([]foldstream.Column, len(f.Columns))}
	if f.Instruments != nil {
		out.Instruments = slices.Concat(f.Instruments, g.Instruments)
	}
	for i, c := range f.Columns {
		out.Columns[i] = foldstream.Column{Name: c.Name, Values: slices.Concat(c.Values, g.Columns[i].Values)}
	}
	return out
}

// months cuts sorted signals into those of one month each.
func months(f foldstream.Frame) []foldstream.Frame {
	var out []foldstream.Frame
	var rows []int
	for i, t := range f.Times {
		rows = append(rows, i)
		if i+1 == f.Len() || monthOf(f.Times[i+1]) != monthOf(t) {
			out = append(out, f.Rows(rows))
			rows = nil
		}
	}
	return out
}

func monthOf(t foldstream.Time) string { return t.Std().Format("2006-01") }

// keep stores signals that come after those of the parts, and returns the parts with them.
func keep(ctx context.Context, store foldstream.Store, parts []Part, f foldstream.Frame) ([]Part, error) {
	parts = slices.Clone(parts)
	for _, month := range months(f.Sorted()) {
		if n := len(parts); n > 0 && parts[n-1].Month == monthOf(month.Times[0]) {
			before, err := load(ctx, store, parts[n-1])
			if err != nil {
				return nil, err
			}
			month, parts = join(before, month), parts[:n-1]
		}
		data, err := frame.Encode(month)
		if err != nil {
			return nil, err
		}
		digest, _, err := store.Artifacts().Put(ctx, bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		parts = append(parts, partOf(month, digest))
	}
	return parts, nil
}

func partOf(f foldstream.Frame, digest foldstream.Digest) Part {
	last := f.Len() - 1
	return Part{
		Month: monthOf(f.Times[0]), Rows: f.Len(), Sessions: len(slices.Compact(slices.Clone(f.Times))),
		Span: foldstream.Segment{Start: f.Times[0], End: f.Times[last]}, Frame: digest,
	}
}

func load(ctx context.Context, store foldstream.Store, p Part) (foldstream.Frame, error) {
	data, err := wire.ReadArtifact(ctx, store.Artifacts(), p.Frame)
	if err != nil {
		return foldstream.Frame{}, err
	}
	return frame.Decode(data)
}

// Signals reads all that a strategy has said: a row a session and instrument with the column "score", sorted. Errors: NotFound (an
// artifact is gone).
func Signals(ctx context.Context, store foldstream.Store, s State) (foldstream.Frame, error) {
	var all foldstream.Frame
	for _, p := range s.Signals {
		f, err := load(ctx, store, p)
		if err != nil {
			return all, err
		}
		all = join(all, f)
	}
	return all, nil
}
