package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/foldstream/foldstream/collect"
)

// diffRows is how many rows a table of changes has at most.
const diffRows = 1000

// WriteDiff writes the page of how two experiments differ. generated may be zero. Errors: those of w.
func WriteDiff(w io.Writer, d collect.Diff, generated time.Time) error {
	return pages.ExecuteTemplate(w, "diff", diffView(d, generated))
}

// diffPage is a difference in the words and numbers that stand on its page.
type diffPage struct {
	Left, Right, Generated string
	Lead                   string
	Figures                [][2]string
	Settings               [][3]string
	Numbers                []diffNumber
	Changes                []diffChange
	More                   string
	Only                   []diffOnly
}

type diffNumber struct {
	What, Of, Compared, Changed, Largest, Where string
	Moved                                       bool
}

type diffChange struct{ Where, What, Left, Right, By string }

type diffOnly struct {
	Title  string
	Places []string
}

func diffView(d collect.Diff, generated time.Time) diffPage {
	p := diffPage{Left: clean(d.Left), Right: clean(d.Right), Lead: diffLead(d)}
	if !generated.IsZero() {
		p.Generated = generated.Format("2 January 2006, 15:04 MST")
	}
	p.Figures = [][2]string{
		{"windows identical", count(d.Windows.Identical)}, {"windows changed", count(d.Windows.Changed)},
		{"configurations identical", count(d.Groups.Identical)}, {"configurations changed", count(d.Groups.Changed)},
		{"only in " + p.Left, count(d.Windows.OnlyLeft)}, {"only in " + p.Right, count(d.Windows.OnlyRight)},
	}
	for _, s := range d.Settings {
		p.Settings = append(p.Settings, [3]string{clean(s.Name), clean(or(s.Left, missing)), clean(or(s.Right, missing))})
	}
	for _, s := range d.Numbers {
		p.Numbers = append(p.Numbers, numberView(s))
	}
	for _, c := range d.Changes[:min(len(d.Changes), diffRows)] {
		p.Changes = append(p.Changes, changeView(c))
	}
	if more := d.Changed - len(p.Changes); more > 0 {
		p.More = plural(more, "smaller change") + " are left out."
	}
	p.addOnly("Only in "+p.Left, d.OnlyLeft)
	p.addOnly("Only in "+p.Right, d.OnlyRight)
	return p
}

func diffLead(d collect.Diff) string {
	if d.Same() {
		return "Nothing differs: every window and every configuration came to the same."
	}
	var moved []string
	for _, s := range d.Numbers {
		if s.Changed > 0 && !s.Window {
			moved = append(moved, clean(s.What))
		}
	}
	text := fmt.Sprintf("%s and %s changed", plural(d.Windows.Changed, "window"), plural(d.Groups.Changed, "configuration"))
	if len(moved) > 0 {
		text += "; of the configurations' numbers these moved: " + strings.Join(moved, ", ")
	}
	return text + "."
}

func numberView(s collect.DiffShare) diffNumber {
	out := diffNumber{What: clean(s.What), Of: "configurations", Compared: count(s.Compared), Changed: count(s.Changed), Moved: s.Changed > 0}
	if s.Window {
		out.Of = "windows"
	}
	if s.Changed > 0 {
		c := changeView(s.Largest)
		out.Largest, out.Where = c.Left+" → "+c.Right, c.Where
	}
	return out
}

func changeView(c collect.Change) diffChange {
	out := diffChange{Where: placeView(c.DiffPlace), What: clean(c.What)}
	if c.Cells > 0 {
		out.Where += fmt.Sprintf(", %s (of %s)", clean(c.At), plural(c.Cells, "value"))
	}
	if c.IsText() {
		out.Left, out.Right = clean(c.Texts[0]), clean(c.Texts[1])
		return out
	}
	out.Left, out.Right, out.By = digits(c.Left), digits(c.Right), digits(c.By())
	if c.By() > 0 {
		out.By = "+" + out.By
	}
	return out
}

// digits writes a number with six digits, wherever its point is.
func digits(v float64) string {
	if math.IsNaN(v) {
		return missing
	}
	return strings.Replace(strconv.FormatFloat(v, 'g', 6, 64), "-", "−", 1)
}

func placeView(p collect.DiffPlace) string {
	switch {
	case p.IsWindow():
		return fmt.Sprintf("%s, window %d", keyText(p.Key), p.Window)
	case len(p.Key) == 0:
		return "ensemble"
	}
	return keyText(p.Key)
}

func (p *diffPage) addOnly(title string, places []collect.DiffPlace) {
	if len(places) == 0 {
		return
	}
	only := diffOnly{Title: title}
	for _, at := range places[:min(len(places), diffRows)] {
		only.Places = append(only.Places, placeView(at))
	}
	if more := len(places) - len(only.Places); more > 0 {
		only.Places = append(only.Places, fmt.Sprintf("and %s more", count(more)))
	}
	p.Only = append(p.Only, only)
}
