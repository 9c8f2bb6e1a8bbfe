// Package report draws an experiment: one HTML page with its results, curves, windows and failures, and the windows of a plan
// as a picture. A page is one file that needs no network and no script. Equal input gives equal bytes.
package report

import (
	"embed"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// Report is what a page shows. The zero Report makes a page that says that there is nothing; every field may be left out.
type Report struct {
	Title      string // "" is the experiment's name
	Experiment string
	Pool       string
	Calendar   string    // version
	Policy     string    // what happens to leaks: "refuse" or "warn"
	Generated  time.Time // zero is left out
	Facts      [][2]string
	// Notes are statements the reader must know: where the data are from, what they leave out.
	Notes   []string
	Windows []Timeline // see Timelines
	// Failures are the errors of tasks that were given up, where known.
	Failures   map[foldstream.TaskID]string
	Collection collect.Collection
}

//go:embed *.gohtml style.css
var files embed.FS

// style is our own sheet, read from the binary.
var style = func() template.CSS {
	sheet, err := files.ReadFile("style.css")
	if err != nil {
		panic(err)
	}
	return template.CSS(sheet)
}()

// pages are the templates of this room. Everything they print is escaped by where it stands.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"style": func() template.CSS { return style },
}).ParseFS(files, "*.gohtml"))

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
	Curves                       *curvesChart
	Drawdown                     *areaChart
	WindowIC, Histogram          *barsChart
	Results                      *resultsTable
	Grid                         *gridTable
	Timeline                     *windowsChart
	Problems                     []problem
	MoreProblems                 string
	Facts                        [][2]string
	Notes                        []string
}

// alert is a warning above all else.
type alert struct{ Head, Text string }

func pageView(r Report) page {
	r.Collection = sound(r.Collection)
	c := r.Collection
	experiment := or(r.Experiment, c.Experiment)
	p := page{
		Title:      clean(or(r.Title, or(experiment, "Experiment"))),
		Experiment: clean(experiment),
		Lead:       leadText(c),
		Alerts:     alerts(r),
		Facts:      facts(r),
	}
	if !r.Generated.IsZero() {
		p.Generated = r.Generated.Format("2 January 2006, 15:04 MST")
	}
	for _, n := range r.Notes {
		p.Notes = append(p.Notes, clean(n))
	}
	if len(r.Windows) > 0 {
		t := timelineView(r.Windows)
		p.Timeline = &t
	}
	p.addCollection(c, r.Failures)
	return p
}

func (p *page) addCollection(c collect.Collection, failures map[foldstream.TaskID]string) {
	if len(c.Groups) == 0 {
		return
	}
	tint := tintOf(c)
	p.Curves = curvesView(c, tint)
	p.Results = resultsView(c, tint)
	p.Grid = gridView(c, failures)
	p.Problems, p.MoreProblems = problems(c, failures)
	if lead, name := leadGroup(c); lead != nil {
		p.Figures = figures(*lead, c)
		p.Drawdown = drawdownView(*lead, name, p.Curves)
		p.WindowIC = windowICView(*lead, name, c)
		p.Histogram = histogramView(*lead, name)
	}
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

// leadGroup is the group that speaks for the whole: the ensemble, or the only configuration; nil where there is neither.
func leadGroup(c collect.Collection) (*collect.Group, string) {
	switch {
	case c.Ensemble != nil:
		return c.Ensemble, "Ensemble"
	case len(c.Groups) == 1:
		return &c.Groups[0], keyText(c.Groups[0].Key)
	}
	return nil, ""
}
