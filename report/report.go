// Package report draws an experiment: one HTML page with its results, curves, windows and failures, and each picture of it alone
// as SVG or PNG. A page is one file that needs no network; its few lines of script sort tables and point at curves, and without
// them nothing is missing. Equal input gives equal bytes.
package report

import (
	"cmp"
	"io"
	"math"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// Report is what a page shows. The zero Report makes a page that says that there is nothing; every field may be left out.
type Report struct {
	Title      string // "" is the experiment's name
	Experiment foldstream.Experiment
	Collection collect.Collection
	// Tasks are those of the collection's members, each with the key and the window of its member. They tell of windows,
	// horizons, data and leaks.
	Tasks []foldstream.Task
	// Absent is why there is no result of a task, where that is known.
	Absent map[foldstream.TaskID]Absence
	// Facts are more of where the results are from, a name and a text each: the version of the code.
	Facts     [][2]string
	Run       Run
	Generated time.Time // zero is left out
}

// WriteHTML writes the page. Errors: those of w; nothing of the input is an error.
func (r Report) WriteHTML(w io.Writer) error {
	return pages.ExecuteTemplate(w, "page", pageView(r))
}

// page is a Report in the words and numbers that stand on it.
type page struct {
	Title, Experiment, Generated string
	Lead                         string
	Alerts                       []alert
	Figures                      [][2]string
	FiguresOf                    string // whose the figures are
	Curves, Falls                *figure
	Results                      *resultsTable
	WindowIC, Histogram          *figure
	Months                       *monthsTable
	Costs                        *costsView
	Spells                       *spellsTable
	Grid                         *gridTable
	Problems                     []problem
	MoreProblems                 string
	Windows                      *figure
	Facts                        []fact
	Notes                        []string
	Tinted                       string // the name of the choice that the colours show
}

// section is an entry of the contents.
type section struct{ ID, Title string }

// Sections are the contents of the page.
func (p page) Sections() (out []section) {
	for _, s := range []struct {
		there bool
		section
	}{
		{p.Curves != nil, section{"performance", "Performance"}}, {p.Results != nil, section{"results", "Configurations"}},
		{p.WindowIC != nil || p.Histogram != nil || p.Months != nil, section{"ic", "Information coefficient"}},
		{p.Costs != nil, section{"costs", "Turnover and costs"}}, {p.Spells != nil, section{"spells", "Window by window"}},
		{p.Grid != nil, section{"coverage", "Coverage"}}, {p.Problems != nil, section{"problems", "Failed and missing"}},
		{p.Windows != nil, section{"windows", "Training and test"}}, {p.Facts != nil, section{"provenance", "Provenance"}},
		{p.Notes != nil, section{"notes", "Notes"}},
	} {
		if s.there {
			out = append(out, s.section)
		}
	}
	return out
}

func pageView(r Report) page {
	r.Collection = sound(r.Collection)
	p := page{
		Title:      clean(or(r.Title, r.name())),
		Experiment: clean(or(r.Experiment.Name, r.Collection.Experiment)),
		Lead:       leadText(r.Collection),
		Alerts:     alerts(r.Collection),
		Facts:      facts(r),
	}
	if !r.Generated.IsZero() {
		p.Generated = r.Generated.Format("2 January 2006, 15:04 MST")
	}
	for _, n := range r.Experiment.Notes {
		p.Notes = append(p.Notes, clean(n))
	}
	p.Windows = r.windows()
	p.addCollection(r)
	return p
}

// name is what the report is called by.
func (r Report) name() string {
	return cmp.Or(r.Experiment.Name, r.Collection.Experiment, "Experiment")
}

func (p *page) addCollection(r Report) {
	c := r.Collection
	if len(c.Groups) == 0 {
		return
	}
	tint, h := tintOf(c), horizonsOf(r.Tasks)
	l := linesOf(c, tint)
	p.Curves, p.Falls, p.Tinted = l.sums(), l.falls(), clean(tint.name)
	p.Results = resultsView(c, tint, h)
	p.Grid = gridView(c, r.Absent)
	p.Problems, p.MoreProblems = problems(c, r.Absent)
	lead, name := leadGroup(c)
	p.Figures, p.FiguresOf = figures(lead, h), name
	p.WindowIC, p.Histogram, p.Months = windowICView(lead, name, c), histogramView(lead, name), monthsView(lead, name)
	p.Costs, p.Spells = costs(lead, name, c), spellsView(lead, name, c)
}

// sound returns c with the daily frames that are none replaced by a fault that says so.
func sound(c collect.Collection) collect.Collection {
	c.Groups = slices.Clone(c.Groups)
	for i := range c.Groups {
		c.Groups[i] = soundGroup(c.Groups[i])
	}
	if c.Ensemble != nil {
		g := soundGroup(*c.Ensemble)
		c.Ensemble = &g
	}
	return c
}

func soundGroup(g collect.Group) collect.Group {
	if err := g.Daily.Validate(); err != nil {
		g.Daily, g.Faults = foldstream.Frame{}, append(slices.Clone(g.Faults), err.Error())
	}
	return g
}

// leadGroup is the group that speaks for the whole, and its name inside a sentence: the ensemble; else the configuration with
// the highest IC of those that have most results. c must have groups.
func leadGroup(c collect.Collection) (collect.Group, string) {
	if c.Ensemble != nil {
		return *c.Ensemble, "ensemble"
	}
	best := c.Groups[0]
	for _, g := range c.Groups[1:] {
		more := g.Coverage.Present - best.Coverage.Present
		if more > 0 || more == 0 && icOf(g) > icOf(best) {
			best = g
		}
	}
	if len(c.Groups) == 1 {
		return best, "only configuration"
	}
	return best, "configuration with the highest IC, " + keyText(best.Key)
}

// icOf is a group's IC; below all numbers where it has none.
func icOf(g collect.Group) float64 {
	if v, ok := g.Metrics[collect.MetricIC]; ok && !math.IsNaN(v) {
		return v
	}
	return math.Inf(-1)
}
