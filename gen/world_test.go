package gen_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
	"pgregory.net/rapid"
)

// world is a random calendar, a template on it and a way to roll it. days are the calendar's sessions, for the dumb checks.
type world struct {
	days     []foldstream.Time
	now      int
	rolling  gen.Rolling
	template foldstream.Template
}

// generate is what the properties judge: a Rolling, or a mutant of one.
type generate func(w world) ([]foldstream.Template, error)

func rolled(w world) ([]foldstream.Template, error) { return w.rolling.Generate(w.template) }

// worlds draws calendars of irregular gaps, segments on dates that need not be sessions, and all options.
var worlds = rapid.Custom(func(t *rapid.T) world {
	var w world
	d := day(2020, 1, 1).Std()
	for _, gap := range rapid.SliceOfN(rapid.SampledFrom([]int{1, 1, 1, 1, 2, 3, 5}), 40, 120).Draw(t, "gaps") {
		d = d.AddDate(0, 0, gap)
		w.days = append(w.days, foldstream.TimeOf(d))
	}
	n := len(w.days)
	w.now = n - 1 - rapid.SampledFrom([]int{0, 0, 0, 1, 2, 5, 9}).Draw(t, "future")
	cal, err := calendar.New(w.days)
	if err == nil {
		cal, err = cal.WithNow(w.days[w.now])
	}
	if err != nil {
		t.Fatal(err)
	}
	w.rolling = drawRolling(t, cal)
	w.template = drawTemplate(t, w.days)
	return w
})

func drawRolling(t *rapid.T, cal *calendar.Calendar) gen.Rolling {
	r := gen.Rolling{
		Calendar:       cal,
		Step:           rapid.IntRange(1, 12).Draw(t, "step"),
		Type:           rapid.SampledFrom([]calendar.Mode{"", calendar.Expanding, calendar.Sliding}).Draw(t, "type"),
		TruncReach:     rapid.Bool().Draw(t, "truncate by reach"),
		Last:           rapid.SampledFrom([]gen.Last{"", gen.Keep, gen.Clip, gen.Merge, gen.Drop}).Draw(t, "last"),
		RollFit:        rapid.Bool().Draw(t, "roll fit"),
		TrainSessions:  rapid.SampledFrom([]int{0, 0, 1, 4}).Draw(t, "train sessions"),
		KeepHandlerEnd: rapid.Bool().Draw(t, "keep handler end"),
	}
	if rapid.Bool().Draw(t, "truncate") {
		n := rapid.IntRange(0, 9).Draw(t, "truncation")
		r.Trunc = &n
	}
	return r
}

// drawTemplate puts train, valid where there is one, and test in this order on any dates of the calendar's span.
func drawTemplate(t *rapid.T, days []foldstream.Time) foldstream.Template {
	length := int(days[len(days)-1].Std().Sub(days[0].Std()).Hours() / 24)
	offsets := rapid.SliceOfNDistinct(rapid.IntRange(0, length), 6, 6, rapid.ID).Draw(t, "dates")
	slices.Sort(offsets)
	date := func(i int) foldstream.Time { return foldstream.TimeOf(days[0].Std().AddDate(0, 0, offsets[i])) }
	segments := foldstream.Segments{"train": {Start: date(0), End: date(1)}, "test": {Start: date(4), End: date(5)}}
	if rapid.Bool().Draw(t, "valid") {
		segments["valid"] = foldstream.Segment{Start: date(2), End: date(3)}
	}
	if rapid.Bool().Draw(t, "open test") {
		segments["test"] = foldstream.Segment{Start: date(4)}
	}
	template := handled(map[string]any{
		"start_time": date(0).String(), "end_time": date(4).String(),
		"fit_start_time": date(0).String(), "fit_end_time": date(1).String(),
	}, segments)
	template.Reach = foldstream.Ahead(rapid.IntRange(0, 5).Draw(t, "reach"))
	return template
}

// worldsThatRoll are those of many seeds whose generation succeeds: a property over too few of them would show nothing.
func worldsThatRoll(t *testing.T) []world {
	t.Helper()
	var list []world
	const seeds = 400
	for seed := range seeds {
		w := worlds.Example(seed)
		if _, err := rolled(w); err == nil {
			list = append(list, w)
		}
	}
	if len(list) < seeds/3 {
		t.Fatalf("only %d of %d worlds can be rolled", len(list), seeds)
	}
	return list
}

// The dumb side: all of it counts through the list of days.

// index is the position of the first day at or after d; len where there is none.
func (w world) index(d foldstream.Time) int {
	for i, day := range w.days {
		if !day.Before(d) {
			return i
		}
	}
	return len(w.days)
}

// in is the positions of the days in a segment.
func (w world) in(s foldstream.Segment) []int {
	var found []int
	for i, d := range w.days {
		if (s.Start.IsOpen() || !d.Before(s.Start)) && (s.End.IsOpen() || !d.After(s.End)) {
			found = append(found, i)
		}
	}
	return found
}

// leaks says which day of training reads the test period, "" where none does: day by day, as a reader of the prices would see it.
func (w world) leaks(t foldstream.Template) string {
	test := w.index(t.Segments["test"].Start)
	for _, name := range []string{"train", "valid"} {
		if _, there := t.Segments[name]; !there {
			continue
		}
		for _, i := range w.in(t.Segments[name]) {
			if i+t.Reach.Sessions >= test {
				return fmt.Sprintf("day %d of %s reads day %d, the test starts at %d", i, name, i+t.Reach.Sessions, test)
			}
		}
	}
	fit, _ := t.Handler()["fit_end_time"].(string)
	for _, i := range w.in(t.Segments["test"]) {
		if w.days[i].String() <= fit {
			return "the fit window ends at " + fit
		}
	}
	return ""
}

// last is the position of the last day to test: the last at or before the template's test end, and Now.
func (w world) last() int {
	days := w.in(foldstream.Segment{End: w.template.Segments["test"].End})
	return min(days[len(days)-1], w.now)
}
