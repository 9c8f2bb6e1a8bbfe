package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// RecorderMetricsCmd shows the metrics of a recorder.
type RecorderMetricsCmd struct {
	Managed
	OneRecorder
	Names []string `arg:"" optional:"" name:"metric" help:"Metrics; default: all."`
	Steps bool     `xor:"form" help:"Show the value at every step."`
	CSV   bool     `name:"csv" xor:"form" help:"Print the points as they were told, as CSV."`
	Watch bool     `short:"w" xor:"form" help:"Print the points as they come, until the recorder ends."`
}

// Run prints. With --json it prints an object; with --steps, --watch and --json one a line.
func (c *RecorderMetricsCmd) Run(ctx context.Context, env *Env) error {
	return c.onRecorder(ctx, env, c.OneRecorder, func(a administered, experiment string, r record.Recorder) error {
		if c.Watch {
			return c.watch(ctx, env, a, experiment)
		}
		points, err := record.Series(ctx, a, experiment, r.ID)
		if err != nil {
			return err
		}
		points = slices.DeleteFunc(points, func(p foldstream.Point) bool { return !c.wants(p.Metric) })
		switch {
		case c.CSV:
			data, err := points.MarshalBinary()
			if err == nil {
				_, err = env.Stdout.Write(data)
			}
			return err
		case c.Steps:
			return c.steps(env, points)
		}
		return c.ends(env, r, points)
	})
}

func (c *RecorderMetricsCmd) wants(metric string) bool {
	return len(c.Names) == 0 || slices.Contains(c.Names, metric)
}

// metricJSON is what a metric came to, for machines.
type metricJSON struct {
	Value *float64 `json:"value"` // null where undefined
	Steps int      `json:"steps"`
	First *int64   `json:"first_step,omitempty"`
	Last  *int64   `json:"last_step,omitempty"`
}

// ends prints what each metric came to.
func (c *RecorderMetricsCmd) ends(env *Env, r record.Recorder, points foldstream.Series) error {
	out := map[string]metricJSON{}
	for name, v := range finite(r.Metrics) {
		if c.wants(name) {
			out[name] = metricJSON{Value: v}
		}
	}
	for _, name := range points.Names() {
		of := points.Of(name)
		m := out[name]
		m.Steps, m.First, m.Last = len(of), &of[0].Step, &of[len(of)-1].Step
		out[name] = m
	}
	if c.JSON {
		return printJSON(env.Stdout, out)
	}
	t := newTable(env.Stdout, "metric", "value", "steps", "from", "to")
	rightFrom(t, 2, 5)
	for _, name := range slices.Sorted(maps.Keys(out)) {
		m, value, from, to := out[name], "–", "", ""
		if m.Value != nil {
			value = figure(*m.Value)
		}
		if m.First != nil {
			from, to = fmt.Sprint(*m.First), fmt.Sprint(*m.Last)
		}
		t.AppendRow([]any{name, value, m.Steps, from, to})
	}
	t.Render()
	return nil
}

// pointJSON is a metric at a step, for machines.
type pointJSON struct {
	Metric string     `json:"metric"`
	Step   int64      `json:"step"`
	Value  *float64   `json:"value"` // null where undefined
	At     *time.Time `json:"at,omitempty"`
	Run    string     `json:"run,omitempty"` // the attempt, of points that are watched
}

func pointOf(p foldstream.Point) pointJSON {
	return pointJSON{Metric: p.Metric, Step: p.Step, Value: finite(map[string]float64{"": p.Value})[""], At: timeOrNil(p.At)}
}

// steps prints the value at every step, metric by metric.
func (c *RecorderMetricsCmd) steps(env *Env, points foldstream.Series) error {
	enc := json.NewEncoder(env.Stdout)
	t := newTable(env.Stdout, "metric", "step", "value", "at")
	rightFrom(t, 2, 3)
	for _, name := range points.Names() {
		for _, p := range points.Of(name) {
			if c.JSON {
				if err := enc.Encode(pointOf(p)); err != nil {
					return err
				}
				continue
			}
			t.AppendRow([]any{p.Metric, p.Step, figure(p.Value), instant(p.At)})
		}
	}
	if !c.JSON {
		t.Render()
	}
	return nil
}

// watch prints the points as they come.
func (c *RecorderMetricsCmd) watch(ctx context.Context, env *Env, a administered, experiment string) error {
	enc, run := json.NewEncoder(env.Stdout), ""
	for points, err := range record.Watch(ctx, a, experiment, c.ID) {
		if err != nil {
			return err
		}
		if run != "" && run != points.Run {
			fmt.Fprintln(env.Stderr, "another attempt begins")
		}
		run = points.Run
		for _, p := range points.Series {
			if !c.wants(p.Metric) {
				continue
			}
			if err := c.print(env, enc, run, p); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func (c *RecorderMetricsCmd) print(env *Env, enc *json.Encoder, run string, p foldstream.Point) error {
	if !c.JSON {
		_, err := fmt.Fprintf(env.Stdout, "%s %d %s\n", p.Metric, p.Step, figure(p.Value))
		return err
	}
	out := pointOf(p)
	out.Run = run
	return enc.Encode(out)
}
