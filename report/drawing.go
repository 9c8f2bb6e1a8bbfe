package report

import (
	"math"
	"strings"
)

// drawing is a picture made of marks, the later fields over the earlier. Across, places are percent of the width, so that it is as
// wide as its place allows while its type keeps its size; down, they are pixels from the top.
type drawing struct {
	Name   string // by which it is asked for; its id in a page
	Title  string
	Desc   string  // what it shows, in words for who cannot see it
	Height float64 // less the labels below
	Fade   int     // of fades: how pale curves are
	Rules  []rule
	Boxes  []box
	Curves []curve
	Labels []label
}

// foot is the room for labels below a drawing, in pixels.
const foot = 20

// Whole is the height with the labels below.
func (d drawing) Whole() float64 { return d.Height + foot }

// rule is a straight line.
type rule struct {
	Class          string
	X1, X2, Y1, Y2 float64
}

// box is a filled rectangle with its explanation.
type box struct {
	Class, Title        string
	X, Y, Width, Height float64
}

// point is a place; a Y that is not a number breaks a line.
type point struct{ X, Y float64 }

// curve is a line through points, or the area that they enclose.
type curve struct {
	ID, Class, Title string
	Points           []point
	Closed           bool
}

// label is a text whose left end, middle or right end (Anchor "", "middle", "end") is at X, moved by DX pixels.
type label struct {
	Class, Text, Anchor string
	X, DX, Y            float64
	More                string // what follows where there is room: left out on a phone
}

// Path is the curve as SVG path data; x is in thousandths of the width.
func (c curve) Path() string {
	var b strings.Builder
	pen := "M"
	for _, p := range c.Points {
		if math.IsNaN(p.Y) {
			pen = "M"
			continue
		}
		b.WriteString(pen)
		b.WriteString(pos(10*p.X, 1))
		b.WriteByte(' ')
		b.WriteString(pos(p.Y, 1))
		pen = "L"
	}
	if c.Closed && b.Len() > 0 {
		b.WriteByte('Z')
	}
	return b.String()
}

// lines adds a grid line at each tick, over the width from 0 to share.
func (d *drawing) lines(ticks []tick, share float64) {
	for _, t := range ticks {
		d.Rules = append(d.Rules, rule{"grid", 0, share, t.At, t.At})
	}
}

// zero adds the zero line.
func (d *drawing) zero(y, share float64) {
	d.Rules = append(d.Rules, rule{"zero", 0, share, y, y})
}

// names writes the ticks of the height at x.
func (d *drawing) names(ticks []tick, x, dx, dy float64, class string) {
	for _, t := range ticks {
		d.Labels = append(d.Labels, label{Class: class, Text: t.Label, X: x, DX: dx, Y: t.At + dy})
	}
}

// below writes the ticks of the width under the drawing, each with a short mark.
func (d *drawing) below(ticks []tick) {
	for _, t := range ticks {
		d.Rules = append(d.Rules, rule{"zero", t.At, t.At, d.Height, d.Height + 5})
		d.Labels = append(d.Labels, label{Text: t.Label, X: t.At, DX: 4, Y: d.Height + 14})
	}
}
