package work

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
)

// What is taken for small enough without encoding it is.
func TestBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "rows")
		f := foldstream.Frame{Times: make([]foldstream.Time, n)}
		apart := rapid.SampledFrom([]time.Duration{0, 24 * time.Hour, time.Nanosecond}).Draw(t, "apart")
		for i := range f.Times {
			f.Times[i] = foldstream.TimeOf(foldstream.DateOf(2020, 1, 1).Std().Add(time.Duration(i+1) * apart))
		}
		if rapid.Bool().Draw(t, "instruments") {
			f.Instruments = make([]string, n)
			for i := range f.Instruments {
				f.Instruments[i] = strings.Repeat("x", rapid.IntRange(0, 40).Draw(t, "length")) + fmt.Sprint(i)
			}
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "columns") {
			f.Columns = append(f.Columns, foldstream.Column{Name: fmt.Sprint(i, strings.Repeat("n", rapid.IntRange(0, 300).Draw(t, "name"))), Values: make([]float64, n)})
		}
		data, err := f.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if b := bound(map[string]foldstream.Frame{"pred": f}); b < len(data)+len("pred") {
			t.Fatalf("bound %d, %d bytes", b, len(data))
		}
	})
}
