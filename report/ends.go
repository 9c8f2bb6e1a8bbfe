package report

import (
	"math"
	"slices"
)

// ends writes the last value of the ensemble, and where there is room those of the best and the lowest, and zero.
func (l lines) ends(data [][]float64, y scale, text func(float64) string) (out []label) {
	type end struct {
		at          float64
		name, class string
	}
	var wanted []end
	add := func(i int, name, class string) {
		if i >= 0 {
			if v, ok := lastOf(data[i]); ok && drawable(v) {
				wanted = append(wanted, end{v, name, class})
			}
		}
	}
	if l.lead {
		add(len(l.groups)-1, "ensemble", "strong")
	}
	if !l.alone {
		add(l.best, "best", "strong")
		if len(l.groups) <= maxCurves { // else it may not be drawn
			add(l.lowest(data), "lowest", "")
		}
	} else {
		add(0, "", "strong")
	}
	for _, w := range append(wanted, end{0, "", ""}) {
		at := y.at(w.at)
		if slices.ContainsFunc(out, func(o label) bool { return math.Abs(o.Y-4-at) < 14 }) {
			continue
		}
		out = append(out, label{Class: w.class, Text: text(w.at), X: curveShare, DX: 6, Y: at + 4, More: w.name})
	}
	return out
}

// lowest is the configuration whose series ends lowest; −1 where none ends.
func (l lines) lowest(data [][]float64) int {
	low, at := math.Inf(1), -1
	for i := range l.groups {
		if v, ok := lastOf(data[i]); ok && !l.isLead(i) && drawable(v) && v < low {
			low, at = v, i
		}
	}
	return at
}

// describe tells in words what the curves show.
func (l lines) describe(data [][]float64, text func(float64) string) string {
	words := plural(len(l.groups), "line")
	for i, g := range l.groups {
		v, ok := lastOf(data[i])
		switch {
		case !ok || !drawable(v):
		case l.isLead(i):
			words += "; the ensemble ends at " + text(v)
		case i == l.best:
			words += "; the best, " + keyText(g.Key) + ", at " + text(v)
		}
	}
	return words + "."
}

func (l lines) legend() (out []swatch) {
	if l.lead {
		out = append(out, swatch{Class: "lead", Label: "Ensemble"})
	}
	if l.best >= 0 && !l.alone {
		out = append(out, swatch{Class: l.tint.class(l.groups[l.best].Key) + " best", Label: "best: " + keyText(l.groups[l.best].Key)})
	}
	out = append(out, l.tint.legend()...)
	if len(l.groups) > bandFrom {
		out = append(out, swatch{Class: "band", Label: "the middle 80%", Box: true})
	}
	return out
}
