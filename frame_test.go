package foldstream_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
)

func frames() *rapid.Generator[foldstream.Frame] {
	return rapid.Custom(func(t *rapid.T) foldstream.Frame {
		n := rapid.IntRange(0, 40).Draw(t, "rows")
		f := foldstream.Frame{Times: make([]foldstream.Time, n)}
		for i := range f.Times {
			f.Times[i] = foldstream.DateOf(2000, 1, rapid.IntRange(1, 60).Draw(t, "day"))
		}
		if rapid.Bool().Draw(t, "keyed by instrument") {
			f.Instruments = rapid.SliceOfN(rapid.SampledFrom([]string{"", "A", "BB", "é"}), n, n).Draw(t, "instruments")
		}
		for _, name := range rapid.SampledFrom([][]string{nil, {"score"}, {"score", "label"}}).Draw(t, "columns") {
			f.Columns = append(f.Columns, foldstream.Column{Name: name, Values: rapid.SliceOfN(rapid.Float64(), n, n).Draw(t, name)})
		}
		return f
	})
}

func TestFrameComesBackFromBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := frames().Draw(t, "frame")
		b, err := f.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back foldstream.Frame
		if err := back.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		again, err := back.MarshalBinary()
		if err != nil || !bytes.Equal(b, again) || back.Len() != f.Len() {
			t.Fatalf("%v → %v, %v", f, back, err)
		}
		for i := range f.Times {
			if back.Times[i] != f.Times[i] {
				t.Fatalf("row %d: %v → %v", i, f.Times[i], back.Times[i])
			}
		}
		if diff := cmp.Diff(f.Columns, back.Columns); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestFrameSortsByTimeThenInstrument(t *testing.T) {
	d1, d2 := foldstream.DateOf(2000, 1, 3), foldstream.DateOf(2000, 1, 4)
	f := foldstream.Frame{
		Times:       []foldstream.Time{d2, d1, d1, d1},
		Instruments: []string{"A", "B", "A", "B"},
		Columns:     []foldstream.Column{{Name: "x", Values: []float64{0, 1, 2, 3}}},
	}
	if diff := cmp.Diff([]float64{2, 1, 3, 0}, f.Sorted().Column("x")); diff != "" {
		t.Error(diff)
	}
	if f.Column("y") != nil {
		t.Error("a column that is not there")
	}
}

func TestFrameValidate(t *testing.T) {
	day := []foldstream.Time{foldstream.DateOf(2000, 1, 3)}
	for name, f := range map[string]foldstream.Frame{
		"instruments": {Times: day, Instruments: []string{"A", "B"}},
		"values":      {Times: day, Columns: []foldstream.Column{{Name: "x"}}},
		"twice":       {Times: day, Columns: []foldstream.Column{{Name: "x", Values: []float64{1}}, {Name: "x", Values: []float64{1}}}},
	} {
		if _, err := f.MarshalBinary(); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzFrame(f *testing.F) {
	seed, err := foldstream.Frame{
		Times:       []foldstream.Time{foldstream.DateOf(2000, 1, 3), {}},
		Instruments: []string{"A", "B"},
		Columns:     []foldstream.Column{{Name: "x", Values: []float64{math.NaN(), 1}}},
	}.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte{1, 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, data []byte) {
		var fr foldstream.Frame
		if fr.UnmarshalBinary(data) != nil {
			return
		}
		if err := fr.Validate(); err != nil {
			t.Errorf("a decoded frame is not valid: %v", err)
		}
	})
}
