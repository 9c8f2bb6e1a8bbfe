package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// Run is how the results came to be. It may differ between two makings of an equal collection, and so it stands on lines of
// its own: without those (of the class "run") equal collections give equal pages. The zero Run is left out.
type Run struct {
	Started, Finished time.Time     // the first attempt began, the last one ended
	Working           time.Duration // of all winning attempts together
	Attempts          int           // that were begun
	Failed            int           // of them: that ended in an error
	Lost              int           // of them: whose worker went away
	Workers           []string      // names of the consumers that made results
}

// fact is a line of the provenance.
type fact struct {
	Name, Text string
	Run        bool // it may differ from run to run
}

// facts is where the results are from.
func facts(r Report) (out []fact) {
	add := func(name, text string) {
		if text != "" {
			out = append(out, fact{Name: sentence(clean(name)), Text: clean(text)})
		}
	}
	e := r.Experiment
	add("experiment", cmp.Or(e.Name, r.Collection.Experiment))
	add("made from", sourceText(e.Source))
	add("pool", e.Pool)
	add("members", memberText(r))
	add("worked by", distinct(r.Tasks, func(t foldstream.Task) string { return t.Worker }))
	add("leak check", leakText(r))
	add("calendar", e.Calendar)
	for _, f := range r.Facts {
		add(f[0], f[1])
	}
	for _, d := range dataOf(r.Tasks) {
		add("data "+d.Name, fmt.Sprintf("%s, %s bytes, SHA-256 %s", filepath.Base(d.Path), count(int(d.Size)), d.Digest))
	}
	return append(out, r.Run.facts(len(r.Tasks))...)
}

// sourceText is the file's name without its folder.
func sourceText(source string) string {
	if source == "" {
		return ""
	}
	return filepath.Base(source)
}

func memberText(r Report) string {
	if r.Experiment.Members == "" {
		return ""
	}
	return fmt.Sprintf("%s, listed in SHA-256 %s", count(r.Experiment.Expected), r.Experiment.Members)
}

// leakText says what is known of leaks: the policy, and what the certificates say.
func leakText(r Report) string {
	if len(r.Collection.Groups) == 0 {
		return ""
	}
	text := "certified: no task's training, nor its label's reach, touches its test period"
	if !r.Collection.Certified {
		text = "uncertified"
	}
	if r.Experiment.Policy != "" {
		text += fmt.Sprintf(" (policy %s)", r.Experiment.Policy)
	}
	if checked, certified := certificates(r.Tasks); checked > 0 {
		text += fmt.Sprintf("; %s of %s certified", count(certified), plural(checked, "task"))
	}
	if reach := reachText(r.Tasks); reach != "" {
		text += "; " + reach
	}
	return text
}

// certificates counts the tasks that carry one, and those that it clears.
func certificates(tasks []foldstream.Task) (checked, certified int) {
	for _, t := range tasks {
		if t.Leak.Policy != "" {
			checked++
		}
		if t.Leak.Certified {
			certified++
		}
	}
	return checked, certified
}

// dataOf are the data sources of tasks, each once.
func dataOf(tasks []foldstream.Task) (out []foldstream.Data) {
	for _, t := range tasks {
		for _, d := range t.Data {
			if !slices.ContainsFunc(out, func(o foldstream.Data) bool { return o.Name == d.Name && o.Digest == d.Digest }) {
				out = append(out, d)
			}
		}
	}
	return out
}

// distinct lists the different values of tasks.
func distinct(tasks []foldstream.Task, of func(foldstream.Task) string) string {
	var out []string
	for _, t := range tasks {
		if v := of(t); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return strings.Join(out, ", ")
}

// maxWorkers is how many workers are named; the rest is counted.
const maxWorkers = 8

func (r Run) facts(tasks int) (out []fact) {
	add := func(name, text string) { out = append(out, fact{name, clean(text), true}) }
	if r.Attempts > 0 {
		text := fmt.Sprintf("%s for %s", count(r.Attempts), plural(tasks, "task"))
		if r.Failed+r.Lost > 0 {
			text += fmt.Sprintf("; %s failed, %s lost with their worker", count(r.Failed), count(r.Lost))
		}
		add("Attempts", text)
	}
	if !r.Started.IsZero() && !r.Finished.IsZero() {
		took := r.Finished.Sub(r.Started)
		add("Worked", fmt.Sprintf("%s to %s, %s", instant(r.Started), instant(r.Finished), duration(took)))
	}
	if r.Working > 0 {
		add("Working time", duration(r.Working)+" in all")
	}
	if n := len(r.Workers); n > 0 {
		names := r.Workers[:min(n, maxWorkers)]
		text := fmt.Sprintf("%s: %s", count(n), strings.Join(names, ", "))
		if n > maxWorkers {
			text += ", …"
		}
		add("Consumers", text)
	}
	return out
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }

// duration writes how long something took, to three digits or whole seconds.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
