package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
)

// DoctorCmd looks at everything that Foldstream needs of a server, and for messages that are not its own. It changes nothing.
type DoctorCmd struct {
	Connection
	Output
	Deep bool `help:"Read the bodies of all messages, however many there are; without it only where there are no more than 100,000."`
}

// deepUpTo is up to how many messages are read whole unless that is asked for.
const deepUpTo = 100_000

// examined is an examination for machines.
type examined struct {
	Level    stream.Level     `json:"level"`
	Findings []stream.Finding `json:"findings"`
	Foreign  []foreignJSON    `json:"foreign"`
	Deep     bool             `json:"deep"` // bodies were read as well
}

type foreignJSON struct {
	Stream  string `json:"stream"`
	Subject string `json:"subject"`
	Seq     uint64 `json:"seq"`
	Reason  string `json:"reason"`
	Newer   bool   `json:"newer"` // it is a newer program's
	Aside   bool   `json:"aside"` // it was set aside
}

// Run prints the findings. Errors: Failed (something is critical), those of the connection.
func (c *DoctorCmd) Run(ctx context.Context, env *Env) (err error) {
	s, err := c.inspect(c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	out, err := c.examine(ctx, env, s.store)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(env.Stdout, out); err != nil {
			return err
		}
	}
	if out.Level == stream.Critical {
		return foldstream.Errorf(foldstream.Failed, "", "%d of %d findings are critical", count(out.Findings, stream.Critical), len(out.Findings))
	}
	return nil
}

// inspect connects without making anything.
func (c Connection) inspect(log *slog.Logger) (*session, error) {
	nc, err := c.connect(log)
	if err != nil {
		return nil, err
	}
	s := &session{close: []func() error{func() error { nc.Close(); return nil }}}
	if s.store, err = stream.Inspect(nc, c.config(log)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.close = append(s.close, s.store.Close)
	return s, nil
}

// examine looks at everything; people see each finding as it comes.
func (c *DoctorCmd) examine(ctx context.Context, env *Env, s *stream.Store) (examined, error) {
	out := examined{Findings: []stream.Finding{}, Foreign: []foreignJSON{}}
	for f := range s.Examine(ctx) {
		out.Level = max(out.Level, f.Level)
		out.Findings = append(out.Findings, f)
		if !c.JSON {
			fmt.Fprintf(env.Stdout, "%-8s %s: %s\n", f.Level, f.About, f.Text)
		}
	}
	if _, whole := summed(out.Findings, "dead_letters"); !whole { // the examination did not come to its end: not all streams are there
		return out, ctx.Err()
	}
	messages, _ := summed(out.Findings, "messages")
	out.Deep = c.Deep || messages <= deepUpTo
	if !out.Deep {
		fmt.Fprintf(env.Stderr, "%.0f messages: only their subjects and headers are read; --deep reads them whole\n", messages)
	}
	for f, err := range s.Foreign(ctx, out.Deep) {
		if err != nil {
			return out, err
		}
		out.Level = max(out.Level, stream.Warning)
		out.Foreign = append(out.Foreign, foreignJSON{f.Stream, f.Subject, f.Seq, f.Reason, f.Newer, f.Aside})
		if !c.JSON {
			printForeign(env, f)
		}
	}
	if len(out.Foreign) == 0 && !c.JSON {
		fmt.Fprintf(env.Stdout, "%-8s foreign messages: none\n", stream.Good)
	}
	return out, ctx.Err()
}

func printForeign(env *Env, f stream.Foreign) {
	what := "is not ours and is passed over"
	switch {
	case f.Newer:
		what = "is left to a newer program"
	case f.Aside:
		what = "was not ours and was set aside"
	}
	fmt.Fprintf(env.Stdout, "%-8s foreign message: %s, sequence %d, subject %s %s: %s\n", stream.Warning, f.Stream, f.Seq, f.Subject, what, f.Reason)
}

func count(findings []stream.Finding, level stream.Level) (n int) {
	for _, f := range findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// summed sums up a figure over the findings; false where none has it.
func summed(findings []stream.Finding, name string) (sum float64, found bool) {
	for _, f := range findings {
		v, ok := f.Figures[name]
		sum, found = sum+v, found || ok
	}
	return sum, found
}
