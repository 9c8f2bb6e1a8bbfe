package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/report"
)

// DiffCmd compares two experiments: their collections, and the results of their members one by one.
type DiffCmd struct {
	Managed
	Left   string  `arg:"" name:"experiment" help:"Experiment."`
	Right  string  `arg:"" name:"other" help:"Experiment to compare it with."`
	Atol   float64 `placeholder:"X" help:"Numbers that are no further apart count as equal; default: 0, exactly equal."`
	Rtol   float64 `placeholder:"X" help:"The same, as a share of the larger one: 1e-9. Both add up."`
	Common bool    `help:"Only the members that both have, and the configurations that have the same windows in both."`
	Limit  int     `default:"20" placeholder:"N" help:"Changes to print, the largest first; 0 is all. Default: ${default}."`
	HTML   string  `name:"html" type:"path" placeholder:"FILE" help:"Write a page of it."`
}

// Run compares. Experiments that differ end in Differs.
func (c *DiffCmd) Run(ctx context.Context, env *Env) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		d, err := c.diff(ctx, a)
		if err != nil {
			return err
		}
		if c.HTML != "" {
			write := func(w io.Writer) error { return report.WriteDiff(w, d, time.Now()) }
			if err := writeFile(c.HTML, write); err != nil {
				return fileError("--html", c.HTML, err)
			}
			fmt.Fprintf(env.Stderr, "wrote %s\n", c.HTML)
		}
		if c.JSON {
			err = printJSON(env.Stdout, diffOf(d))
		} else {
			c.print(env.Stdout, d)
		}
		if err != nil || d.Same() {
			return err
		}
		return foldstream.Errorf(foldstream.Differs, "", "%s and %s differ", d.Left, d.Right)
	})
}

func (c *DiffCmd) check() error {
	for flag, v := range map[string]float64{"--atol": c.Atol, "--rtol": c.Rtol} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return foldstream.Errorf(foldstream.Invalid, "", "%s %v is no number from 0", flag, v)
		}
	}
	if c.Limit < 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "--limit %d is below 0", c.Limit)
	}
	return nil
}

func (c *DiffCmd) diff(ctx context.Context, store foldstream.Store) (collect.Diff, error) {
	left, err := loadCollection(ctx, store, c.Left)
	if err != nil {
		return collect.Diff{}, err
	}
	right, err := loadCollection(ctx, store, c.Right)
	if err != nil {
		return collect.Diff{}, err
	}
	return collect.DiffOf(ctx, store, left, right, collect.DiffOptions{Tolerance: collect.Tolerance{Abs: c.Atol, Rel: c.Rtol}, Common: c.Common})
}

func (c *DiffCmd) print(w io.Writer, d collect.Diff) {
	fmt.Fprintf(w, "%s → %s\n", d.Left, d.Right)
	for _, s := range d.Settings {
		fmt.Fprintf(w, "%s: %s → %s\n", s.Name, orNone(s.Left), orNone(s.Right))
	}
	redefined := ""
	if d.Redefined > 0 {
		redefined = fmt.Sprintf(" (the tasks of %d are not the same)", d.Redefined)
	}
	fmt.Fprintf(w, "windows: %s%s\nconfigurations and ensemble: %s\n", countsText(d, d.Windows), redefined, countsText(d, d.Groups))
	if d.Changed > 0 {
		c.printNumbers(w, d)
		c.printChanges(w, d)
	}
	c.printOnly(w, d.Left, d.OnlyLeft)
	c.printOnly(w, d.Right, d.OnlyRight)
}

// countsText writes what was compared: "480 identical, 2 only in dow30".
func countsText(d collect.Diff, n collect.DiffCount) string {
	text := fmt.Sprintf("%d identical, %d changed", n.Identical, n.Changed)
	if n.OnlyLeft > 0 {
		text += fmt.Sprintf(", %d only in %s", n.OnlyLeft, d.Left)
	}
	if n.OnlyRight > 0 {
		text += fmt.Sprintf(", %d only in %s", n.OnlyRight, d.Right)
	}
	return text
}

// printNumbers prints which numbers moved and which did not: all of the configurations, of the windows those that changed.
func (c *DiffCmd) printNumbers(w io.Writer, d collect.Diff) {
	t := newTable(w, "number", "of", "compared", "changed", "largest change", "where")
	rightFrom(t, 3, 4)
	for _, s := range d.Numbers {
		if s.Window && s.Changed == 0 {
			continue
		}
		of, largest, where := "configurations", "", ""
		if s.Window {
			of = "windows"
		}
		if s.Changed > 0 {
			largest, where = changeText(s.Largest), spotText(s.Largest)
		}
		t.AppendRow([]any{s.What, of, s.Compared, s.Changed, largest, where})
	}
	if t.Length() > 0 {
		t.Render()
	}
}

func (c *DiffCmd) printChanges(w io.Writer, d collect.Diff) {
	shown := len(d.Changes)
	if c.Limit > 0 {
		shown = min(shown, c.Limit)
	}
	t := newTable(w, "where", "what", d.Left, d.Right, "change")
	rightFrom(t, 3, 5)
	for _, change := range d.Changes[:shown] {
		left, right := sidesText(change)
		by := ""
		if !change.IsText() {
			by = fmt.Sprintf("%+.3g", change.By())
		}
		t.AppendRow([]any{spotText(change), change.What, left, right, by})
	}
	t.Render()
	if left := d.Changed - shown; left > 0 {
		fmt.Fprintf(w, "and %d smaller ones (--limit 0 shows all)\n", left)
	}
}

// printOnly prints what one side alone has, the first few of it.
func (c *DiffCmd) printOnly(w io.Writer, name string, places []collect.DiffPlace) {
	shown := len(places)
	if c.Limit > 0 {
		shown = min(shown, c.Limit)
	}
	for _, p := range places[:shown] {
		fmt.Fprintf(w, "only in %s: %s\n", name, placeText(p))
	}
	if left := len(places) - shown; left > 0 {
		fmt.Fprintf(w, "only in %s: %d more\n", name, left)
	}
}

// sidesText writes both sides of a change.
func sidesText(c collect.Change) (left, right string) {
	if c.IsText() {
		return c.Texts[0], c.Texts[1]
	}
	return short(c.Left), short(c.Right)
}

func short(v float64) string { return fmt.Sprintf("%.6g", v) }

func changeText(c collect.Change) string {
	left, right := sidesText(c)
	return left + " → " + right
}

// spotText writes where a change is; of a column also how many values changed, and which one is shown.
func spotText(c collect.Change) string {
	text := placeText(c.DiffPlace)
	if c.Cells > 0 {
		text += fmt.Sprintf(", %s (and %d more)", c.At, c.Cells-1)
	}
	return text
}

func placeText(p collect.DiffPlace) string {
	text := p.Key.String()
	switch {
	case p.IsWindow():
		return strings.TrimPrefix(fmt.Sprintf("%s, window %d", text, p.Window), ", ")
	case text == "":
		return "ensemble"
	}
	return text
}
