package report

import (
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// pngDPI makes two dots of a pixel, for sharp screens and for print.
const pngDPI = 144

// WritePNG writes the picture in light colours, 1920 dots wide. Equal plots give equal bytes. Letters that the Go fonts lack, as
// those of Chinese, are drawn as boxes: the SVG has them. Errors: those of w.
func (p Plot) WritePNG(w io.Writer) error {
	_, err := vgimg.PngCanvas{Canvas: p.made.paint()}.WriteTo(w)
	return err
}

// paint puts the picture on a canvas.
func (p poster) paint() *vgimg.Canvas {
	c := vgimg.NewWith(vgimg.UseWH(vg.Length(plotWidth), vg.Length(p.Tall())), vgimg.UseDPI(pngDPI), vgimg.UseBackgroundColor(lightOf("paper", 1)))
	b := brush{c: c, tall: p.Tall(), faces: ourFaces}
	b.text(label{Class: "ink", Text: p.Title}, plotMargin, headTitle, 18, true)
	b.text(label{Text: p.Subtitle}, plotMargin, headSub, 11.5, false)
	for _, s := range p.Places() {
		b.swatch(s)
	}
	b.x, b.y, b.width = plotMargin, p.Top(), p.Inner()
	b.drawing(p.drawing)
	b.x, b.y = 0, 0
	if p.Note != "" {
		b.text(label{Text: p.Note}, plotMargin, p.NoteAt(), 11.5, false)
	}
	return c
}
