package report

import (
	"io"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// Plot is a picture that stands alone, with its title, its legend and what must be known of what it shows.
type Plot struct{ made poster }

// Plots are the names of the pictures that a report has, in the order of its page.
func Plots() []string {
	return []string{"curves", "drawdown", "ic", "histogram", "months", "costs", "turnover", "coverage", "windows"}
}

// Plot returns a picture of the report by its name. Errors: Invalid (there is none of that name), NotFound (the collection has nothing
// to make it of).
func (r Report) Plot(name string) (Plot, error) {
	if !slices.Contains(Plots(), name) {
		return Plot{}, foldstream.Errorf(foldstream.Invalid, "plot", "there is no plot %q; there are %s", name, strings.Join(Plots(), ", "))
	}
	r.Collection = sound(r.Collection)
	f := r.figureOf(name)
	if f == nil {
		return Plot{}, foldstream.Errorf(foldstream.NotFound, "plot", "%s has nothing to draw %s of", r.name(), name)
	}
	return Plot{poster{*f, r.subtitle()}}, nil
}

// figureOf makes the figure of a name; nil where the collection has nothing to make it of.
func (r Report) figureOf(name string) *figure {
	c := r.Collection
	if name == "windows" {
		return r.windows()
	}
	if len(c.Groups) == 0 {
		return nil
	}
	lead, whose := leadGroup(c)
	switch name {
	case "curves":
		return linesOf(c, tintOf(c)).sums()
	case "drawdown":
		return linesOf(c, tintOf(c)).falls()
	case "ic":
		return windowICView(lead, whose, c)
	case "histogram":
		return histogramView(lead, whose)
	case "months":
		return monthsView(lead, whose).picture()
	case "costs":
		return grossAndNet(lead, whose)
	case "turnover":
		return turnoverView(lead, whose, c)
	}
	return gridView(c, r.Absent).picture()
}

// windows draws the windows of the tasks; nil where there are none.
func (r Report) windows() *figure {
	if plan := Timelines(r.Tasks); len(plan) > 0 {
		return windowsView(plan)
	}
	return nil
}

// subtitle names the experiment and says what a picture cannot be without.
func (r Report) subtitle() string {
	parts := []string{clean(r.name())}
	if len(r.Collection.Groups) > 0 {
		parts = append(parts, presence(r.Collection.Coverage))
	}
	for _, a := range alerts(r.Collection) {
		parts = append(parts, strings.ToLower(strings.TrimSuffix(a.Head, ".")))
	}
	return strings.Join(parts, " · ")
}

// WindowsPlot draws the timelines of a plan.
func WindowsPlot(title string, plan []Timeline) Plot {
	return Plot{poster{*windowsView(plan), clean(title)}}
}

// alone is the sheet of a picture that stands alone: its colours are written out, which more programs read.
var alone = background(func(t tone) string { return t.light }) + "@media (prefers-color-scheme:dark){" + background(func(t tone) string { return t.dark }) + "}\n"

func background(of func(tone) string) string {
	colour := func(name string) string { return of(find(palette, name)) }
	return "svg{background:" + colour("paper") + `;font-family:-apple-system,"Segoe UI","Helvetica Neue",Roboto,"Liberation Sans",Arial,sans-serif}` +
		"\n.title{font-family:Charter,Cambria,\"Liberation Serif\",Georgia,serif;font-size:20px;font-weight:600;fill:" + colour("ink") + "}\n" +
		looks(colour)
}

// WriteSVG writes the picture as a document of its own, in light or dark as the reader's screen is. Equal plots give equal bytes.
// Errors: those of w.
func (p Plot) WriteSVG(w io.Writer) error {
	return pages.ExecuteTemplate(w, "plot.svg", p.made)
}
