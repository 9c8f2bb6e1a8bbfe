package collect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// worked is what a member came to, without its frames.
type worked struct {
	at      DiffPlace
	task    string
	status  foldstream.Status
	metrics Metrics
	params  map[string]string
	frames  map[string]framePlace
}

// framePlace says where a frame is, and what is in it.
type framePlace struct {
	digest foldstream.Digest
	stored bool // as an artifact of that digest; else the result has it
}

// windows compares the members.
func (d *differ) windows(ctx context.Context) error {
	left := map[string]worked{}
	if err := d.each(ctx, 0, d.Left, func(w worked) error { left[w.name()] = w; return nil }); err != nil {
		return err
	}
	err := d.each(ctx, 1, d.Right, func(w worked) error {
		other, both := left[w.name()]
		if !both {
			if !d.o.Common {
				d.only(&d.Windows.OnlyRight, &d.OnlyRight, w.at)
			}
			return nil
		}
		delete(left, w.name())
		return d.window(ctx, other, w)
	})
	for _, w := range left {
		if !d.o.Common {
			d.only(&d.Windows.OnlyLeft, &d.OnlyLeft, w.at)
		}
	}
	return err
}

// name is the member's place as a text.
func (w worked) name() string { return w.at.Key.String() + "\x00" + strconv.Itoa(w.at.Window) }

// each goes through the members of one side.
func (d *differ) each(ctx context.Context, side int, experiment string, do func(worked) error) (err error) {
	if d.of[side], err = record.ReadExperiment(ctx, d.store, experiment); err != nil {
		return err
	}
	d.code[side] = map[string]bool{}
	for r, err := range (Results{d.store}).List(ctx, experiment) {
		if err != nil {
			return err
		}
		w, err := d.worked(side, r)
		if err == nil {
			err = do(w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) worked(side int, r Recorder) (worked, error) {
	w := worked{
		at: DiffPlace{r.Key, r.Window.Index}, task: r.ID, status: r.Status, metrics: r.Metrics, params: r.Params, frames: map[string]framePlace{},
	}
	result, ok := r.Handle().(*foldstream.Result)
	if !ok {
		return w, nil
	}
	d.code[side][result.Code] = true
	for _, a := range result.Artifacts {
		if a.Type == foldstream.FrameType {
			w.frames[a.Name] = framePlace{a.Digest, true}
		}
	}
	for name, f := range result.Frames {
		data, err := f.MarshalBinary()
		if err != nil {
			return w, err
		}
		sum := sha256.Sum256(data)
		w.frames[name] = framePlace{foldstream.Digest(hex.EncodeToString(sum[:])), false}
	}
	return w, nil
}

// window compares one member.
func (d *differ) window(ctx context.Context, left, right worked) error {
	if left.task != right.task {
		d.Redefined++
	}
	same := d.text(left.at, "status", string(left.status), string(right.status))
	same = d.metrics(left.at, left.metrics, right.metrics) && same
	for _, name := range namesOf(left.params, right.params) {
		same = d.text(left.at, "param "+name, left.params[name], right.params[name]) && same
	}
	for _, name := range namesOf(left.frames, right.frames) {
		a, inLeft := left.frames[name]
		b, inRight := right.frames[name]
		switch {
		case !inLeft || !inRight:
			same = d.text(left.at, "frame "+name, presence(inLeft), presence(inRight)) && same
		case a != b:
			equal, err := d.loadedFrames(ctx, left, right, name)
			if err != nil {
				return err
			}
			same = same && equal
		}
	}
	if same {
		d.Windows.Identical++
	} else {
		d.Windows.Changed++
	}
	return nil
}

func presence(there bool) string {
	if there {
		return "there"
	}
	return ""
}

// loadedFrames compares a frame of two members value by value.
func (d *differ) loadedFrames(ctx context.Context, left, right worked, name string) (bool, error) {
	a, err := d.load(ctx, 0, left, name)
	if err != nil {
		return false, err
	}
	b, err := d.load(ctx, 1, right, name)
	if err != nil {
		return false, err
	}
	return d.frames(left.at, name, a, b), nil
}

func (d *differ) load(ctx context.Context, side int, w worked, name string) (foldstream.Frame, error) {
	if at := w.frames[name]; at.stored {
		return loadBlob(ctx, d.store, Blob{Digest: at.digest})
	}
	return record.Frame(ctx, d.store, record.Recorder{ID: w.task, Task: true, Pool: d.of[side].Pool}, name)
}

// frames compares two frames by row and column.
func (d *differ) frames(at DiffPlace, name string, left, right foldstream.Frame) bool {
	left, right = left.Sorted(), right.Sorted()
	rows := pairRows(left, right)
	same := len(rows) == left.Len() && len(rows) == right.Len()
	if !same {
		d.changed(Change{DiffPlace: at, What: name + " rows", Texts: [2]string{rowsText(left.Len() - len(rows)), rowsText(right.Len() - len(rows))}})
	}
	columns := func(f foldstream.Frame) map[string][]float64 {
		all := map[string][]float64{}
		for _, c := range f.Columns {
			all[c.Name] = c.Values
		}
		return all
	}
	a, b := columns(left), columns(right)
	for _, column := range namesOf(a, b) {
		l, inLeft := a[column]
		r, inRight := b[column]
		if !inLeft || !inRight {
			same = d.text(at, name+"."+column, presence(inLeft), presence(inRight)) && same
			continue
		}
		c := Change{DiffPlace: at, What: name + "." + column}
		for _, row := range rows {
			d.cell(&c, left, row, l[row[0]], r[row[1]])
		}
		same = d.number(c) && same
	}
	return same
}

// cell takes one value of a column in: the pair that is furthest apart stands for the column.
func (d *differ) cell(c *Change, f foldstream.Frame, row [2]int, left, right float64) {
	if d.o.Equal(left, right) {
		return
	}
	if c.Cells++; c.Cells > 1 && distance(left, right) <= distance(c.Left, c.Right) {
		return
	}
	c.Left, c.Right, c.At = left, right, f.Times[row[0]].String()
	if f.Instruments != nil {
		c.At += " " + f.Instruments[row[0]]
	}
}

// distance is how far apart two values of a column are; infinitely, where one is no number.
func distance(a, b float64) float64 {
	if d := math.Abs(a - b); !math.IsNaN(d) {
		return d
	}
	return math.Inf(1)
}

// pairRows returns the rows that two sorted frames both have, as pairs of places.
func pairRows(left, right foldstream.Frame) (pairs [][2]int) {
	for i, j := 0, 0; i < left.Len() && j < right.Len(); {
		switch c := left.CompareRows(i, right, j); {
		case c < 0:
			i++
		case c > 0:
			j++
		default:
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		}
	}
	return slices.Clip(pairs)
}

// rowsText tells of rows that only one side has.
func rowsText(n int) string { return strconv.Itoa(n) + " only here" }
