package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// WhyMissCmd tells of each result that a task ever had, in any pool, in which part of its key it differs from what is wanted.
type WhyMissCmd struct {
	Managed
	KeyFlags
	OneTask
	File string `placeholder:"FILE" help:"Experiment file: the data are wanted that it names now; default: those that the task was made with."`
}

// missed is what why-miss tells machines.
type missed struct {
	Task    foldstream.TaskID `json:"task"`
	Pool    string            `json:"pool"`
	Status  foldstream.Status `json:"status"`
	Wanted  keyJSON           `json:"wanted"`
	Hit     bool              `json:"hit"` // a result has the wanted key
	Results []candidate       `json:"results"`
}

type keyJSON struct {
	Code        string            `json:"code"` // "" is unknown
	Data        foldstream.Digest `json:"data"`
	Environment string            `json:"environment"`
}

// candidate is a result that a task had.
type candidate struct {
	Pool    string    `json:"pool"`
	At      time.Time `json:"at"`
	Key     keyJSON   `json:"key"`
	Differs []string  `json:"differs"`
	Unknown []string  `json:"unknown"`
	Origin  string    `json:"origin,omitempty"` // the pool whose result it took over
}

// Run tells. What is wanted is what the flags say; where they say nothing and the task is done, what its result has: the others tell then why it
// had to be worked.
func (c *WhyMissCmd) Run(ctx context.Context, env *Env) error {
	if err := c.checkKey(); err != nil {
		return err
	}
	return c.onTask(ctx, env, c.OneTask, func(a administered, t foldstream.TaskState) error {
		want, err := c.wanted(ctx, a, t)
		if err != nil {
			return err
		}
		out := missed{Task: c.ID, Pool: c.Pool, Status: t.Status, Wanted: keyJSON(want), Results: []candidate{}}
		for e, err := range a.Results(ctx, c.ID) {
			if err != nil {
				return err
			}
			key := e.Result.Key()
			one := candidate{Pool: e.Pool, At: e.At.UTC(), Key: keyJSON(key), Differs: append([]string{}, want.Differs(key)...), Unknown: append([]string{}, want.Unknown(key)...), Origin: e.Origin.Pool}
			out.Hit = out.Hit || key == want && key.Whole()
			out.Results = append(out.Results, one)
		}
		if c.JSON {
			return printJSON(env.Stdout, out)
		}
		out.print(env)
		return nil
	})
}

// wanted is the key that a result would have to have.
func (c *WhyMissCmd) wanted(ctx context.Context, a administered, t foldstream.TaskState) (foldstream.ResultKey, error) {
	w, err := c.wants(Reuse{}, false).in(ctx, a, c.Pool)
	if err != nil {
		return foldstream.ResultKey{}, err
	}
	if c.File != "" {
		s, err := openSources(c.File, openNamed)
		if err != nil {
			return foldstream.ResultKey{}, err
		}
		t.Data = s.data
	}
	if t.Status != foldstream.Done || c.File != "" || c.Code != "" || c.Environment != "" {
		return w.key(t.Task), nil
	}
	for e, err := range a.Newest(ctx, c.Pool, c.ID) {
		if err != nil {
			return foldstream.ResultKey{}, err
		}
		if e.Result != nil {
			return e.Result.Key(), nil
		}
	}
	return w.key(t.Task), ctx.Err()
}

func (m missed) print(env *Env) {
	f := facts{env.Stdout}
	f.line("task", string(m.Task))
	f.line("status", string(m.Status))
	f.line("code", orUnknown(m.Wanted.Code))
	f.line("data", orUnknown(string(m.Wanted.Data)))
	f.line("environment", orUnknown(m.Wanted.Environment))
	t := newTable(env.Stdout, "result of", "at", "differs in", "code", "data", "environment")
	for _, r := range m.Results {
		of := r.Pool
		if r.Origin != "" {
			of += ", of " + r.Origin
		}
		t.AppendRow([]any{of, instant(r.At), r.verdict(), orUnknown(r.Key.Code), orUnknown(cut(string(r.Key.Data), 13)), orUnknown(r.Key.Environment)})
	}
	if len(m.Results) == 0 {
		fmt.Fprintln(env.Stdout, "it has no results in any pool")
		return
	}
	t.Render()
}

// verdict says in what a result differs from what is wanted.
func (c candidate) verdict() string {
	switch {
	case len(c.Differs) > 0:
		return strings.Join(c.Differs, ", ")
	case len(c.Unknown) > 0:
		return "unknown: " + strings.Join(c.Unknown, ", ")
	}
	return "nothing"
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}
