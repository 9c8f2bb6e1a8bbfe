package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// tint colours configurations by one of their choices: the one whose values tell the ends of the curves best apart. The zero
// tint gives all one colour.
type tint struct {
	name   string
	values []string
}

// maxTints is how many colours can be told apart.
const maxTints = 6

func tintOf(c collect.Collection) tint {
	var best tint
	share := 0.0
	for _, name := range keyNames(c.Groups) {
		t := tint{name: name}
		for _, g := range c.Groups {
			if v := g.Key.Get(name); !slices.Contains(t.values, v) {
				t.values = append(t.values, v)
			}
		}
		if len(t.values) < 2 || len(t.values) > maxTints {
			continue
		}
		if s := t.explains(c.Groups); best.name == "" || s > share {
			best, share = t, s
		}
	}
	return best
}

// explains returns how much of the spread of the curves' ends lies between the values, not among their own.
func (t tint) explains(groups []collect.Group) float64 {
	sum, n := make([]float64, len(t.values)), make([]float64, len(t.values))
	total, all := 0.0, 0.0
	for _, g := range groups {
		if end, ok := lastOf(series(g)); ok {
			i := slices.Index(t.values, g.Key.Get(t.name))
			sum[i], n[i] = sum[i]+end, n[i]+1
			total, all = total+end, all+1
		}
	}
	between := 0.0
	for i := range sum {
		if n[i] > 0 {
			between += n[i] * math.Pow(sum[i]/n[i]-total/all, 2)
		}
	}
	return between
}

// class returns the colour of a configuration.
func (t tint) class(k foldstream.Key) string {
	if t.name == "" {
		return "s0"
	}
	return fmt.Sprintf("s%d", 1+slices.Index(t.values, k.Get(t.name)))
}

func (t tint) legend() []swatch {
	out := make([]swatch, len(t.values))
	for i, v := range t.values {
		out[i] = swatch{fmt.Sprintf("s%d", i+1), clean(t.name + " " + v)}
	}
	return out
}

// series is the line that stands for a group: its cumulative return, or the running sum of its daily IC where there is no
// portfolio.
func series(g collect.Group) []float64 {
	if v := g.Daily.Column("cumulative"); v != nil {
		return v
	}
	ic := g.Daily.Column("ic")
	out := make([]float64, len(ic))
	sum := 0.0
	for i, v := range ic {
		if !math.IsNaN(v) {
			sum += v
		}
		out[i] = sum
	}
	return out
}

func lastOf(v []float64) (float64, bool) {
	for i := len(v) - 1; i >= 0; i-- {
		if !math.IsNaN(v[i]) {
			return v[i], true
		}
	}
	return 0, false
}
