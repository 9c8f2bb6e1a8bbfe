package ridge

import (
	"context"
	"io"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	prepared "github.com/foldstream/foldstream/work/cache"
)

// featuresCode changes when the same prices and look-backs would give other features, or other bytes of them.
const featuresCode = "ridge features 1"

// prepare returns the features of a file: those that somebody prepared already, or new ones. A task's windows and penalty are no part of
// the key: all tasks of an experiment share one piece. A cache that does not answer is no reason not to work.
func (w *Worker) prepare(ctx context.Context, d foldstream.Data, l lookBacks) (*features, error) {
	if w.Prepared == nil {
		return read(d, l)
	}
	f, err := w.shared(ctx, d, l)
	if err != nil && ctx.Err() == nil {
		return read(d, l)
	}
	return f, err
}

func (w *Worker) shared(ctx context.Context, d foldstream.Data, l lookBacks) (*features, error) {
	key, err := prepared.KeyOf(map[string][]int{"momentum": l.momentum, "reversal": l.reversal, "volatility": l.volatility}, featuresCode, d.Digest)
	if err != nil {
		return nil, err
	}
	from, err := w.Prepared.Get(ctx, key, func(_ context.Context, to io.Writer) error {
		f, err := read(d, l)
		if err != nil {
			return err
		}
		data, err := f.frame().MarshalBinary()
		if err == nil {
			_, err = to.Write(data)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	defer from.Close()
	data, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	var f foldstream.Frame
	if err := f.UnmarshalBinary(data); err != nil {
		return nil, err
	}
	return featuresOf(f)
}

// closeColumn is the column of the prices in a frame of features; no feature has its name.
const closeColumn = "close"

// frame is the features as a table: a row a session and instrument, the closes and the features.
func (f *features) frame() foldstream.Frame {
	out := foldstream.Frame{Columns: []foldstream.Column{{Name: closeColumn, Values: f.close}}}
	for _, t := range f.times {
		for _, name := range f.names {
			out.Times, out.Instruments = append(out.Times, t), append(out.Instruments, name)
		}
	}
	for i, name := range f.columns {
		out.Columns = append(out.Columns, foldstream.Column{Name: name, Values: f.values[i]})
	}
	return out
}

// featuresOf reads what frame made. Errors: Invalid.
func featuresOf(f foldstream.Frame) (*features, error) {
	p := &prices{times: slices.Compact(slices.Clone(f.Times)), close: f.Column(closeColumn)}
	if len(p.times) == 0 || f.Len()%len(p.times) != 0 || len(p.close) != f.Len() || f.Instruments == nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "ridge", "a %v is no features", f)
	}
	p.names = f.Instruments[:f.Len()/len(p.times)]
	out := &features{prices: p}
	for _, c := range f.Columns {
		if c.Name != closeColumn {
			out.columns, out.values = append(out.columns, c.Name), append(out.values, c.Values)
		}
	}
	out.findWhole()
	return out, nil
}

// findWhole marks the rows that have all features.
func (f *features) findWhole() {
	f.whole = make([]bool, len(f.close))
	for row := range f.whole {
		f.whole[row] = !slices.ContainsFunc(f.values, func(column []float64) bool { return math.IsNaN(column[row]) })
	}
}
