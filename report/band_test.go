package report

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// ramps are n groups over as many days: the i-th is i on every day, and the last day of the first has no value.
func ramps(n, days int) (groups []collect.Group, data [][]float64) {
	var times []foldstream.Time
	for d := range days {
		times = append(times, foldstream.TimeOf(time.Date(2021, 3, 1+d, 0, 0, 0, 0, time.UTC)))
	}
	for i := range n {
		values := make([]float64, days)
		for d := range values {
			values[d] = float64(i)
		}
		groups = append(groups, collect.Group{Key: foldstream.Key{{Name: "a", Value: fmt.Sprint(i)}}, Daily: foldstream.Frame{Times: times}})
		data = append(data, values)
	}
	data[0][days-1] = math.NaN()
	return groups, data
}

// Of the values 0 to 99 the band reaches from 10 to 90 on every day; on the last there are 99, whose ends are the same.
func TestBand(t *testing.T) {
	groups, data := ramps(100, 3)
	b := band(groups, data, scale{0, 1, 0, 1}, scale{0, 100, 100, 0})
	var ys []float64
	for _, p := range b.Points {
		ys = append(ys, p.Y)
	}
	if got := fmt.Sprint(ys); got != "[10 10 10 90 90 90]" || !b.Closed {
		t.Errorf("the band is at %s", got)
	}
}

// The area under a curve closes over what is missing: one that breaks would fill another shape.
func TestArea(t *testing.T) {
	c := curve{Points: []point{{0, 2}, {1, math.NaN()}, {2, 5}, {3, math.NaN()}}}
	if got := area(c, scale{0, 1, 0, 1}).Path(); got != "M0 2L20 5L20 0L0 0Z" || strings.Count(got, "M") != 1 {
		t.Errorf("the area is %s", got)
	}
}
