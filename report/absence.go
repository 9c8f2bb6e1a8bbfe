package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// Absence is what is known of a task that has no result: it failed, was cancelled or removed, or is not done yet.
type Absence struct {
	Status   foldstream.Status
	Error    string // of the last attempt that failed, with the last lines of its log
	Attempts int
	Worker   string // that of the last attempt
}

// The parts of an error that a page shows: the first lines, which say what went wrong, and the last, where the log ends.
const (
	headLines = 3
	tailLines = 12
	maxLine   = 240 // characters
)

// why says in a line or more why a window has no result.
func why(w collect.Window, a Absence) string {
	return cmp.Or(w.Fault, strings.TrimSpace(a.Error), string(a.Status), string(w.Status))
}

// excerpt leaves out the middle of a long text.
func excerpt(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if left := len(lines) - headLines - tailLines; left > 1 {
		lines = append(append(lines[:headLines:headLines], fmt.Sprintf("… %s left out …", plural(left, "line"))), lines[headLines+left:]...)
	}
	for i, l := range lines {
		lines[i] = cut(l, maxLine)
	}
	return strings.Join(lines, "\n")
}

// problem is a failure, or something that could not be computed.
type problem struct {
	Config, Window, Test, Task, What string
	Run                              string // of what may differ from run to run: attempts, the worker
}

// maxProblems is how many a page lists; the rest is counted.
const maxProblems = 200

// problems lists what failed, then what is not there yet.
func problems(c collect.Collection, absent map[foldstream.TaskID]Absence) (list []problem, more string) {
	for _, g := range c.Groups {
		list = append(list, groupProblems(g, absent)...)
	}
	if c.Ensemble != nil {
		for _, f := range c.Ensemble.Faults {
			list = append(list, problem{Config: "Ensemble", What: clean(f)})
		}
	}
	for _, g := range c.Groups {
		list = append(list, openProblems(g, absent)...)
	}
	if n := len(list) - maxProblems; n > 0 {
		return list[:maxProblems], "And " + count(n) + " more."
	}
	return list, ""
}

func groupProblems(g collect.Group, absent map[foldstream.TaskID]Absence) (list []problem) {
	config := keyText(g.Key)
	for _, w := range g.Windows {
		if failed(w) {
			list = append(list, windowProblem(config, w, absent[w.Task]))
		}
	}
	for _, f := range g.Faults {
		list = append(list, problem{Config: config, What: clean(f)})
	}
	for _, sessions := range []struct {
		what string
		at   []foldstream.Segment
	}{
		{"no prediction for these sessions", g.Coverage.Gaps},
		{"predicted by more than one window", g.Coverage.Overlaps},
		{"a window has a row twice; the last one counts", g.Coverage.Duplicates},
	} {
		for _, s := range sessions.at {
			list = append(list, problem{Config: config, Test: period(s), What: sessions.what})
		}
	}
	return list
}

// openProblems tells of the windows that are not there yet: those with an error one by one, the others by their number.
func openProblems(g collect.Group, absent map[foldstream.TaskID]Absence) (list []problem) {
	waiting := 0
	for _, w := range g.Windows {
		switch {
		case failed(w) || w.Status == foldstream.Done:
		case absent[w.Task].Error != "":
			list = append(list, windowProblem(keyText(g.Key), w, absent[w.Task]))
		default:
			waiting++
		}
	}
	if waiting > 0 {
		list = append(list, problem{Config: keyText(g.Key), What: plural(waiting, "window") + " not there yet"})
	}
	return list
}

func windowProblem(config string, w collect.Window, a Absence) problem {
	p := problem{Config: config, Window: fmt.Sprint(w.Index + 1), Test: clean(period(w.Test)), Task: clean(string(w.Task))}
	p.What = excerpt(clean(why(w, a)))
	if a.Attempts > 0 {
		p.Run = plural(a.Attempts, "attempt")
		if a.Worker != "" {
			p.Run += ", the last on " + cut(clean(a.Worker), maxName)
		}
	}
	return p
}

// failed reports whether a window was given up, or its result could not be used.
func failed(w collect.Window) bool {
	return w.Fault != "" || w.Status.Final() && w.Status != foldstream.Done
}
