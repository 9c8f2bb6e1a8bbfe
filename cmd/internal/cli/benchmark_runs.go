package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/report"
)

// benchmarkRuns gathers the runs of a table.
type benchmarkRuns struct {
	runs      []report.BenchmarkRun
	keep      func(record.Recorder) (bool, error) // nil keeps all
	model     func(record.Recorder) (string, error)
	dataset   func(record.Recorder) (string, error)
	recorders bool
}

// reader compiles the expressions. Errors: Invalid, with line and column.
func (c *TableCmd) reader() (b *benchmarkRuns, err error) {
	b = &benchmarkRuns{recorders: c.Recorders}
	if b.keep, err = keeps(c.Where); err != nil {
		return nil, err
	}
	if b.model, err = naming("--model", c.Model, modelOf); err != nil {
		return nil, err
	}
	b.dataset, err = naming("--dataset", c.Dataset, datasetOf)
	return b, err
}

// naming returns what names a recorder by an expression; by absent where there is none, or where it has no value.
func naming(flag, text string, absent func(record.Recorder) string) (func(record.Recorder) (string, error), error) {
	l := language{flag: flag, env: recorderEnv{}, value: true, patch: recorderOrder.patch}
	var program *vm.Program
	if text != "" {
		var err error
		if program, err = l.compile(text); err != nil {
			return nil, err
		}
	}
	return func(r record.Recorder) (string, error) {
		if program == nil {
			return absent(r), nil
		}
		v, err := l.run(program, text, recorderEnvOf(r, time.Now()))
		if err != nil {
			return "", foldstream.Errorf(foldstream.Invalid, "", "recorder %s: %w", r.ID, err)
		}
		if v == nil || v == "" {
			return absent(r), nil
		}
		return fmt.Sprint(v), nil
	}, nil
}

// modelOf names a recorder's model: its class, and the choices that made it but for the seed and those of its data.
func modelOf(r record.Recorder) string {
	name := cmp.Or(textAt(r.Params, "model", "class"), r.Name, r.Runs, "unnamed")
	chosen := slices.DeleteFunc(slices.Clone(r.Key), func(c foldstream.Choice) bool {
		return c.Name == "seed" || c.Name == "rolling" || c.Name == "class" || chooses(r, c)
	})
	if len(chosen) > 0 {
		name += " " + chosen.String()
	}
	return name
}

// datasetOf names a recorder's data set: the class of its handler, as Qlib's Alpha158, or its own, and the segments that were chosen.
func datasetOf(r record.Recorder) string {
	name := cmp.Or(textAt(r.Params, "dataset", "kwargs", "handler", "class"), textAt(r.Params, "dataset", "class"), r.Experiment)
	for _, c := range r.Key {
		if chooses(r, c) {
			name += " " + strings.NewReplacer(`"`, "", "[", "", "]", "", ",", " to ").Replace(c.Value)
		}
	}
	return name
}

// chooses reports whether a choice is of one of the recorder's segments.
func chooses(r record.Recorder, c foldstream.Choice) bool {
	_, is := r.Segments[strings.TrimPrefix(c.Name, "segments.")]
	return is
}

// textAt returns the text at a path of nested parameters, "" where there is none.
func textAt(params map[string]any, path ...string) string {
	for _, name := range path[:len(path)-1] {
		params, _ = params[name].(map[string]any)
	}
	text, _ := params[path[len(path)-1]].(string)
	return text
}

// read adds the runs of an experiment.
func (b *benchmarkRuns) read(ctx context.Context, a administered, experiment string) error {
	ofTasks := map[foldstream.TaskID]record.Recorder{}
	for r, err := range record.List(ctx, a, experiment, record.Query{}) {
		if err != nil {
			return err
		}
		if r.Task && !b.recorders {
			ofTasks[foldstream.TaskID(r.ID)] = r
			continue
		}
		if err := b.add(r, []record.Recorder{r}, report.BenchmarkRun{Name: r.ID, Metrics: r.Metrics, Status: runStatus(r), Error: r.Error}); err != nil {
			return err
		}
	}
	if len(ofTasks) == 0 {
		return nil
	}
	col, err := collect.Load(ctx, a, experiment)
	if err != nil && !foldstream.Is(err, foldstream.NotFound) {
		return err
	}
	e, err := record.ReadExperiment(ctx, a, experiment)
	if err != nil {
		return err
	}
	members, _, err := record.Members(ctx, a, e)
	if err != nil {
		return err
	}
	for _, some := range collect.ByKey(members) {
		if err := b.configuration(experiment, some, ofTasks, col); err != nil {
			return err
		}
	}
	return nil
}

// configuration adds the run of one configuration: its windows' results as one series.
func (b *benchmarkRuns) configuration(experiment string, members []foldstream.Expectation, of map[foldstream.TaskID]record.Recorder, col collect.Collection) error {
	run := report.BenchmarkRun{Name: strings.TrimSpace(experiment + " " + members[0].Key.String()), Status: foldstream.Waiting}
	var recorders []record.Recorder
	failed := 0
	for _, m := range members {
		r, there := of[m.Task]
		if !there {
			run.Error = "a task was removed"
			continue
		}
		r.Key, r.Window = m.Key, m.Window
		recorders = append(recorders, r)
		if r.Status == record.Failed || r.Status == record.Cancelled {
			failed++
			run.Status, run.Error = foldstream.Dead, cmp.Or(r.Error, string(r.Status))
		}
	}
	if failed > 0 {
		run.Error = fmt.Sprintf("%d of %d windows: %s", failed, len(members), run.Error)
	}
	at := slices.IndexFunc(col.Groups, func(g collect.Group) bool { return g.Key.Compare(members[0].Key) == 0 })
	present := 0
	if at >= 0 {
		present = col.Groups[at].Coverage.Present
		run.Metrics = col.Groups[at].Metrics
	}
	switch {
	case failed > 0 || run.Error != "":
	case present == len(members):
		run.Status = foldstream.Done
	default:
		run.Error = fmt.Sprintf("%d of %d windows are there", present, len(members))
	}
	if len(recorders) == 0 {
		return nil
	}
	return b.add(recorders[0], recorders, run)
}

// add adds a run, named by one of its recorders, if all of them are to be kept.
func (b *benchmarkRuns) add(by record.Recorder, all []record.Recorder, run report.BenchmarkRun) (err error) {
	for _, r := range all {
		if b.keep == nil {
			break
		}
		if yes, err := b.keep(r); err != nil || !yes {
			return err
		}
	}
	if run.Model, err = b.model(by); err == nil {
		run.Dataset, err = b.dataset(by)
	}
	if err == nil {
		b.runs = append(b.runs, run)
	}
	return err
}

// runStatus is the status of a recorder as a run of the table has it: done, or as the recorder says it.
func runStatus(r record.Recorder) foldstream.Status {
	if r.Status == record.Finished {
		return foldstream.Done
	}
	return foldstream.Status(r.Status)
}
