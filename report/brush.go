package report

import (
	"image/color"
	"math"
	"strings"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// faces are the fonts: regular and bold.
type faces struct{ regular, bold *opentype.Font }

var ourFaces = faces{parsed(goregular.TTF), parsed(gobold.TTF)}

func parsed(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(err) // the fonts are in the binary
	}
	return f
}

// brush paints marks on a canvas, whose y goes up. x, y and width are where a drawing stands.
type brush struct {
	c           *vgimg.Canvas
	tall        float64
	x, y, width float64
	faces       faces
}

func (b brush) at(x, y float64) vg.Point {
	return vg.Point{X: vg.Length(b.x + x/100*b.width), Y: vg.Length(b.tall - b.y - y)}
}

func (b brush) drawing(d drawing) {
	for _, r := range d.Rules {
		b.line(lookOf(r.Class), 1, []point{{r.X1, r.Y1}, {r.X2, r.Y2}})
	}
	for _, x := range d.Boxes {
		b.area(lookOf(x.Class), 1, []point{{x.X, x.Y}, {x.X + x.Width, x.Y}, {x.X + x.Width, x.Y + x.Height}, {x.X, x.Y + x.Height}}, true)
	}
	for _, c := range d.Curves {
		b.curve(c, fades[d.Fade])
	}
	for _, l := range d.Labels {
		if l.More != "" {
			l.Text += " " + l.More
		}
		at := b.at(l.X, l.Y)
		b.placed(l, float64(at.X)+l.DX, float64(at.Y))
	}
}

// curve paints a line in pieces: one that is not a number breaks it.
func (b brush) curve(c curve, fade float64) {
	look := lookOf(c.Class)
	if look.strong {
		fade = 1
	}
	if c.Closed {
		b.area(look, fade, c.Points, false)
		return
	}
	var piece []point
	for _, p := range append(c.Points[:len(c.Points):len(c.Points)], point{0, math.NaN()}) {
		if !math.IsNaN(p.Y) {
			piece = append(piece, p)
			continue
		}
		b.line(look, fade, piece)
		piece = nil
	}
}

func (b brush) line(l look, opacity float64, points []point) {
	if len(points) < 2 || l.stroke == "" {
		return
	}
	b.c.SetLineWidth(vg.Length(l.width))
	b.c.SetColor(lightOf(l.stroke, opacity))
	b.c.Stroke(b.path(points))
}

func (b brush) area(l look, opacity float64, points []point, edged bool) {
	path := b.path(points)
	path.Close()
	if l.fill != "" {
		if l.opacity > 0 {
			opacity = l.opacity
		}
		b.c.SetColor(lightOf(l.fill, opacity))
		b.c.Fill(path)
	}
	if l.stroke != "" && edged {
		b.c.SetLineWidth(vg.Length(l.width))
		b.c.SetColor(lightOf(l.stroke, 1))
		b.c.Stroke(path)
	}
}

func (b brush) path(points []point) (p vg.Path) {
	for i, at := range points {
		switch {
		case math.IsNaN(at.Y):
		case i == 0:
			p.Move(b.at(at.X, at.Y))
		default:
			p.Line(b.at(at.X, at.Y))
		}
	}
	return p
}

func (b brush) swatch(s place) {
	b.x, b.y, b.width = s.X, s.Y-9, 100
	if s.Box {
		b.area(lookOf(s.Class), 1, []point{{0, 0}, {22, 0}, {22, 10}, {0, 10}}, true)
	} else {
		b.line(lookOf(s.Class), 1, []point{{0, 5}, {22, 5}})
	}
	b.x, b.y = 0, 0
	b.text(label{Text: s.Label}, s.X+28, s.Y, 11.5, false)
}

// text writes a label at pixels from the top left.
func (b brush) text(l label, x, y, size float64, bold bool) {
	b.write(l, x, b.tall-y, size, bold)
}

// placed writes a label of a drawing as its class says.
func (b brush) placed(l label, x, y float64) {
	size, bold := 11.5, strings.Contains(l.Class, "strong")
	if strings.Contains(l.Class, "large") {
		size = 12
	}
	b.write(l, x, y, size, bold)
}

func (b brush) write(l label, x, y, size float64, bold bool) {
	face := font.Face{Face: b.faces.regular, Font: font.Font{Size: vg.Length(size)}}
	if bold {
		face.Face = b.faces.bold
	}
	switch l.Anchor {
	case "middle":
		x -= float64(face.Width(l.Text)) / 2
	case "end":
		x -= float64(face.Width(l.Text))
	}
	if strings.Contains(l.Class, "halo") {
		b.c.SetColor(lightOf("paper", 1))
		for i := range 8 {
			sin, cos := math.Sincos(float64(i) * math.Pi / 4)
			b.c.FillString(face, vg.Point{X: vg.Length(x + 1.5*cos), Y: vg.Length(y + 1.5*sin)}, l.Text)
		}
	}
	name := "soft"
	if bold || strings.Contains(l.Class, "ink") {
		name = "ink"
	}
	b.c.SetColor(lightOf(name, 1))
	b.c.FillString(face, vg.Point{X: vg.Length(x), Y: vg.Length(y)}, l.Text)
}

// lightOf returns a colour of the palette on light paper.
func lightOf(name string, opacity float64) color.Color {
	c := rgb(find(palette, name).light)
	return color.NRGBA{c[0], c[1], c[2], uint8(opacity*255 + .5)}
}
