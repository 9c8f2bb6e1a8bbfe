package foldstream_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vmihailenco/msgpack/v5"
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
		"far":         {Times: []foldstream.Time{foldstream.DateOf(10000, 1, 1)}},
		"twice":       {Times: day, Columns: []foldstream.Column{{Name: "x", Values: []float64{1}}, {Name: "x", Values: []float64{1}}}},
	} {
		if _, err := f.MarshalBinary(); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func golden() foldstream.Frame {
	d1, d2 := foldstream.DateOf(2000, 1, 3), foldstream.DateOf(2000, 1, 4)
	return foldstream.Frame{
		Times:       []foldstream.Time{d1, d1, d2},
		Instruments: []string{"A", "BB", "A"},
		Columns:     []foldstream.Column{{Name: "score", Values: []float64{0.5, math.NaN(), -1}}},
	}
}

// The bytes of the golden frame: they are in stored results, and their digests in collections.
const (
	golden1 = "010302809aff86070080e08987070000000101020141024242000100010573636f7265000000000000e03f010000000000f87f000000000000f0bf"
	golden2 = "87a56672616d6502a4726f777303a574696d657392aa323030302d30312d3033aa323030302d30312d3034a474696d65c403000001ab696e7374727" +
		"56d656e747392a141a24242aa696e737472756d656e74c403000100a7636f6c756d6e739192a573636f7265c418000000000000e03f010000000000f87f00" +
		"0000000000f0bf"
)

func TestFrameGolden(t *testing.T) {
	b, err := golden().MarshalBinary()
	if err != nil || hex.EncodeToString(b) != golden2 {
		t.Errorf("the bytes are now %x, %v", b, err)
	}
	for version, text := range map[string]string{"version 1": golden1, "version 2": golden2} {
		data, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		var f foldstream.Frame
		if err := f.UnmarshalBinary(data); err != nil {
			t.Errorf("%s: %v", version, err)
		}
		if diff := cmp.Diff(golden(), f, cmp.Comparer(func(a, b foldstream.Time) bool { return a == b }), cmpopts.EquateNaNs()); diff != "" {
			t.Error(version, diff)
		}
	}
}

// Inside a msgpack document a frame is a map that any language reads; one of the version before, which was binary, is read as well.
func TestFrameInMsgpack(t *testing.T) {
	data, err := msgpack.Marshal(map[string]foldstream.Frame{"pred": golden()})
	if err != nil {
		t.Fatal(err)
	}
	var foreign map[string]map[string]any
	if err := msgpack.Unmarshal(data, &foreign); err != nil {
		t.Fatal(err)
	}
	if pred := foreign["pred"]; fmt.Sprint(pred["times"], pred["time"], pred["instruments"], pred["instrument"]) != "[2000-01-03 2000-01-04] [0 0 1] [A BB] [0 1 0]" {
		t.Errorf("others read %v", pred)
	}
	old, err := hex.DecodeString(golden1)
	if err != nil {
		t.Fatal(err)
	}
	before, err := msgpack.Marshal(map[string][]byte{"pred": old})
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{data, before} {
		var back map[string]foldstream.Frame
		if err := msgpack.Unmarshal(data, &back); err != nil || back["pred"].Len() != 3 || back["pred"].Columns[0].Values[2] != -1 {
			t.Errorf("it comes back as %v, %v", back, err)
		}
	}
}

// Dictionaries of more than 256 and 65536 values have wider codes.
func TestFrameOfManyInstruments(t *testing.T) {
	for _, n := range []int{256, 257, 1<<16 + 1} {
		f := foldstream.Frame{Times: make([]foldstream.Time, n), Instruments: make([]string, n)}
		for i := range n {
			f.Instruments[i] = fmt.Sprint(i)
		}
		b, err := f.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back foldstream.Frame
		if err := back.UnmarshalBinary(b); err != nil || !slices.Equal(back.Instruments, f.Instruments) {
			t.Errorf("%d instruments: %v", n, err)
		}
	}
}

func FuzzFrame(f *testing.F) {
	for _, text := range []string{golden1, golden2} {
		data, err := hex.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
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
	// Version 1 wrote seconds, which reach further than the years we write.
	for _, sec := range []int64{1 << 43, -1 << 43} {
		f.Add(append(binary.AppendVarint([]byte{1, 1, 1}, sec), 0, 0, 0, 0))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var fr foldstream.Frame
		if fr.UnmarshalBinary(data) != nil {
			return
		}
		if err := fr.Validate(); err != nil {
			t.Errorf("a decoded frame is not valid: %v", err)
		}
		first, err := fr.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var again foldstream.Frame
		if err := again.UnmarshalBinary(first); err != nil {
			t.Fatalf("what was read is written and not read: %v", err)
		}
		if second, err := again.MarshalBinary(); err != nil || !bytes.Equal(first, second) {
			t.Errorf("written twice, it has other bytes: %v", err)
		}
	})
}
