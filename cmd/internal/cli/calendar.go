package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// CalendarCmd is the commands that look at the calendars of exchanges.
type CalendarCmd struct {
	List CalendarListCmd `cmd:"" aliases:"ls" help:"List the exchanges whose sessions are known, and for which days."`
	Show CalendarShowCmd `cmd:"" aliases:"info,view" help:"Show the sessions of an exchange, and why it is closed on the other weekdays."`
}

// CalendarListCmd lists the exchanges.
type CalendarListCmd struct {
	Output
	Names bool `short:"n" help:"Print the codes alone."`
}

// exchangeJSON is an exchange, for machines.
type exchangeJSON struct {
	Code      string          `json:"code"`
	Name      string          `json:"name"`
	First     foldstream.Time `json:"first"`
	Announced foldstream.Time `json:"announced"`
	Last      foldstream.Time `json:"last"`
}

// Run prints a line an exchange.
func (c *CalendarListCmd) Run(env *Env) error {
	var all []exchangeJSON
	t := newTable(env.Stdout, "exchange", "name", "from", "announced to", "projected to")
	for _, e := range calendar.Exchanges() {
		all = append(all, exchangeJSON{e.Code, e.Name, e.First, e.Announced, e.Last})
		projected := ""
		if e.Projected(e.Last) {
			projected = e.Last.String()
		}
		t.AppendRow([]any{e.Code, e.Name, e.First, e.Announced, projected})
	}
	return printList(env.Stdout, c.JSON, c.Names, all, func(e exchangeJSON) string { return e.Code }, t)
}

// CalendarShowCmd shows the sessions of an exchange.
type CalendarShowCmd struct {
	Output
	Exchange string `arg:"" help:"Code of the exchange; see calendar list."`
	From     string `placeholder:"DATE" help:"First day; default: this year's, or the first that is known where --to is given."`
	To       string `placeholder:"DATE" help:"Last day; default: this year's, or the last that is announced where --from is given."`
	Text     bool   `help:"Print the sessions alone, one a line, as the calendar of an experiment file reads them."`
}

// calendarJSON is the sessions of an exchange, for machines.
type calendarJSON struct {
	Exchange    string          `json:"exchange"`
	Name        string          `json:"name"`
	Sessions    int             `json:"sessions"`
	First       foldstream.Time `json:"first"`
	Last        foldstream.Time `json:"last"`
	Version     string          `json:"version"`
	Announced   foldstream.Time `json:"announced"`
	Projected   bool            `json:"projected"` // some of the days are
	Closures    []closureJSON   `json:"closures"`
	EarlyCloses []closureJSON   `json:"early_closes"`
}

type closureJSON struct {
	Day foldstream.Time `json:"day"`
	Why string          `json:"why"`
}

// Run prints the sessions in counts, and the days that are not like the others.
func (c *CalendarShowCmd) Run(env *Env) error {
	e, err := calendar.ExchangeOf(c.Exchange)
	if err != nil {
		return err
	}
	days, err := c.days(e, time.Now())
	if err != nil {
		return err
	}
	cal, err := e.Calendar(days)
	if err != nil {
		return err
	}
	if c.Text {
		_, err = env.Stdout.Write(cal.Text())
		return err
	}
	out := calendarJSON{Exchange: e.Code, Name: e.Name, Sessions: cal.Len(), First: cal.First(), Last: cal.Last(), Version: cal.Version(),
		Announced: e.Announced, Projected: e.Projected(cal.Last()), Closures: closuresOf(e.Closures(days)), EarlyCloses: closuresOf(e.EarlyCloses(days))}
	if c.JSON {
		return printJSON(env.Stdout, out)
	}
	printExchange(env.Stdout, out)
	return nil
}

// days reads the flags: this year where they say nothing, the last one that is known where that is not.
func (c *CalendarShowCmd) days(e calendar.Exchange, now time.Time) (s foldstream.Segment, err error) {
	if c.From == "" && c.To == "" {
		year := min(now.Year(), e.Last.Std().Year())
		return foldstream.Segment{Start: foldstream.DateOf(year, time.January, 1), End: foldstream.DateOf(year, time.December, 31)}, nil
	}
	for flag, end := range map[string]struct {
		text string
		to   *foldstream.Time
	}{"from": {c.From, &s.Start}, "to": {c.To, &s.End}} {
		if end.text == "" {
			continue
		}
		if *end.to, err = foldstream.ParseTime(end.text); err != nil {
			return s, foldstream.Errorf(foldstream.Invalid, "", "--%s: %w", flag, err)
		}
	}
	return s, nil
}

func closuresOf(closures []calendar.Closure) []closureJSON {
	out := []closureJSON{}
	for _, c := range closures {
		out = append(out, closureJSON{c.Day, c.Why})
	}
	return out
}

func printExchange(w io.Writer, c calendarJSON) {
	fmt.Fprintf(w, "%s, %s: %d sessions from %s to %s\nversion %s\n", c.Exchange, c.Name, c.Sessions, c.First, c.Last, c.Version)
	if c.Projected {
		fmt.Fprintf(w, "days after %s are projected by the rules of today\n", c.Announced)
	}
	type special struct {
		closureJSON
		what string
	}
	var all []special
	for _, day := range c.Closures {
		all = append(all, special{day, "closed"})
	}
	for _, day := range c.EarlyCloses {
		all = append(all, special{day, "ends early"})
	}
	slices.SortFunc(all, func(a, b special) int { return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.what, b.what)) })
	t := newTable(w, "day", "weekday", "", "why")
	for _, day := range all {
		t.AppendRow([]any{day.Day, day.Day.Std().Weekday().String(), day.what, day.Why})
	}
	if len(all) > 0 {
		t.Render()
	}
}
