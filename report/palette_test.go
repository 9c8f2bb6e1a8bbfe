package report

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// luminance and contrast are those of WCAG 2.
func luminance(hex string) (l float64) {
	for i, c := range rgb(hex) {
		v := float64(c) / 255
		if v <= 0.03928 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		l += v * []float64{0.2126, 0.7152, 0.0722}[i]
	}
	return l
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Text can be read on everything that it stands on, in light and in dark, and lines can be told from the paper.
func TestContrast(t *testing.T) {
	if c := contrast("#000000", "#ffffff"); math.Abs(c-21) > 1e-9 {
		t.Fatalf("black on white is %v", c)
	}
	grounds := map[string][]string{
		"ink":  {"paper", "wash", "u1", "u2", "u3", "u4", "u5", "u6", "d1", "d2", "d3", "d4", "d5", "d6"},
		"soft": {"paper", "wash"}, "warn": {"paper", "wash"}, "mark": {"paper", "wash"},
	}
	for text, under := range grounds {
		for _, ground := range under {
			a, b := find(palette, text), find(palette, ground)
			if light, dark := contrast(a.light, b.light), contrast(a.dark, b.dark); light < 4.5 || dark < 4.5 {
				t.Errorf("%s on %s: %.2f light, %.2f dark", text, ground, light, dark)
			}
		}
	}
	for _, line := range []string{"s0", "s1", "s2", "s3", "s4", "s5", "s6", "up", "down", "test"} {
		a, paper := find(palette, line), find(palette, "paper")
		if light, dark := contrast(a.light, paper.light), contrast(a.dark, paper.dark); light < 3 || dark < 3 {
			t.Errorf("%s on paper: %.2f light, %.2f dark", line, light, dark)
		}
	}
}

// Whatever names a colour names one that there is, in each of the sheets.
func TestSheetsNameColours(t *testing.T) {
	for _, p := range paints {
		for _, name := range []string{p.fill, p.stroke} {
			if name != "" {
				find(palette, name)
			}
		}
		if !strings.Contains(style, "\n."+p.class+"{") || !strings.Contains(alone, "\n."+p.class+"{") {
			t.Errorf("no sheet has the class %s", p.class)
		}
	}
	for _, part := range strings.Split(style, "var(--")[1:] {
		name, _, _ := strings.Cut(part, ")")
		if name != "serif" && name != "sans" && !slices.ContainsFunc(palette, func(c tone) bool { return c.name == name }) {
			t.Errorf("the sheet names a colour %s that is not there", name)
		}
	}
	if strings.Contains(alone, "var(") {
		t.Error("the sheet of a picture alone needs variables")
	}
}

func TestLookOf(t *testing.T) {
	best := lookOf("curve s2 best")
	if best.stroke != "s2" || best.width != 2.2 || !best.strong || best.fill != "" {
		t.Errorf("best: %+v", best)
	}
	if pale := lookOf("curve s2"); pale.strong || pale.width != 1 {
		t.Errorf("pale: %+v", pale)
	}
	if none := lookOf("cell"); none.fill != "" || none.stroke != "" {
		t.Errorf("none: %+v", none)
	}
}
