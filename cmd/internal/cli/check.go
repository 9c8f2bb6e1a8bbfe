package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foldstream/foldstream/stream"
)

// CheckCmd is doctor for monitoring: it reads no stream through, takes a moment, and ends as plugins of Nagios do.
type CheckCmd struct {
	Connection
	Format string `enum:"nagios,json,prometheus,text" default:"nagios" help:"nagios, json, prometheus or text."`
	Dead   int    `placeholder:"N" default:"-1" help:"More than N dead letters are a warning; default: any number is well."`
	Idle   bool   `help:"Tickets that wait while no worker is alive are a warning."`
}

// Help tells the exit codes, which are not those of other commands.
func (CheckCmd) Help() string { return "Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown." }

// checkTime bounds a check: monitoring waits no longer.
const checkTime = 20 * time.Second

// unknown is the level of a check that could not be made.
const unknown = 3

// Run prints the state in one of the formats. The error is the exit code alone.
func (c *CheckCmd) Run(ctx context.Context, env *Env) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	findings := c.findings(ctx)
	level := stream.Good
	for _, f := range findings {
		level = max(level, f.Level)
	}
	code := exitWith(level)
	if ctx.Err() != nil {
		code = unknown
	}
	return errors.Join(c.print(env.Stdout, code, findings), code)
}

// findings examines; a server that is not there is a finding, too.
func (c *CheckCmd) findings(ctx context.Context) []stream.Finding {
	s, err := c.inspect(nil)
	if err != nil {
		return []stream.Finding{{About: "connection", Level: stream.Critical, Text: err.Error()}}
	}
	defer func() { _ = s.Close() }()
	findings := slices.Collect(s.store.Examine(ctx))
	dead, _ := summed(findings, "dead_letters")
	waiting, _ := summed(findings, "waiting_tickets")
	workers, known := summed(findings, "workers")
	for i := range findings {
		switch f := &findings[i]; {
		case f.About == "dead letters" && c.Dead >= 0 && dead > float64(c.Dead):
			f.Level, f.Text = max(f.Level, stream.Warning), fmt.Sprintf("%s; more than %d", f.Text, c.Dead)
		case f.About == "workers" && c.Idle && known && workers == 0 && waiting > 0:
			f.Level, f.Text = max(f.Level, stream.Warning), fmt.Sprintf("%s while %.0f tickets wait", f.Text, waiting)
		}
	}
	return findings
}

func (c *CheckCmd) print(w io.Writer, code exitWith, findings []stream.Finding) error {
	figures := figuresOf(findings)
	names := slices.Sorted(maps.Keys(figures))
	state := code.state()
	switch c.Format {
	case "json":
		return printJSON(w, map[string]any{"state": state, "findings": findings, "figures": figures})
	case "prometheus":
		fmt.Fprintf(w, "# HELP foldstream_check_state What a check found: 0 ok, 1 warning, 2 critical, 3 unknown.\n# TYPE foldstream_check_state gauge\nfoldstream_check_state %d\n", code)
		for _, name := range names {
			fmt.Fprintf(w, "# TYPE foldstream_check_%s gauge\nfoldstream_check_%s %s\n", name, name, decimal(figures[name]))
		}
	case "text":
		for _, f := range findings {
			fmt.Fprintf(w, "%-8s %s: %s\n", f.Level, f.About, f.Text)
		}
		fmt.Fprintf(w, "%s\n", state)
	default:
		fmt.Fprintf(w, "FOLDSTREAM %s: %s", strings.ToUpper(state), plugin.Replace(worst(findings)))
		for i, name := range names {
			fmt.Fprintf(w, "%s %s=%s", []string{" |", ""}[min(i, 1)], name, decimal(figures[name]))
		}
		fmt.Fprintln(w)
	}
	return nil
}

// plugin keeps a text to one line without the mark before the figures.
var plugin = strings.NewReplacer("|", "/", "\n", " ")

// worst tells the findings that are not good, or that all are.
func worst(findings []stream.Finding) string {
	var parts []string
	for _, f := range findings {
		if f.Level > stream.Good {
			parts = append(parts, f.About+": "+f.Text)
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("%d findings are well", len(findings))
	}
	return strings.Join(parts, "; ")
}

// figuresOf sums the figures up, for a pool and for another.
func figuresOf(findings []stream.Finding) map[string]float64 {
	all := map[string]float64{}
	for _, f := range findings {
		for name, v := range f.Figures {
			all[name] += v
		}
	}
	return all
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
