package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/online"
)

// OnlineCmd is the commands about strategies whose models are in service.
type OnlineCmd struct {
	Init     OnlineInitCmd     `cmd:"" aliases:"begin" help:"Begin a strategy: train the windows there are as of a session, and put them online."`
	Routine  OnlineRoutineCmd  `cmd:"" help:"Take a strategy to a session: train what begins, switch the online set, say the signals."`
	Simulate OnlineSimulateCmd `cmd:"" help:"Begin a strategy in the past and take it to a later session: what would have been day by day."`
	Show     OnlineShowCmd     `cmd:"" aliases:"get,info,view" help:"Show a strategy: what is online since when, what comes next, its signals."`
	List     OnlineListCmd     `cmd:"" aliases:"ls" help:"List the strategies."`
	Remove   OnlineRemoveCmd   `cmd:"" aliases:"rm,delete" help:"Forget a strategy: its online set, its history, its signals. Its tasks stay."`
}

// Strategy is the flags of the commands that take a strategy from session to session.
type Strategy struct {
	Managed
	File    string        `arg:"" help:"Experiment file whose windows go on; its name is the strategy's."`
	NoWait  bool          `help:"Create the tasks that are due and do not wait for them: say it again once they have ended."`
	TimeOut time.Duration `name:"for" placeholder:"TIME" help:"Give up after this time, with exit code 6; default: never."`
}

// reachedJSON is how far a strategy came, for machines.
type reachedJSON struct {
	Strategy string          `json:"strategy"`
	Session  foldstream.Time `json:"session"`
	Done     bool            `json:"done"`
	Waits    string          `json:"waits,omitempty"` // for what
	Tasks    int             `json:"tasks"`
	Open     int             `json:"open"`
	Failed   int             `json:"failed"`
	Online   int             `json:"online"`
	Models   int             `json:"models"`
	Signals  int             `json:"signals"`
}

// bring takes the strategy to a session and tells where it is. Errors: Timeout, Cancelled, those of online.Routine.
func (c Strategy) bring(ctx context.Context, env *Env, a administered, s strategyFile, session foldstream.Time) (err error) {
	var p online.Progress
	if c.NoWait {
		if err := s.supply(ctx, a); err != nil {
			return err
		}
		p, err = s.step(ctx, a, session)
	} else {
		p, err = c.await(ctx, env, a, s, session)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.Stdout, reachedOf(s.name, p))
	}
	if !p.Done {
		_, err = fmt.Fprintf(env.Stdout, "%s: %s: %d of %d tasks are open, %d failed\n", s.name, p.What, p.Open, p.Tasks, p.Failed)
		return err
	}
	_, err = fmt.Fprintln(env.Stdout, reached(s.name, p))
	return err
}

// await does the routine under a bar.
func (c Strategy) await(ctx context.Context, env *Env, a administered, s strategyFile, session foldstream.Time) (online.Progress, error) {
	if c.TimeOut > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.TimeOut, errWaited)
		defer cancel()
	}
	bar := newProgress(env, s.name)
	defer bar.close()
	defer observe(ctx, a, s.file.Pool, bar)()
	return s.routine(ctx, a, session, bar)
}

func reachedOf(name string, p online.Progress) reachedJSON {
	out := reachedJSON{Strategy: name, Session: p.State.Session, Done: p.Done, Tasks: p.Tasks, Open: p.Open, Failed: p.Failed, Models: len(p.State.Switches)}
	if !p.Done {
		out.Waits = p.What
	}
	out.Online = len(p.State.Online(p.State.Session))
	for _, part := range p.State.Signals {
		out.Signals += part.Rows
	}
	return out
}

// at loads the strategy and tells which session --session is.
func (c Strategy) at(session string) (strategyFile, foldstream.Time, error) {
	s, err := loadStrategy(c.File, "")
	if err != nil {
		return strategyFile{}, foldstream.Time{}, err
	}
	day, err := s.session("--session", session, today())
	return s, day, err
}

// OnlineInitCmd begins a strategy.
type OnlineInitCmd struct {
	Strategy
	Session string `placeholder:"DATE" help:"Its first session; default: the last of history up to today."`
}

// Run begins it. Beginning the same twice is beginning it once. Errors: Conflict (it is there and began otherwise).
func (c *OnlineInitCmd) Run(ctx context.Context, env *Env) error {
	s, session, err := c.at(c.Session)
	if err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		if err := s.begin(ctx, a, session); err != nil {
			return err
		}
		return c.bring(ctx, env, a, s, session)
	})
}

// OnlineRoutineCmd does a strategy's routine.
type OnlineRoutineCmd struct {
	Strategy
	Session string `placeholder:"DATE" help:"The session to come to, those between made up for; default: the last of history up to today."`
}

// Run does it. Errors: NotFound (no such strategy), Incomplete (the session is not in the data yet), Failed.
func (c *OnlineRoutineCmd) Run(ctx context.Context, env *Env) error {
	s, session, err := c.at(c.Session)
	if err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		if _, _, err := online.Read(ctx, a, s.name); err != nil {
			return err
		}
		return c.bring(ctx, env, a, s, session)
	})
}

// OnlineSimulateCmd plays a strategy in the past.
type OnlineSimulateCmd struct {
	Strategy
	From string `required:"" placeholder:"DATE" help:"Its first session."`
	To   string `placeholder:"DATE" help:"Its last session; default: the last of history up to today."`
	As   string `placeholder:"NAME" help:"Name of the strategy that plays; default: that of the file with -simulated behind it. Its tasks are those of the real one."`
}

// Run plays it: what a routine at each session would have come to, it comes to by one.
func (c *OnlineSimulateCmd) Run(ctx context.Context, env *Env) error {
	s, err := loadStrategy(c.File, c.As)
	if err == nil && c.As == "" {
		s.name += "-simulated"
		err = foldstream.ValidName("strategy", s.name)
	}
	if err != nil {
		return err
	}
	from, err := s.session("--from", c.From, today())
	if err != nil {
		return err
	}
	to, err := s.session("--to", c.To, today())
	if err == nil && to.Before(from) {
		err = foldstream.Errorf(foldstream.Invalid, "", "--to %s is before --from %s", to, from)
	}
	if err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		if err := s.begin(ctx, a, from); err != nil {
			return err
		}
		return c.bring(ctx, env, a, s, to)
	})
}
