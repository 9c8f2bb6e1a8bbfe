package ridge

import (
	"math"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
)

// A price file is read whole and in order, or refused with a named error.
func FuzzReadPrices(f *testing.F) {
	for _, seed := range []string{"", "date,B,A\n2001-01-01,1,2\n2001-01-02,,3\n", "date\n", "date,A\n2001-01-01,-1\n", "d,A\n20010101,1\n\"x", "date,A,A\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := readPrices(strings.NewReader(text))
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Fatalf("%v is of no kind", err)
			}
			return
		}
		if len(p.times) == 0 || len(p.names) == 0 || len(p.close) != len(p.times)*len(p.names) {
			t.Fatalf("%d sessions × %d instruments have %d closes", len(p.times), len(p.names), len(p.close))
		}
		for i := 1; i < len(p.times); i++ {
			if !p.times[i].After(p.times[i-1]) {
				t.Fatalf("%v is not after %v", p.times[i], p.times[i-1])
			}
		}
		for i := 1; i < len(p.names); i++ {
			if p.names[i] <= p.names[i-1] {
				t.Fatalf("%q is not after %q", p.names[i], p.names[i-1])
			}
		}
		for _, v := range p.close {
			if !(v > 0) && !math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("close %v", v)
			}
		}
	})
}
