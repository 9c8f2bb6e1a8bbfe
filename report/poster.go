package report

// poster is a figure with what goes around it where it stands alone.
type poster struct {
	figure
	Subtitle string // whose results, and whether they are whole and certified
}

// The measures of a picture that stands alone, in pixels.
const (
	plotWidth  = 960.0
	plotMargin = 24.0
	headTitle  = 36.0 // base lines
	headSub    = 56.0
	headLegend = 80.0
)

// Inner is the width of the marks.
func (poster) Inner() float64 { return plotWidth - 2*plotMargin }

// place is where an entry of a legend stands.
type place struct {
	swatch
	X, Y float64
}

// Places lays the legend out in lines.
func (p poster) Places() (out []place) {
	x, y := 0.0, headLegend
	for _, s := range p.Legend {
		wide := 28 + textWidth(s.Label) + 18
		if x > 0 && x+wide > p.Inner() {
			x, y = 0, y+20
		}
		out = append(out, place{s, plotMargin + x, y})
		x += wide
	}
	return out
}

// textWidth is about how wide a text of ordinary size is, in pixels, and not less.
func textWidth(s string) float64 {
	width := 0.0
	for _, r := range s {
		if width += 6.1; r >= 0x1100 {
			width += 6.1
		}
	}
	return width
}

// Top is where the marks begin.
func (p poster) Top() float64 {
	if places := p.Places(); len(places) > 0 {
		return places[len(places)-1].Y + 20
	}
	return headSub + 18
}

// Tall is the height of the whole picture.
func (p poster) Tall() float64 {
	if p.Note != "" {
		return p.Top() + p.Whole() + 36
	}
	return p.Top() + p.Whole() + 14
}

// NoteAt is the base line of the note.
func (p poster) NoteAt() float64 { return p.Tall() - 14 }
