package report_test

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/report"
)

func plot(t *testing.T, r report.Report, name string) report.Plot {
	t.Helper()
	p, err := r.Plot(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Every picture stands alone: well formed, with its title, whose it is and a legend, whatever the report.
func TestPlotsAlone(t *testing.T) {
	for name, r := range samples() {
		if name == "many" { // the same, with more of everything
			r = manyReport(45, 32)
		}
		for _, what := range report.Plots() {
			p, err := r.Plot(what)
			if foldstream.Is(err, foldstream.NotFound) {
				continue
			}
			svg := parse(t, written(t, p.WriteSVG)).children[0]
			for _, fault := range append(references(svg), pictures(svg)...) {
				t.Errorf("%s, %s: %s", name, what, fault)
			}
			if len(svg.all("title")) == 0 || svg.all("text")[1].words() == "" {
				t.Errorf("%s, %s: it has no title or does not say whose it is", name, what)
			}
			if name == "whole" && written(t, p.WriteSVG) != written(t, plot(t, sampleReport(), what).WriteSVG) {
				t.Errorf("%s, %s: equal input gave other bytes", name, what)
			}
		}
	}
}

func TestErrPlot(t *testing.T) {
	if _, err := sampleReport().Plot("pie"); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), "drawdown") {
		t.Errorf("an unknown plot: %v", err)
	}
	for _, what := range report.Plots() {
		if _, err := (report.Report{}).Plot(what); !foldstream.Is(err, foldstream.NotFound) {
			t.Errorf("%s of nothing: %v", what, err)
		}
	}
	for _, what := range []string{"drawdown", "costs", "turnover"} {
		if _, err := plainReport().Plot(what); !foldstream.Is(err, foldstream.NotFound) {
			t.Errorf("%s without a portfolio: %v", what, err)
		}
	}
}

// A PNG is what the SVG is, in dots: the same size twice over, and the same marks at the same places.
func TestPNG(t *testing.T) {
	r := small()
	for _, what := range []string{"coverage", "windows"} {
		p := plot(t, r, what)
		one := written(t, p.WritePNG)
		img, err := png.Decode(strings.NewReader(one))
		if err != nil {
			t.Fatal(err)
		}
		svg := parse(t, written(t, p.WriteSVG)).children[0]
		if got := img.Bounds().Dx(); got != 1920 {
			t.Errorf("%s: %d dots wide", what, got)
		}
		if high := number(t, svg.attrs["height"]); img.Bounds().Dy() != int(2*high+.5) {
			t.Errorf("%s: %d dots high, %v in the SVG", what, img.Bounds().Dy(), high)
		}
		marks := svg.class("svg", "marks")[0]
		for _, box := range marks.all("rect") {
			if class := lastClass(box); slices.Contains([]string{"train", "test", "u6", "d6"}, class) {
				_, rest, _ := strings.Cut(svg.all("style")[0].text, "\n."+class+"{fill:")
				checkBox(t, what, img, marks, box, rest[:len("#rrggbb")])
			}
		}
	}
}

func lastClass(n *node) string {
	classes := strings.Fields(n.attrs["class"])
	return classes[len(classes)-1]
}

// checkBox looks for a box's colour just inside its upper left corner, where no text stands.
func checkBox(t *testing.T, what string, img image.Image, marks, box *node, fill string) {
	t.Helper()
	x := number(t, marks.attrs["x"]) + number(t, strings.TrimSuffix(box.attrs["x"], "%"))/100*number(t, marks.attrs["width"])
	y := number(t, marks.attrs["y"]) + number(t, box.attrs["y"])
	r, g, b, _ := img.At(int(2*x)+3, int(2*y)+2).RGBA()
	if got := [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}; got != rgb(t, fill) {
		t.Errorf("%s: at %.0f, %.0f is %v, want %s %v", what, x, y, got, fill, rgb(t, fill))
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The lead's line is in the PNG where the SVG has it.
func TestPNGCurve(t *testing.T) {
	p := plot(t, small(), "curves")
	img, err := png.Decode(strings.NewReader(written(t, p.WritePNG)))
	if err != nil {
		t.Fatal(err)
	}
	if written(t, p.WritePNG) != written(t, plot(t, small(), "curves").WritePNG) {
		t.Error("equal input gave other bytes")
	}
	svg := parse(t, written(t, p.WriteSVG))
	marks := svg.class("svg", "marks")[0]
	path := svg.id("c0").all("path")[0].attrs["d"]
	for _, at := range strings.Split(strings.TrimPrefix(path, "M"), "L")[1:] {
		xs, ys, _ := strings.Cut(at, " ")
		x := number(t, marks.attrs["x"]) + number(t, xs)/1000*number(t, marks.attrs["width"])
		y := number(t, marks.attrs["y"]) + number(t, ys)
		if r, _, _, _ := img.At(int(2*x), int(2*y)).RGBA(); r>>8 > 90 {
			t.Errorf("no ink at %.1f, %.1f: %d", x, y, r>>8)
		}
	}
}

func TestPlotsAreNamedOnce(t *testing.T) {
	names := report.Plots()
	slices.Sort(names)
	if len(slices.Compact(names)) != 9 {
		t.Errorf("%q", names)
	}
}

func rgb(t *testing.T, hex string) (c [3]uint8) {
	t.Helper()
	for i := range c {
		v, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c[i] = uint8(v)
	}
	return c
}
