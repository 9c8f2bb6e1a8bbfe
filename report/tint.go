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
			if v := choice(g.Key, name); !slices.Contains(t.values, v) {
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

// explains returns which share of the variance of the curves' ends lies between the values, less what as many values would explain
// by chance (the adjusted R²). A choice whose values are all of one configuration explains nothing.
func (t tint) explains(groups []collect.Group) float64 {
	ends := make([][]float64, len(t.values))
	var all []float64
	for _, g := range groups {
		if end, ok := lastOf(series(g)); ok && drawable(end) {
			i := slices.Index(t.values, choice(g.Key, t.name))
			ends[i], all = append(ends[i], end), append(all, end)
		}
	}
	within, total, free := 0.0, squares(all), len(all)-len(t.values)
	for _, e := range ends {
		within += squares(e)
	}
	if total == 0 || free <= 0 {
		return 0
	}
	return 1 - within/total*float64(len(all)-1)/float64(free)
}

// squares is the sum of the squared distances from the mean.
func squares(values []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return sum
}

// class returns the colour of a configuration.
func (t tint) class(k foldstream.Key) string {
	if t.name == "" {
		return "s0"
	}
	return fmt.Sprintf("s%d", 1+slices.Index(t.values, choice(k, t.name)))
}

func (t tint) legend() []swatch {
	out := make([]swatch, len(t.values))
	for i, v := range t.values {
		out[i] = swatch{Class: fmt.Sprintf("s%d", i+1), Label: cut(clean(t.name+" "+v), maxName), Choose: fmt.Sprintf("s%d", i+1)}
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
