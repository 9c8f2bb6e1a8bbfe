package cli

import (
	"context"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// scheduleJSON is a schedule for machines.
type scheduleJSON struct {
	Name   string            `json:"name"`
	When   string            `json:"when"`
	Zone   string            `json:"zone,omitempty"`
	Kind   string            `json:"kind"`
	Order  map[string]string `json:"order"`
	Active bool              `json:"active"`
	Next   *time.Time        `json:"next,omitempty"`
	Due    *time.Time        `json:"due,omitempty"` // since when an order waits or is executed
	Last   *firingJSON       `json:"last,omitempty"`
}

type firingJSON struct {
	Due    time.Time  `json:"due"`
	Worker string     `json:"worker"`
	Taken  time.Time  `json:"taken"`
	Ended  *time.Time `json:"ended,omitempty"`
	Text   string     `json:"text,omitempty"`
	Error  string     `json:"error,omitempty"`
}

func scheduleOf(s foldstream.ScheduleState) scheduleJSON {
	out := scheduleJSON{
		Name: s.Name, When: s.When, Zone: s.Zone, Kind: s.Kind, Order: map[string]string{}, Active: s.Active, Next: instantOrNil(s.Next), Due: instantOrNil(s.Due),
	}
	for _, fact := range orderFacts(s) {
		if fact[1] != "" {
			out.Order[fact[0]] = fact[1]
		}
	}
	if l := s.Last; !l.Taken.IsZero() {
		out.Last = &firingJSON{l.Due.UTC(), l.Worker, l.Taken.UTC(), instantOrNil(l.Ended), l.Text, l.Error}
	}
	return out
}

func instantOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// orderFacts describes what a schedule's orders do, by name and value.
func orderFacts(s foldstream.ScheduleState) [][2]string {
	kind, known := orderKinds[s.Kind]
	if !known {
		return [][2]string{{"order", "of a kind that this program does not know"}}
	}
	facts, err := kind.describe(s.Order)
	if err != nil {
		return [][2]string{{"order", err.Error()}}
	}
	return facts
}

// whenText writes when a schedule comes due.
func whenText(s foldstream.ScheduleState) string {
	if at, once := strings.CutPrefix(s.When, "@at "); once {
		return "once, at " + at
	}
	if every, ok := strings.CutPrefix(s.When, "@every "); ok {
		return "every " + every
	}
	zone := s.Zone
	if zone == "" {
		zone = "UTC"
	}
	return s.When + " (second minute hour day month weekday) in " + zone
}

func nextText(s foldstream.ScheduleState) string {
	if s.Next.IsZero() || strings.HasPrefix(s.When, "@at ") {
		return ""
	}
	return ", next at " + instant(s.Next)
}

// standing says in a word how a schedule stands.
func standing(s foldstream.ScheduleState) string {
	switch {
	case !s.Due.IsZero() && s.Last.Due.Equal(s.Due) && s.Last.Ended.IsZero() && s.Last.Error == "":
		return "executed by " + s.Last.Worker
	case !s.Due.IsZero():
		return "due"
	case s.Active:
		return "active"
	}
	return "over"
}

// outcome says in a line how the last order went.
func outcome(l foldstream.Firing) string {
	switch {
	case l.Error != "":
		return "failed: " + l.Error
	case l.Ended.IsZero():
		return ""
	}
	return l.Text
}

// ScheduleListCmd lists schedules.
type ScheduleListCmd struct {
	Managed
	Names bool `short:"n" help:"Print the names alone."`
}

// Run prints a line a schedule.
func (c *ScheduleListCmd) Run(ctx context.Context, env *Env) error {
	return c.on(ctx, env, func(a administered) error {
		all := []scheduleJSON{}
		t := newTable(env.Stdout, "schedule", "when", "next", "state", "last due", "outcome")
		for s, err := range a.Schedules(ctx) {
			if err != nil {
				return err
			}
			all = append(all, scheduleOf(s))
			when := s.When
			if s.Zone != "" {
				when += " " + s.Zone
			}
			t.AppendRow([]any{s.Name, when, instant(s.Next), standing(s), instant(s.Last.Due), brief(outcome(s.Last))})
		}
		return printList(env.Stdout, c.JSON, c.Names, all, func(s scheduleJSON) string { return s.Name }, t)
	})
}

// ScheduleShowCmd shows one schedule.
type ScheduleShowCmd struct {
	Managed
	ScheduleArg
}

// Run prints the schedule. Errors: NotFound.
func (c *ScheduleShowCmd) Run(ctx context.Context, env *Env) error {
	return c.on(ctx, env, func(a administered) error {
		s, err := scheduleNamed(ctx, a, c.Name)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, scheduleOf(s))
		}
		f := facts{env.Stdout}
		f.line("schedule", s.Name)
		f.line("when", whenText(s))
		for _, fact := range orderFacts(s) {
			f.line(fact[0], fact[1])
		}
		f.line("state", standing(s))
		f.line("next", instant(s.Next))
		f.line("due since", instant(s.Due))
		f.line("last due", instant(s.Last.Due))
		f.line("taken", instant(s.Last.Taken))
		f.line("by", s.Last.Worker)
		f.line("ended", instant(s.Last.Ended))
		f.line("outcome", s.Last.Text)
		f.line("error", s.Last.Error)
		return nil
	})
}
