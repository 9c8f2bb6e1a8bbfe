package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// leadText says in a sentence or two what was run.
func leadText(c collect.Collection) string {
	if len(c.Groups) == 0 {
		return "The collection has no configurations: nothing was submitted, or nothing is there yet."
	}
	text := plural(len(c.Groups), "configuration")
	if n := len(windowIndexes(c)); n > 0 {
		text += " over " + plural(n, "rolling window")
	}
	if s, ok := testPeriod(c); ok {
		text += ", tested from " + day(s.Start) + " to " + day(s.End)
	}
	return text + ". " + presence(c.Coverage) + "."
}

func presence(v foldstream.Coverage) string {
	text := fmt.Sprintf("%s of %s results are in", count(v.Present), count(v.Expected))
	if n := len(v.Failed); n > 0 {
		text += ", " + count(n) + " failed"
	}
	if n := len(v.Missing); n > 0 {
		text += ", " + count(n) + " missing"
	}
	return text
}

func day(t foldstream.Time) string { return t.Std().Format("2 January 2006") }

// testPeriod is from the first start to the last end of all test segments.
func testPeriod(c collect.Collection) (s foldstream.Segment, ok bool) {
	for _, g := range c.Groups {
		for _, w := range g.Windows {
			if !w.Test.Start.IsOpen() && (s.Start.IsOpen() || w.Test.Start.Before(s.Start)) {
				s.Start = w.Test.Start
			}
			if w.Test.End.After(s.End) {
				s.End = w.Test.End
			}
		}
	}
	return s, !s.Start.IsOpen() && !s.End.IsOpen()
}

func alerts(r Report) []alert {
	c := r.Collection
	if len(c.Groups) == 0 {
		return nil
	}
	var out []alert
	if !c.Certified {
		out = append(out, alert{"Uncertified.", "Tasks were let through that leak, or whose label's reach is unknown: their training may have seen the period they are tested on."})
	}
	switch {
	case !c.Settled:
		out = append(out, alert{"Still running.", "The numbers below will change; the ensemble is made when every result is in or given up."})
	case c.Coverage.Present < c.Coverage.Expected:
		out = append(out, alert{"Incomplete.", "Configurations with fewer results are measured over fewer sessions, and do not compare one to one."})
	}
	return out
}

func facts(r Report) [][2]string {
	leaks := ""
	if len(r.Collection.Groups) > 0 {
		leaks = "certified: no task's training, nor its label's reach, touches its test period"
		if !r.Collection.Certified {
			leaks = "uncertified"
		}
		if r.Policy != "" {
			leaks += " (policy " + r.Policy + ")"
		}
	}
	var out [][2]string
	for _, f := range append([][2]string{{"Experiment", or(r.Experiment, r.Collection.Experiment)}, {"Pool", r.Pool}, {"Leak check", leaks}, {"Calendar", r.Calendar}}, r.Facts...) {
		if f[1] != "" {
			out = append(out, [2]string{sentence(clean(f[0])), clean(f[1])})
		}
	}
	return out
}

// sentence writes s with a capital.
func sentence(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// problem is a failure, or something that could not be computed.
type problem struct {
	Config, Window, Test, Task, What string
}

// maxProblems is how many a page lists; the rest is counted.
const maxProblems = 200

func problems(c collect.Collection, failures map[foldstream.TaskID]string) (list []problem, more string) {
	for _, g := range c.Groups {
		list = append(list, groupProblems(g, failures)...)
	}
	if c.Ensemble != nil {
		for _, f := range c.Ensemble.Faults {
			list = append(list, problem{Config: "Ensemble", What: clean(f)})
		}
	}
	if n := len(list) - maxProblems; n > 0 {
		return list[:maxProblems], "And " + count(n) + " more."
	}
	return list, ""
}

func groupProblems(g collect.Group, failures map[foldstream.TaskID]string) (list []problem) {
	config := keyText(g.Key)
	for _, w := range g.Windows {
		if failed(w) {
			list = append(list, problem{config, fmt.Sprint(w.Index + 1), period(w.Test), clean(string(w.Task)), cut(clean(reason(w, failures)), 1000)})
		}
	}
	for _, f := range g.Faults {
		list = append(list, problem{Config: config, What: clean(f)})
	}
	for _, s := range g.Coverage.Gaps {
		list = append(list, problem{Config: config, Test: period(s), What: "no prediction for these sessions"})
	}
	for _, s := range g.Coverage.Overlaps {
		list = append(list, problem{Config: config, Test: period(s), What: "predicted by more than one window"})
	}
	return list
}

// failed reports whether a window was given up, or its result could not be used.
func failed(w collect.Window) bool {
	return w.Fault != "" || w.Status.Final() && w.Status != foldstream.Done
}

func reason(w collect.Window, failures map[foldstream.TaskID]string) string {
	return cmp.Or(w.Fault, strings.TrimSpace(failures[w.Task]), string(w.Status))
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// windowIndexes are the indexes of the windows that any group has, in order.
func windowIndexes(c collect.Collection) []int {
	seen := map[int]bool{}
	var out []int
	for _, g := range c.Groups {
		for _, w := range g.Windows {
			if !seen[w.Index] {
				seen[w.Index] = true
				out = append(out, w.Index)
			}
		}
	}
	slices.Sort(out)
	return out
}
