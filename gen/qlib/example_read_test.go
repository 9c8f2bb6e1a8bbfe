package qlib_test

import (
	"fmt"
	"strings"

	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen/qlib"
)

func ExampleRead() {
	f, err := qlib.Read("tiny.yaml", strings.NewReader(`
name: tiny
worker: ridge
calendar: {text: days.txt}
template:
  model: {kwargs: {alpha: 1}}
  dataset: {kwargs: {segments: {train: [2020-01-01, 2020-01-02], test: [2020-01-06, 2020-01-09]}}}
generators:
  - grid: {model.kwargs.alpha: [0.1, 10]}
  - rolling: {type: sliding, step: 2}
leaks: {reach: 1}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	cal, err := calendar.Parse(strings.NewReader("2020-01-01\n2020-01-02\n2020-01-03\n2020-01-06\n2020-01-07\n2020-01-08\n2020-01-09\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := f.Plan(cal, f.Data)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range p.Expectations {
		fmt.Printf("%s, window %d: %s to %s\n", e.Key, e.Window.Index+1, e.Test.Start, e.Test.End)
	}
	// Output:
	// alpha=0.1,rolling=sliding, window 1: 2020-01-06 to 2020-01-07
	// alpha=0.1,rolling=sliding, window 2: 2020-01-08 to 2020-01-09
	// alpha=10,rolling=sliding, window 1: 2020-01-06 to 2020-01-07
	// alpha=10,rolling=sliding, window 2: 2020-01-08 to 2020-01-09
}

func ExampleRead_faults() {
	_, err := qlib.Read("bad.yaml", strings.NewReader(`name: bad
worker: ridge
calender: {csv: prices.csv}
template: {dataset: {kwargs: {segments: {test: [2020-13-01, null]}}}}
`))
	fmt.Println(err)
	// Output:
	// bad.yaml:3:1: calender: unknown key (did you mean "calendar"?)
	// bad.yaml:4:49: template.dataset.kwargs.segments.test[0]: "2020-13-01" is not a date (2006-01-02) or a time (2006-01-02T15:04:05)
}

func ExampleReadWorkflow() {
	environment := func(name string) (string, bool) {
		value, ok := map[string]string{"LR": "0.05"}[name]
		return value, ok
	}
	w, err := qlib.ReadWorkflow("workflow.yaml", strings.NewReader(`
qlib_init: {provider_uri: ~/.qlib/qlib_data/cn_data}
sys: {rel_path: lib}
task: {model: {class: LGBModel, kwargs: {learning_rate: {{ LR }}, max_depth: {{ DEPTH | default("8") }}}}}
`), nil, environment)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(w.Name("lightgbm"), w.Template.Task["model"])
	for _, note := range w.Notes {
		fmt.Println(note)
	}
	// Output:
	// lightgbm map[class:LGBModel kwargs:map[learning_rate:0.05 max_depth:8]]
	// workflow.yaml: filled in from the environment: LR
	// workflow.yaml:3:6: sys: the worker must have ./lib on Python's import path
}
