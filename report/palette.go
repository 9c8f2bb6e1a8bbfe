package report

import (
	"fmt"
	"strconv"
	"strings"
)

// tone is a colour by name, on light paper and on dark. Text has a contrast of at least 4.5 to what it stands on, in both.
type tone struct{ name, light, dark string }

var palette = shades([]tone{
	{"paper", "#fdfcfa", "#171716"}, {"wash", "#f4f1ea", "#21201e"}, {"rule", "#dcd8cf", "#3a3834"},
	{"ink", "#1c1b19", "#e9e6df"}, {"soft", "#5d5a54", "#a5a199"}, {"warn", "#a03a1e", "#f0957a"}, {"mark", "#2f6690", "#7fb3d9"},
	{"up", "#2f6690", "#5c94c2"}, {"down", "#b24a2c", "#d6684a"},
	{"train", "#b9c6d0", "#46525c"}, {"valid", "#d9a441", "#c9973f"}, {"test", "#2f6690", "#7fb3d9"}, {"other", "#9b8f7d", "#8d8474"},
	{"s0", "#7d7a73", "#98958d"}, {"s1", "#2f6690", "#7fb3d9"}, {"s2", "#b5651d", "#e0a36a"}, {"s3", "#4f7942", "#9cc48a"},
	{"s4", "#8d4b7a", "#cf9bc0"}, {"s5", "#2f8080", "#7cc0c0"}, {"s6", "#7a5c3a", "#c4a982"},
})

// depths is how many shades a value has above and below zero. The deepest is six tenths of the full colour, so that ink stays legible on it.
const depths = 6

// shades adds to a palette the colours u1 to u6 and d1 to d6: up and down, mixed with paper.
func shades(p []tone) []tone {
	for _, side := range []string{"up", "down"} {
		for i := 1; i <= depths; i++ {
			full, paper, share := find(p, side), find(p, "paper"), 0.6*float64(i)/depths
			p = append(p, tone{side[:1] + strconv.Itoa(i), mix(full.light, paper.light, share), mix(full.dark, paper.dark, share)})
		}
	}
	return p
}

// find returns a colour of a palette; asking for one that is not there is our bug.
func find(p []tone, name string) tone {
	for _, t := range p {
		if t.name == name {
			return t
		}
	}
	panic("report: no colour " + name)
}

// rgb reads "#rrggbb".
func rgb(hex string) (c [3]uint8) {
	for i := range c {
		v, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			panic(err)
		}
		c[i] = uint8(v)
	}
	return c
}

// mix returns a share of one colour over another.
func mix(over, under string, share float64) string {
	a, b := rgb(over), rgb(under)
	for i := range a {
		a[i] = uint8(float64(a[i])*share + float64(b[i])*(1-share) + 0.5)
	}
	return fmt.Sprintf("#%02x%02x%02x", a[0], a[1], a[2])
}

// variables is the palette as custom properties: light, and dark where the reader's screen is.
func variables() string {
	var light, dark strings.Builder
	for _, t := range palette {
		fmt.Fprintf(&light, "--%s:%s;", t.name, t.light)
		fmt.Fprintf(&dark, "--%s:%s;", t.name, t.dark)
	}
	return ":root{color-scheme:light dark;" + light.String() + "}\n@media screen and (prefers-color-scheme:dark){:root{" + dark.String() + "}}\n"
}
