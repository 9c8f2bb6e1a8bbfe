package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// ScheduleCmd is the commands about schedules.
type ScheduleCmd struct {
	Add    ScheduleAddCmd  `cmd:"" aliases:"create,new" help:"Submit an experiment file at a time, or again and again."`
	List   ScheduleListCmd `cmd:"" aliases:"ls" help:"List the schedules."`
	Show   ScheduleShowCmd `cmd:"" aliases:"get,info,view" help:"Show a schedule: when it comes due, and how its last order went."`
	Remove ScheduleRmCmd   `cmd:"" aliases:"rm,delete" help:"Forget a schedule and an order of it that waits."`
	RunNow ScheduleNowCmd  `cmd:"" name:"run-now" help:"Make an order due now, beside its time."`
}

// ScheduleArg is the schedule that a command is about.
type ScheduleArg struct {
	Name string `arg:"" help:"Schedule."`
}

// ScheduleAddCmd keeps a schedule whose orders submit an experiment.
type ScheduleAddCmd struct {
	Managed
	ScheduleArg
	File        string        `arg:"" help:"Experiment file. It is read anew each time, where the order is executed."`
	At          string        `xor:"when" required:"" group:"When" placeholder:"TIME" help:"Once: 2026-03-02T18:00:00Z, or 2026-03-02 18:00 in the zone of --zone, or here."`
	Every       time.Duration `xor:"when" required:"" group:"When" placeholder:"PERIOD" help:"Again and again, a period apart: 24h, 1s at least."`
	Cron        string        `xor:"when" required:"" group:"When" placeholder:"FIELDS" help:"By cron: minute, hour, day, month, weekday, with a second before them if need be; or @daily."`
	Zone        string        `group:"When" placeholder:"ZONE" help:"Time zone of --cron, --at and the name's date, as Asia/Shanghai; default: UTC."`
	As          string        `group:"What" placeholder:"NAME" help:"Name of the experiment: {name} is the file's, {date} and {time} are when it comes due, as 20260302 and 180000. Its pool stays the file's. Default: {name}."`
	Freeze      bool          `group:"What" help:"Submit what the file makes now, with the sessions and data of now."`
	Online      bool          `group:"What" help:"Do the routine of the strategy that the file is, up to the day when it comes due: see online init."`
	RetryFailed bool          `group:"What" help:"Work those of its tasks again that failed."`
	Again       bool          `group:"What" help:"Work those of its tasks again that failed or were cancelled."`
	Replace     bool          `group:"Change" help:"Take the place of a schedule of this name."`
}

// Run reads the file, as each order will, then keeps the schedule. Keeping the same twice is keeping it once.
func (c *ScheduleAddCmd) Run(ctx context.Context, env *Env) error {
	if err := foldstream.ValidName("schedule", c.Name); err != nil {
		return err
	}
	when, err := c.when()
	if err != nil {
		return err
	}
	kind, order, err := c.ordered()
	if err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		order, err := order(ctx, a)
		if err != nil {
			return err
		}
		s := foldstream.Schedule{Name: c.Name, When: when, Kind: kind, Order: order}
		if c.Cron != "" {
			s.Zone = c.Zone
		}
		if err := a.Schedule(ctx, s, c.Replace); err != nil {
			return err
		}
		state, err := scheduleNamed(ctx, a, c.Name)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, scheduleOf(state))
		}
		fmt.Fprintf(env.Stdout, "%s: %s%s; executed by `producer serve`, or `foldstream serve`\n", c.Name, whenText(state), nextText(state))
		return nil
	})
}

// ordered reads the file, as each order will, and returns the kind of order and what writes it.
func (c *ScheduleAddCmd) ordered() (kind string, order func(context.Context, administered) ([]byte, error), err error) {
	if c.Online {
		order, err = c.routine()
		return routineKind, order, err
	}
	p, err := load(c.File)
	if err != nil {
		return "", nil, err
	}
	if _, err := expand(c.As, p.Experiment.Name, time.Now()); err != nil {
		return "", nil, err
	}
	return submitKind, func(ctx context.Context, a administered) ([]byte, error) { return c.order(ctx, a, p) }, nil
}

// when writes the pattern that the flags ask for.
func (c *ScheduleAddCmd) when() (string, error) {
	zone, err := zoneNamed(c.Zone, time.Local)
	switch {
	case err != nil:
		return "", err
	case c.At != "":
		at, err := future("--at", c.At, zone)
		return "@at " + at.UTC().Format(time.RFC3339Nano), err
	case c.Cron == "":
		if c.Every < time.Second {
			return "", foldstream.Errorf(foldstream.Invalid, "", "--every %v: a period is 1s at least", c.Every)
		}
		return "@every " + c.Every.String(), nil
	case len(strings.Fields(c.Cron)) == 5: // as crontab has it: at second 0
		return "0 " + strings.Join(strings.Fields(c.Cron), " "), nil
	}
	return strings.Join(strings.Fields(c.Cron), " "), nil
}

// order writes the order, and stores what it takes if it is frozen.
func (c *ScheduleAddCmd) order(ctx context.Context, store foldstream.Store, p *plan) ([]byte, error) {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return nil, err
	}
	o := submitOrder{File: path, As: c.As, Zone: c.Zone, RetryFailed: c.RetryFailed, Again: c.Again}
	if c.Freeze {
		if o.Frozen, err = p.freeze(ctx, store); err != nil {
			return nil, err
		}
	}
	return json.Marshal(o)
}

// scheduleNamed reads how a schedule stands. Errors: NotFound.
func scheduleNamed(ctx context.Context, s foldstream.Scheduler, name string) (foldstream.ScheduleState, error) {
	var names []string
	for state, err := range s.Schedules(ctx) {
		if err != nil || state.Name == name {
			return state, err
		}
		names = append(names, state.Name)
	}
	return foldstream.ScheduleState{}, foldstream.Errorf(foldstream.NotFound, "", "there is no schedule %q%s", name, hint(name, names))
}

// ScheduleRmCmd forgets a schedule.
type ScheduleRmCmd struct {
	Managed
	ScheduleArg
}

// Run forgets.
func (c *ScheduleRmCmd) Run(ctx context.Context, env *Env) error {
	return c.act(ctx, env, c.Name, "removed", administered.Unschedule)
}

// ScheduleNowCmd makes an order due.
type ScheduleNowCmd struct {
	Managed
	ScheduleArg
	Wait bool `help:"Wait until somebody has executed it, and tell what came of it."`
}

// Run makes it due. Errors: Failed where it was waited for and failed.
func (c *ScheduleNowCmd) Run(ctx context.Context, env *Env) error {
	if !c.Wait {
		return c.act(ctx, env, c.Name, "due now", administered.OrderNow)
	}
	return c.on(ctx, env, func(a administered) error {
		before, err := scheduleNamed(ctx, a, c.Name)
		if err == nil {
			err = a.OrderNow(ctx, c.Name)
		}
		if err != nil {
			return err
		}
		after, err := executed(ctx, a, c.Name, before.Last.Due)
		switch {
		case err != nil:
			return err
		case c.JSON:
			err = printJSON(env.Stdout, scheduleOf(after))
		case after.Last.Error == "":
			fmt.Fprintf(env.Stdout, "%s: %s\n", c.Name, after.Last.Text)
		}
		if err == nil && after.Last.Error != "" {
			err = foldstream.Errorf(foldstream.Failed, "", "%s: %s", c.Name, after.Last.Error)
		}
		return err
	})
}

// executed waits until an order of a schedule that came due after a time is ended. Errors: NotFound, Cancelled.
func executed(ctx context.Context, s foldstream.Scheduler, name string, after time.Time) (foldstream.ScheduleState, error) {
	for {
		state, err := scheduleNamed(ctx, s, name)
		if err != nil || state.Last.Due.After(after) && !state.Last.Ended.IsZero() {
			return state, err
		}
		if pause(ctx, 100*time.Millisecond); ctx.Err() != nil {
			return state, ctx.Err()
		}
	}
}

// act does something to a schedule that is there, and says so.
func (m Managed) act(ctx context.Context, env *Env, name, past string, do func(administered, context.Context, string) error) error {
	return m.on(ctx, env, func(a administered) error {
		if _, err := scheduleNamed(ctx, a, name); err != nil {
			return err
		}
		if err := do(a, ctx, name); err != nil {
			return err
		}
		if m.JSON {
			return printJSON(env.Stdout, map[string]string{"schedule": name, "action": past})
		}
		_, err := fmt.Fprintf(env.Stdout, "%s: %s\n", name, past)
		return err
	})
}
