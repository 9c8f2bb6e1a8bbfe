package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// ExplainCmd tells where a task comes from, what became of it and what it is part of.
type ExplainCmd struct {
	Managed
	OneTask
}

// explained is all there is to say of a task, for machines.
type explained struct {
	Task        stateJSON    `json:"task"`
	Identity    string       `json:"identity"`
	Leak        leakJSON     `json:"leak"`
	Data        []dataJSON   `json:"data"`
	Calendar    string       `json:"calendar"`
	Attempts    []eventJSON  `json:"attempts"`
	Result      *resultJSON  `json:"result"`
	Collections []memberJSON `json:"collections"`
	Again       string       `json:"again"` // what creating it again would do, and why
}

type leakJSON struct {
	Certified bool     `json:"certified"`
	Reach     string   `json:"reach"`
	Gap       int      `json:"gap"`
	Faults    []string `json:"faults"`
}

type dataJSON struct {
	Name   string            `json:"name"`
	Digest foldstream.Digest `json:"digest"`
	Size   int64             `json:"size"`
}

type resultJSON struct {
	Worker    string              `json:"worker"`
	Key       keyJSON             `json:"key"`              // what it depended on
	Origin    string              `json:"origin,omitempty"` // the pool whose result was taken over
	Code      string              `json:"code"`
	Seconds   float64             `json:"seconds"`
	Metrics   map[string]*float64 `json:"metrics"` // null where undefined
	Frames    map[string]int      `json:"frames"`  // rows
	Artifacts []dataJSON          `json:"artifacts"`
}

type memberJSON struct {
	Experiment string             `json:"experiment"`
	Members    foldstream.Digest  `json:"members"` // the list that the collection must have
	Key        map[string]string  `json:"key"`
	Window     int                `json:"window"`
	Of         int                `json:"of"`
	Test       foldstream.Segment `json:"test"`
	name       string
}

const identity = "the id is the hash of the content: template, segments, horizon, seed, stages, worker and calendar; equal content is one task"

// Run prints the explanation.
func (c *ExplainCmd) Run(ctx context.Context, env *Env) error {
	return c.onTask(ctx, env, c.OneTask, func(a administered, t foldstream.TaskState) error {
		events, err := lifeOf(ctx, a, c.Pool, c.ID)
		if err != nil {
			return err
		}
		out := explanation(c.Pool, t, events)
		if out.Collections, err = memberships(ctx, a, c.Pool, c.ID); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, out)
		}
		return printExplained(facts{env.Stdout}, c.Pool, t, events, out)
	})
}

func explanation(pool string, t foldstream.TaskState, events []foldstream.Event) explained {
	out := explained{
		Task: stateOf(pool, t), Identity: identity, Calendar: t.Calendar, Data: []dataJSON{}, Attempts: eventsOf(events), Again: again(pool, t),
		Leak: leakOf(t.Task),
	}
	out.Task.Task = t.Dict()
	for _, d := range t.Data {
		out.Data = append(out.Data, dataJSON{d.Name, d.Digest, d.Size})
	}
	for _, e := range events {
		if e.Status == foldstream.Removed {
			out.Result = nil
		}
		if e.Kind == foldstream.EventResult {
			out.Result = resultOf(e)
		}
	}
	return out
}

func leakOf(t foldstream.Task) leakJSON {
	return leakJSON{t.Leak.Certified, t.Leak.Reach.String(), t.Leak.Gap, append([]string{}, t.Leak.Faults...)}
}

func resultOf(e foldstream.Event) *resultJSON {
	if e.Result == nil {
		return nil
	}
	r := &resultJSON{Worker: e.Worker, Key: keyJSON(e.Result.Key()), Origin: e.Origin.Pool, Code: e.Result.Code, Seconds: e.Result.Duration.Seconds(), Metrics: finite(e.Result.Metrics), Frames: map[string]int{}, Artifacts: []dataJSON{}}
	for name, f := range e.Result.Frames {
		r.Frames[name] = f.Len()
	}
	for _, a := range e.Result.Artifacts {
		r.Artifacts = append(r.Artifacts, dataJSON{a.Name, a.Digest, a.Size})
	}
	return r
}

// memberships finds the collections of the pool's experiments that the task is a member of; one task may be several members.
func memberships(ctx context.Context, a administered, pool string, id foldstream.TaskID) ([]memberJSON, error) {
	found := []memberJSON{}
	for e, err := range record.Experiments(ctx, a) {
		if err != nil {
			return nil, err
		}
		if e.Pool != pool {
			continue
		}
		members, _, err := record.Members(ctx, a, e)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if m.Task == id {
				found = append(found, memberJSON{e.Name, e.Members, keyMap(m.Key), m.Window.Index, m.Window.Of, m.Test, m.Key.String()})
			}
		}
	}
	return found, nil
}

// again says what creating the task again would do.
func again(pool string, t foldstream.TaskState) string {
	switch t.Status {
	case foldstream.Done:
		return fmt.Sprintf("creating it again does nothing: it is done and its result stands; submitting its experiment with other data, or for other code, begins a new life of it, and `foldstream remove %s %s` lets it be worked anew", pool, t.ID)
	case foldstream.Dead:
		return fmt.Sprintf("creating it again does nothing: it failed; `foldstream retry %s %s` or `producer submit --retry-failed` works it again", pool, t.ID)
	case foldstream.Withdrawn:
		return fmt.Sprintf("creating it again does nothing: it was cancelled; `foldstream retry %s %s` or `producer submit --again` works it again", pool, t.ID)
	case foldstream.Removed:
		return "creating it again begins a new life of it: it was removed"
	}
	return fmt.Sprintf("creating it again does nothing: a task of this content is %s already", t.Status)
}

func printExplained(f facts, pool string, t foldstream.TaskState, events []foldstream.Event, e explained) error {
	f.line("task", string(t.ID))
	f.line("identity", e.Identity)
	f.line("pool", pool)
	if err := f.dict(t.Task); err != nil {
		return err
	}
	f.content(t.Task)
	f.line("leaks", leakText(e.Leak))
	f.state(t)
	printHistory(f.w, t.Created, events)
	f.result(e.Result)
	for _, m := range e.Collections {
		f.line("member of", fmt.Sprintf("%s: %s, window %d of %d, test %s; members %s",
			m.Experiment, m.name, m.Window+1, m.Of, span(foldstream.Segments{"": m.Test}, ""), m.Members))
	}
	if len(e.Collections) == 0 {
		f.line("member of", "no collection")
	}
	f.line("again", e.Again)
	return nil
}

func leakText(l leakJSON) string {
	if l.Certified {
		return fmt.Sprintf("none: reach %s, gap %d", l.Reach, l.Gap)
	}
	if len(l.Faults) == 0 {
		return "unchecked"
	}
	return "not certified: " + strings.Join(l.Faults, "; ")
}

func (f facts) result(r *resultJSON) {
	if r == nil {
		f.line("result", "none")
		return
	}
	from := ""
	if r.Origin != "" {
		from = ", taken over from pool " + r.Origin
	}
	f.line("result", fmt.Sprintf("of %s in %.3gs, code %s%s", r.Worker, r.Seconds, r.Code, from))
	for _, name := range slices.Sorted(maps.Keys(r.Metrics)) {
		if v := r.Metrics[name]; v != nil {
			f.line("  "+name, fmt.Sprintf("%.6g", *v))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Frames)) {
		f.line("  frame", fmt.Sprintf("%s, %d rows", name, r.Frames[name]))
	}
	for _, a := range r.Artifacts {
		f.line("  artifact", fmt.Sprintf("%s, %d bytes, SHA-256 %s", a.Name, a.Size, a.Digest))
	}
}
