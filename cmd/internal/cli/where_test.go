package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
)

func state() foldstream.TaskState {
	priority, seed := 3, int64(7)
	return foldstream.TaskState{
		Task: foldstream.Task{
			ID: "aaaaaaaaaaaaaaaaaaaaaaaaaa",
			Template: foldstream.Template{
				Task: map[string]any{
					"model":   map[string]any{"class": "Ridge", "kwargs": map[string]any{"alpha": int64(10), "rate": 0.5}},
					"dataset": map[string]any{"kwargs": map[string]any{}},
				},
				Segments: foldstream.Segments{"test": {Start: foldstream.DateOf(1999, 1, 4)}},
				Horizon:  5, Seed: &seed, Worker: "ridge",
				Key: foldstream.Key{{Name: "alpha", Value: "10"}}, Window: foldstream.Window{Index: 2, Of: 20},
			},
			Experiment: "e", Priority: &priority, Tags: map[string]string{"owner": "ann"}, Keys: []string{"gpu", "licence"},
			Attempt: 2,
		},
		Status: foldstream.Dead, Worker: "host-1", Error: "no memory", Crashes: 1,
		Created: time.Now().Add(-2 * time.Hour), Updated: time.Now().Add(-time.Hour),
	}
}

func TestWhereFields(t *testing.T) {
	without := state()
	without.Priority, without.Seed = nil, nil
	for text, want := range map[string][2]bool{ // with a priority of 3; without one
		"": {true, true},
		`id == "aaaaaaaaaaaaaaaaaaaaaaaaaa" && pool == "p" && experiment == "e"`: {true, true},
		`status == "failed"`:                        {true, true},
		`status in ["waiting", "done"]`:             {false, false},
		"priority == nil":                           {false, true},
		"priority == 3":                             {true, false},
		"priority > -10":                            {true, false},
		"priority < -9":                             {false, true},
		"-9 <= priority":                            {true, false},
		"priority >= 3 and priority < 4":            {true, false},
		"seed == 7":                                 {true, false},
		`tags.owner == "ann" and tags.nobody == ""`: {true, true},
		`key.alpha == "10" and int(key.alpha) > 9`:  {true, true},
		`"gpu" in keys`:                             {true, true},
		`any(keys, # startsWith "lic")`:             {true, true},
		`template.model.class matches "^R"`:         {true, true},
		`template.model.kwargs.alpha == 10 and template.model.kwargs.rate < 1`:      {true, true},
		`template.dataset?.none?.deep == nil`:                                       {true, true},
		`segments.test.start >= "1999-01-01" and segments.test.end == ""`:           {true, true},
		`segments.train.start == ""`:                                                {true, true},
		"window == 2 and horizon == 5 and attempt == 2 and crashes > 0":             {true, true},
		`runs == "ridge" and worker == "host-1"`:                                    {true, true},
		`error contains "memory"`:                                                   {true, true},
		`age > duration("1h") and updated < now() and created > date("2020-01-01")`: {true, true},
	} {
		filter, err := cli.CompileWhere(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for i, task := range []foldstream.TaskState{state(), without} {
			if got, err := filter("p", task); err != nil || got != want[i] {
				t.Errorf("%s, task %d: %v, %v", text, i, got, err)
			}
		}
	}
}

func TestWhereRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`stats == "failed"`:                   `at column 1: unknown name stats (did you mean "status"?)`,
		`status == "a" and prioritty > 1`:     `at column 19: unknown name prioritty (did you mean "priority"?)`,
		`status = "failed"`:                   `at column`,
		`1 + 1`:                               "expected bool",
		`status`:                              "expected bool",
		`attempt == "x"`:                      "mismatched types",
		`segments.test.begin == ""`:           "begin",
		`let x = id; x == x`:                  "let is not part",
		`len(1..1000000) > 1`:                 "ranges are not part",
		`any(keys, all(keys, true))`:          "a condition on elements inside another one",
		`repeat("x", 1000000000) == ""`:       "unknown name repeat",
		`reduce(keys, #acc + #acc, "") == ""`: "reduce is not part",
		strings.Repeat("!", 5000) + "true":    "at most 4096 bytes",
		strings.Repeat("not ", 1010) + "true": "exceeds maximum",
	} {
		_, err := cli.CompileWhere(text)
		if !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, not %s", text, err, want)
		}
	}
}

func TestWhereOnATaskItDoesNotFit(t *testing.T) {
	for text, want := range map[string]string{
		"template.none.deep == 1":  "write ?.",
		"template.model":           "neither true nor false",
		"template.model.class > 1": "string > int",
	} {
		filter, err := cli.CompileWhere(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, err := filter("p", state()); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), "task aaaaaaaaaaaaaaaaaaaaaaaaaa") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %s", text, err, want)
		}
	}
}

// Whatever is written, it compiles to a filter or is refused, and a filter answers at once.
func FuzzWhere(f *testing.F) {
	for _, text := range []string{`status == "failed"`, "priority > 3 or seed == nil", `any(keys, # in tags)`, "template?.a[1:].b", "((", "1..2", "now() - created > age"} {
		f.Add(text)
	}
	task := state()
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := cli.CompileWhere(text)
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		started := time.Now()
		if _, err := filter("p", task); err != nil && !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
		if took := time.Since(started); took > 10*time.Second { // a machine may be busy
			t.Errorf("%q took %v", text, took)
		}
	})
}
