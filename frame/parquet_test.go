package frame_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
)

var offsets = []time.Duration{0, 0, 0, time.Hour, 9*time.Hour + 30*time.Minute + time.Microsecond, time.Nanosecond}

func frames() *rapid.Generator[foldstream.Frame] {
	return rapid.Custom(func(t *rapid.T) foldstream.Frame {
		n := rapid.IntRange(0, 60).Draw(t, "rows")
		f := foldstream.Frame{Times: make([]foldstream.Time, n)}
		for i := range f.Times {
			at := foldstream.DateOf(1990, 1, rapid.IntRange(1, 9000).Draw(t, "day")).Std()
			f.Times[i] = foldstream.TimeOf(at.Add(rapid.SampledFrom(offsets).Draw(t, "time of day")))
		}
		if rapid.Bool().Draw(t, "keyed by instrument") {
			f.Instruments = rapid.SliceOfN(rapid.SampledFrom([]string{"", "A", "BB", "é"}), n, n).Draw(t, "instruments")
		}
		for _, name := range rapid.SampledFrom([][]string{nil, {"score"}, {"z", "a", "alpha=1,h=2", "alpha=1_h=2"}}).Draw(t, "columns") {
			values := rapid.SliceOfN(rapid.OneOf(rapid.Float64(), rapid.Just(math.NaN())), n, n).Draw(t, name)
			f.Columns = append(f.Columns, foldstream.Column{Name: name, Values: values})
		}
		return f
	})
}

// A frame comes back from Parquet as it was, and equal frames have equal bytes.
func TestFrameComesBackFromParquet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := frames().Draw(t, "frame")
		data, err := frame.Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		back, err := frame.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(f, back, same...); d != "" {
			t.Fatal(d)
		}
		if again, err := frame.Encode(back); err != nil || !bytes.Equal(data, again) {
			t.Fatalf("the bytes differ, %v", err)
		}
	})
}

// Decode reads the other form a frame has.
func TestDecodeSmallFrame(t *testing.T) {
	want := large(2, 3)
	data, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	got, err := frame.Decode(data)
	if d := cmp.Diff(want, got, same...); d != "" || err != nil {
		t.Error(d, err)
	}
	for name, junk := range map[string]string{"nothing": "", "text": "hello", "half": string(data[:40]), "magic alone": "PAR1PAR1", "a footer too long": "PAR1\xff\xff\xff\x7fPAR1"} {
		if _, err := frame.Decode([]byte(junk)); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// large is a frame of so many sessions and instruments.
func large(sessions, instruments int) foldstream.Frame {
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}, {Name: "return"}}}
	for s := range sessions {
		for i := range instruments {
			f.Times, f.Instruments = append(f.Times, foldstream.DateOf(1990, 1, 1+s)), append(f.Instruments, string(rune('A'+i)))
			for j := range f.Columns {
				f.Columns[j].Values = append(f.Columns[j].Values, math.Sin(float64(s*31+i*7+j)))
			}
		}
	}
	return f
}

// The digest of a file's bytes is in the results that name it: when this test fails, results that were worked twice, by the
// program before and by this one, have other digests. It says nothing about reading.
func TestParquetGolden(t *testing.T) {
	data, err := frame.Encode(large(100, 30))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != "568443d74cb94a537de89dfb232f98179b55caa221a0c50d2b3bfd6dc4d2bc85" {
		t.Errorf("%d bytes of digest %s", len(data), got)
	}
}

// The library reads what we write, and we read what it writes by itself.
func TestParquetLibrary(t *testing.T) {
	want := large(50, 4)
	data, err := frame.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Datetime   int64    `parquet:"datetime,optional,timestamp(microsecond:local)"`
		Instrument string   `parquet:"instrument,dict"`
		Score      *float64 `parquet:"score,snappy"`
		Label      float64  `parquet:"label"`
		Return     float64  `parquet:"return,zstd"`
	}
	rows, err := parquet.Read[row](bytes.NewReader(data), int64(len(data)))
	if err != nil || len(rows) != want.Len() {
		t.Fatal(len(rows), err)
	}
	for i, r := range rows {
		if r.Datetime != want.Times[i].Std().UnixMicro() || r.Instrument != want.Instruments[i] || *r.Score != want.Columns[0].Values[i] || r.Return != want.Columns[2].Values[i] {
			t.Fatalf("row %d: %+v", i, r)
		}
	}
	var theirs bytes.Buffer
	if err := parquet.Write(&theirs, rows, parquet.PageBufferSize(256), parquet.MaxRowsPerRowGroup(77)); err != nil {
		t.Fatal(err)
	}
	got, err := frame.Decode(theirs.Bytes())
	if d := cmp.Diff(want, got, same...); d != "" || err != nil {
		t.Error(d, err)
	}
}

// Times that need nanoseconds have them; those that do not fit then are refused, as is what is no table.
func TestErrWrite(t *testing.T) {
	nano := foldstream.TimeOf(foldstream.DateOf(2020, 1, 1).Std().Add(1))
	for name, table := range map[string]frame.Table{
		"far":   frame.Of(foldstream.Frame{Times: []foldstream.Time{nano, foldstream.DateOf(2300, 1, 1)}}),
		"short": {Columns: []frame.Column{{Name: "a", Texts: []string{"x"}}, {Name: "b"}}},
		"twice": {Columns: []frame.Column{{Name: "a", Texts: []string{"x"}}, {Name: "a", Texts: []string{"y"}}}},
	} {
		if err := frame.WriteParquet(&bytes.Buffer{}, table); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReadParquet: a file may say anything; reading it neither panics nor takes more memory than its size allows.
func FuzzReadParquet(f *testing.F) {
	for _, name := range []string{"types", "types-v2", "empty", "date", "text", "bad-list", "bad-delta"} {
		f.Add(testdata(f, name))
	}
	own, err := frame.Encode(large(3, 3))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		table, err := frame.ReadParquet(data)
		runtime.ReadMemStats(&after)
		if took, limit := after.TotalAlloc-before.TotalAlloc, uint64(64<<20+256*len(data)); took > limit {
			t.Errorf("%d bytes took %d bytes of memory, more than %d", len(data), took, limit)
		}
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) && !foldstream.Is(err, foldstream.TooLarge) {
				t.Errorf("no kind: %v", err)
			}
			return
		}
		if err := table.Validate(); err != nil {
			t.Error(err)
		}
	})
}
