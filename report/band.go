package report

import (
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// bandPoints is how many places a band is computed at.
const bandPoints = 160

// band is the area from the tenth to the ninetieth percentile of the series, on the times of the longest.
func band(groups []collect.Group, data [][]float64, x, y scale) curve {
	var times []foldstream.Time
	for i, g := range groups {
		if len(data[i]) > len(times) {
			times = g.Daily.Times
		}
	}
	var top, bottom []point
	for k := range min(bandPoints, len(times)) {
		at := times[k*(len(times)-1)/max(1, min(bandPoints, len(times))-1)]
		if values := across(groups, data, at); len(values) > 0 {
			place := x.at(seconds(at.Std()))
			top = append(top, point{place, y.at(values[len(values)*9/10])})
			bottom = append(bottom, point{place, y.at(values[len(values)/10])})
		}
	}
	slices.Reverse(bottom)
	return curve{Class: "curve band", Points: append(top, bottom...), Closed: true}
}

// across returns the values of all series at a time, sorted; a series without a row there has none.
func across(groups []collect.Group, data [][]float64, at foldstream.Time) (values []float64) {
	for k, g := range groups {
		i, ok := slices.BinarySearchFunc(g.Daily.Times, at, foldstream.Time.Compare)
		if ok && i < len(data[k]) && drawable(data[k][i]) {
			values = append(values, data[k][i])
		}
	}
	slices.Sort(values)
	return values
}
