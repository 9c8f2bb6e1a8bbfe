package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/online"
)

// OnlineShowCmd shows one strategy.
type OnlineShowCmd struct {
	Managed
	Name    string `arg:"" help:"Strategy."`
	History bool   `help:"Print every model that was online, and since when, and not only those that are."`
	Signals bool   `help:"Print the signals: a row a session and instrument."`
	Format  string `short:"f" enum:"csv,json,markdown,parquet" default:"csv" help:"Format of the signals: ${enum}."`
}

// onlineJSON is a strategy for machines.
type onlineJSON struct {
	Strategy string          `json:"strategy"`
	Pool     string          `json:"pool"`
	Begin    foldstream.Time `json:"begin"`
	Session  foldstream.Time `json:"session"` // null where no model is trained yet
	Calendar string          `json:"calendar"`
	Next     foldstream.Time `json:"next"`  // the session of the next routine; null where the calendar does not know it
	Train    foldstream.Time `json:"train"` // the first session of the next window; the same
	Online   []modelJSON     `json:"online"`
	History  []modelJSON     `json:"history,omitempty"`
	Signals  coverageJSON    `json:"signals"`
}

type modelJSON struct {
	Key    map[string]string  `json:"key"`
	Since  foldstream.Time    `json:"since"`
	Window int                `json:"window"` // from 1
	Test   foldstream.Segment `json:"test"`
	Task   foldstream.TaskID  `json:"task"`
	name   string
}

type coverageJSON struct {
	Rows     int                `json:"rows"`
	Sessions int                `json:"sessions"`
	Span     foldstream.Segment `json:"span"`
	Missing  []foldstream.Time  `json:"missing"` // sessions since the first model without a signal
}

// Run shows it. Errors: NotFound.
func (c *OnlineShowCmd) Run(ctx context.Context, env *Env) error {
	return c.on(ctx, env, func(a administered) error {
		state, _, err := online.Read(ctx, a, c.Name)
		if err != nil {
			return err
		}
		if c.Signals {
			return c.write(ctx, env, a, state)
		}
		out, err := c.about(ctx, a, state)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, out)
		}
		out.print(env)
		return nil
	})
}

// write prints the signals.
func (c *OnlineShowCmd) write(ctx context.Context, env *Env, a administered, state online.State) error {
	format := frame.Format(c.Format)
	if c.JSON {
		format = frame.JSON
	}
	signals, err := online.Signals(ctx, a, state)
	if err != nil {
		return err
	}
	return frame.Write(env.Stdout, format, frame.Of(signals))
}

// about tells all that is known of a strategy.
func (c *OnlineShowCmd) about(ctx context.Context, a administered, s online.State) (onlineJSON, error) {
	out := onlineJSON{Strategy: c.Name, Pool: s.Pool, Begin: s.Begin, Session: s.Session, Calendar: s.Calendar, Next: s.Begin, Online: modelsOf(s.Online(s.Session))}
	out.Signals.Missing = []foldstream.Time{}
	if s.Session.IsOpen() {
		return out, nil
	}
	if c.History {
		out.History = modelsOf(s.Switches)
	}
	cal, err := (&calendars{artifacts: a.Artifacts()}).get(ctx, s.Calendar)
	if err != nil {
		return out, err
	}
	out.Next, out.Train = after(cal, s.Session), nextWindow(cal, s)
	out.Signals, err = coverageOf(ctx, a, cal, s)
	return out, err
}

// after returns the session after one, open where the calendar has none.
func after(cal *calendar.Calendar, t foldstream.Time) foldstream.Time {
	i, err := cal.Index(t, calendar.End)
	if err != nil {
		return foldstream.Time{}
	}
	next, _ := cal.At(i + 1)
	return next
}

// nextWindow returns the first session of the first window to come, open where the calendar does not know it.
func nextWindow(cal *calendar.Calendar, s online.State) (first foldstream.Time) {
	for _, w := range s.Online(s.Session) {
		if w.Model.Test.End.IsOpen() {
			continue
		}
		if next := after(cal, w.Model.Test.End); first.IsOpen() || next.Before(first) {
			first = next
		}
	}
	return first
}

// coverageOf counts the signals, and finds the sessions that have none.
func coverageOf(ctx context.Context, a administered, cal *calendar.Calendar, s online.State) (coverageJSON, error) {
	out := coverageJSON{Missing: []foldstream.Time{}}
	signals, err := online.Signals(ctx, a, s)
	if err != nil || signals.Len() == 0 {
		return out, err
	}
	there := map[foldstream.Time]bool{}
	for _, t := range signals.Times {
		there[t] = true
	}
	sessions, err := cal.Slice(foldstream.Segment{Start: s.Switches[0].From, End: s.Session})
	for _, t := range sessions {
		if !there[t] {
			out.Missing = append(out.Missing, t)
		}
	}
	out.Rows, out.Sessions = signals.Len(), len(there)
	out.Span = foldstream.Segment{Start: signals.Times[0], End: signals.Times[signals.Len()-1]}
	return out, err
}

func modelsOf(set []online.Switch) []modelJSON {
	out := []modelJSON{}
	for _, w := range set {
		out = append(out, modelJSON{keyMap(w.Model.Key), w.From, w.Model.Window.Index + 1, w.Model.Test, w.Model.Task, w.Model.Key.String()})
	}
	return out
}

// print tells people.
func (o onlineJSON) print(env *Env) {
	f := facts{env.Stdout}
	f.line("strategy", o.Strategy)
	f.line("pool", o.Pool)
	f.line("began", o.Begin.String())
	f.line("last routine", cmp.Or(o.Session.String(), "none yet: no model is trained"))
	f.line("next routine", cmp.Or(o.Next.String(), "the session after, which the calendar does not have yet"))
	if !o.Session.IsOpen() {
		f.line("next window", cmp.Or(o.Train.String(), "not known yet: the calendar ends before"))
	}
	if s := o.Signals; s.Rows > 0 {
		f.line("signals", fmt.Sprintf("%d of %d sessions, %s to %s; %s", s.Rows, s.Sessions, s.Span.Start, s.Span.End, lacking(s.Missing)))
	}
	models := o.Online
	if o.History != nil {
		models = o.History
	}
	if len(models) == 0 {
		return
	}
	t := newTable(env.Stdout, "configuration", "online since", "window", "test", "task")
	for _, m := range models {
		t.AppendRow([]any{m.name, m.Since, m.Window, span(foldstream.Segments{"test": m.Test}, "test"), m.Task})
	}
	t.Render()
}

// lacking names the sessions without a signal, some of them where they are many.
func lacking(missing []foldstream.Time) string {
	const some = 5
	if len(missing) == 0 {
		return "none missing"
	}
	var names []string
	for _, t := range missing[:min(some, len(missing))] {
		names = append(names, t.String())
	}
	if len(missing) > some {
		names = append(names, "…")
	}
	return fmt.Sprintf("%d missing: %s", len(missing), strings.Join(names, ", "))
}

// OnlineListCmd lists the strategies.
type OnlineListCmd struct {
	Managed
	Names bool `short:"n" help:"Print the names alone."`
}

// Run prints a line a strategy.
func (c *OnlineListCmd) Run(ctx context.Context, env *Env) error {
	return c.on(ctx, env, func(a administered) error {
		all := []reachedJSON{}
		t := newTable(env.Stdout, "strategy", "began", "last routine", "online", "models", "signals")
		rightFrom(t, 4, 6)
		for name, err := range online.Names(ctx, a) {
			if err != nil {
				return err
			}
			s, _, err := online.Read(ctx, a, name)
			if err != nil {
				return err
			}
			one := reachedOf(name, online.Progress{State: s, Done: true})
			all = append(all, one)
			t.AppendRow([]any{name, s.Begin, s.Session, one.Online, one.Models, one.Signals})
		}
		return printList(env.Stdout, c.JSON, c.Names, all, func(s reachedJSON) string { return s.Strategy }, t)
	})
}

// OnlineRemoveCmd forgets a strategy.
type OnlineRemoveCmd struct {
	Managed
	Name string `arg:"" help:"Strategy."`
}

// Run forgets it. Errors: NotFound, Conflict (a routine changed it meanwhile).
func (c *OnlineRemoveCmd) Run(ctx context.Context, env *Env) error {
	return c.on(ctx, env, func(a administered) error {
		if err := online.Forget(ctx, a, c.Name); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, map[string]string{"strategy": c.Name, "action": "removed"})
		}
		_, err := fmt.Fprintf(env.Stdout, "%s: removed; its tasks, their results and its experiment stay\n", c.Name)
		return err
	})
}
