package report

import (
	"fmt"
	"slices"
	"strings"
)

// paint is the look of a class of marks: the names of its colours, the width of its line in pixels, how opaque it is.
type paint struct {
	class, fill, stroke string
	width, opacity      float64 // zero opacity is all of it
	dash                float64
}

// paints are the looks of all marks but text. Both the sheets of styles and the PNGs are made of them.
var paints = shadePaints([]paint{
	{class: "grid", stroke: "rule", width: 1}, {class: "zero", stroke: "soft", width: 1},
	{class: "bar", fill: "up", opacity: .85}, {class: "neg", fill: "down", opacity: .85},
	{class: "area", fill: "down", opacity: .3}, {class: "band", fill: "soft", opacity: .16},
	{class: "train", fill: "train"}, {class: "valid", fill: "valid"}, {class: "test", fill: "test"}, {class: "other", fill: "other"}, {class: "gap", fill: "warn"},
	{class: "none", fill: "wash"}, {class: "u0", fill: "wash"}, {class: "failed", fill: "paper", stroke: "warn", width: 1.2}, {class: "open", fill: "paper", stroke: "soft", width: 1, dash: 2},
	{class: "s0", stroke: "s0", width: 1}, {class: "s1", stroke: "s1", width: 1}, {class: "s2", stroke: "s2", width: 1}, {class: "s3", stroke: "s3", width: 1},
	{class: "s4", stroke: "s4", width: 1}, {class: "s5", stroke: "s5", width: 1}, {class: "s6", stroke: "s6", width: 1},
	{class: "best", width: 2.2}, {class: "lead", stroke: "ink", width: 2.4},
})

func shadePaints(p []paint) []paint {
	for _, t := range palette {
		if len(t.name) == 2 && (t.name[0] == 'u' || t.name[0] == 'd') {
			p = append(p, paint{class: t.name, fill: t.name})
		}
	}
	return p
}

// fades are how opaque curves are that are context: the more there are, the paler.
var fades = [...]float64{.75, .5, .3}

// fadeOf returns which of fades n curves have.
func fadeOf(n int) int {
	switch {
	case n <= 30:
		return 0
	case n <= 80:
		return 1
	}
	return 2
}

// looks is the paints as a sheet of styles; colour names a colour as the sheet is to have it.
func looks(colour func(name string) string) string {
	var b strings.Builder
	b.WriteString("text{font-size:11.5px;fill:" + colour("soft") + ";font-variant-numeric:tabular-nums}\n" +
		".ink{fill:" + colour("ink") + "}.strong{fill:" + colour("ink") + ";font-weight:600}.large{font-size:12px}\n" +
		".halo{paint-order:stroke;stroke:" + colour("paper") + ";stroke-width:3px;stroke-linejoin:round}\n" +
		".curve path{fill:none;stroke-linejoin:round;vector-effect:non-scaling-stroke}.grid,.zero,.cell{shape-rendering:crispEdges}\n")
	for i, f := range fades {
		fmt.Fprintf(&b, ".fade%d .curve{opacity:%v}", i, f)
	}
	b.WriteString(".marks .lead,.marks .best,.marks .area,.marks .band{opacity:1}\n")
	for _, p := range paints {
		b.WriteString("." + p.class + "{")
		if p.fill != "" {
			fmt.Fprintf(&b, "fill:%s;", colour(p.fill))
		}
		if p.opacity > 0 {
			fmt.Fprintf(&b, "fill-opacity:%v;", p.opacity)
		}
		if p.stroke != "" {
			fmt.Fprintf(&b, "stroke:%s;", colour(p.stroke))
		}
		if p.width > 0 {
			fmt.Fprintf(&b, "stroke-width:%v;", p.width)
		}
		if p.dash > 0 {
			fmt.Fprintf(&b, "stroke-dasharray:%v;", p.dash)
		}
		b.WriteString("}\n")
	}
	b.WriteString(".curve.area path,.curve.band path{fill:inherit}\n")
	return b.String()
}

// look is what the classes of a mark make together.
type look struct {
	paint
	strong bool // never pale
}

// lookOf puts the paints of the classes over each other, the later ones of the list last, as a sheet of styles does.
func lookOf(classes string) (l look) {
	l.width = 1
	for _, p := range paints {
		if !slices.Contains(strings.Fields(classes), p.class) {
			continue
		}
		l.fill, l.stroke = or(p.fill, l.fill), or(p.stroke, l.stroke)
		if p.width > 0 {
			l.width = p.width
		}
		l.opacity = max(l.opacity, p.opacity)
		l.strong = l.strong || slices.Contains([]string{"lead", "best", "area", "band"}, p.class)
	}
	return l
}
