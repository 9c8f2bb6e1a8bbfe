package report

import (
	"fmt"
	"slices"
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

// alert is a warning above all else.
type alert struct{ Head, Text string }

func alerts(c collect.Collection) []alert {
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
	case !c.Coverage.Complete():
		out = append(out, alert{"Incomplete.", "Configurations with fewer results are measured over fewer sessions, and do not compare one to one."})
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
