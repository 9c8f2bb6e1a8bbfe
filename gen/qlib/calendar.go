package qlib

import (
	"cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"go.yaml.in/yaml/v3"
)

// CalendarSource says where the sessions come from: one of CSV, Text, Qlib and Exchange is set.
type CalendarSource struct {
	CSV      string          // a CSV file with a header
	Column   string          // its column of dates; "date" where the file says none
	Text     string          // a file with one session a line
	Qlib     string          // a folder of Qlib data, which has calendars/day.txt in it
	Freq     string          // of Qlib's calendar; "day" where the file says none
	Exchange string          // the code of an exchange that package calendar knows
	From, To foldstream.Time // the exchange's days, closed: an end that moved with the program's version would move the tasks' ids
	Now      foldstream.Time // the last session of history; open where the file says none
}

// Path returns the file or the folder that is set; "" where an exchange is.
func (c CalendarSource) Path() string { return cmp.Or(c.CSV, c.Text, c.Qlib) }

func readCalendar(v value) CalendarSource {
	v.fields("csv", "column", "qlib", "freq", "text", "exchange", "from", "to", "now")
	c := CalendarSource{CSV: v.get("csv").text(), Column: v.get("column").text(), Qlib: v.get("qlib").text(),
		Freq: v.get("freq").text(), Text: v.get("text").text(), Now: v.get("now").time()}
	sources := count(v.get("csv"), v.get("qlib"), v.get("text"), v.get("exchange"))
	if v.is(yaml.MappingNode) && sources != 1 {
		v.faultf("must name exactly one of csv, qlib, text and exchange (%d of them)", sources)
	}
	c.Column = ofSource(v.get("column"), c.Column, v.get("csv"), "date")
	c.Freq = ofSource(v.get("freq"), c.Freq, v.get("qlib"), "day")
	c.readExchange(v)
	return c
}

// readExchange reads an exchange and its days, and sees that it is known on them.
func (c *CalendarSource) readExchange(v value) {
	from, to, exchange := v.get("from"), v.get("to"), v.get("exchange")
	if !exchange.there() {
		ofSource(from, "", exchange, "")
		ofSource(to, "", exchange, "")
		return
	}
	var codes []string
	for _, e := range calendar.Exchanges() {
		codes = append(codes, e.Code)
	}
	c.Exchange, c.From, c.To = exchange.oneOf(codes...), v.must("from").closed(), v.must("to").closed()
	if c.Exchange == "" || c.From.IsOpen() || c.To.IsOpen() {
		return
	}
	if _, err := c.OfExchange(); err != nil {
		exchange.faultf("%v", unwrapped(err))
	}
}

// OfExchange returns the sessions of Exchange, without Now. Errors: Invalid, as calendar.Exchange.Calendar; never for what Read
// has read.
func (c CalendarSource) OfExchange() (*calendar.Calendar, error) {
	e, err := calendar.ExchangeOf(c.Exchange)
	if err != nil {
		return nil, err
	}
	return e.Calendar(foldstream.Segment{Start: c.From, End: c.To})
}

// ofSource returns an option that only one source of a calendar has, or what it is where the file says nothing.
func ofSource(option value, s string, source value, otherwise string) string {
	switch {
	case !source.there() && option.there():
		option.faultf("belongs to a calendar from %s", source.path)
	case source.there() && s == "":
		return otherwise
	}
	return s
}
