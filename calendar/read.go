package calendar

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/foldstream/foldstream"
)

// Parse reads a calendar from text, one session a line, ascending, in any spelling that foldstream.ParseTime knows. Blank
// lines and blanks around a session are skipped. It reads what Text wrote and what Qlib keeps in calendars/day.txt.
// Errors: Invalid, naming line and value; Unavailable where r fails.
func Parse(r io.Reader) (*Calendar, error) {
	var l list
	lines := bufio.NewScanner(r)
	n := 0
	for lines.Scan() {
		n++
		if text := clean(lines.Text()); text != "" {
			if err := l.add(n, text); err != nil {
				return nil, err
			}
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fail("line %d: too long for a session", n+1)
	case err != nil:
		return nil, foldstream.Errorf(foldstream.Unavailable, "calendar", "line %d: %w", n+1, err)
	}
	return l.calendar()
}

// clean drops blanks and a byte order mark.
func clean(s string) string { return strings.TrimSpace(strings.TrimPrefix(s, "\ufeff")) }

// maxSessions is the most sessions of a calendar: more than two centuries of minutes of trading.
const maxSessions = 1 << 24

// list gathers the sessions of a file, checking each against the one before.
type list struct{ sessions []foldstream.Time }

// add reads the session on a line.
func (l *list) add(line int, text string) error {
	t, err := foldstream.ParseTime(text)
	if err == nil {
		err = follows(l.sessions, t)
	}
	if err == nil && len(l.sessions) == maxSessions {
		err = fmt.Errorf("more than %d sessions", maxSessions)
	}
	if err != nil {
		return fail("line %d: %w", line, err)
	}
	l.sessions = append(l.sessions, t)
	return nil
}

func (l *list) calendar() (*Calendar, error) {
	if len(l.sessions) == 0 {
		return nil, fail("no sessions: a calendar has at least one")
	}
	return build(l.sessions, len(l.sessions), false), nil
}

// ReadCSV reads a calendar from a column of a CSV with a heading line: one row a session, ascending. A table that repeats
// its dates, as one row per stock and day, is refused.
// Errors: Invalid, naming line and value, or the columns where there is no such one; Unavailable where r fails.
func ReadCSV(r io.Reader, column string) (*Calendar, error) {
	rows := csv.NewReader(&rowsOf{r: r})
	rows.ReuseRecord = true
	at, err := findColumn(rows, column)
	if err != nil {
		return nil, err
	}
	var l list
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return l.calendar()
		}
		if err != nil {
			return nil, csvError(err)
		}
		line, _ := rows.FieldPos(at)
		if err := l.add(line, clean(row[at])); err != nil {
			return nil, in(fmt.Sprintf("column %q", column), err)
		}
	}
}

// findColumn reads the heading line.
func findColumn(rows *csv.Reader, column string) (int, error) {
	head, err := rows.Read()
	if err == io.EOF {
		return 0, fail("line 1: an empty file; a heading line with the column %q is needed", column)
	}
	if err != nil {
		return 0, csvError(err)
	}
	at := -1
	for i, name := range head {
		if clean(name) != column {
			continue
		}
		if at >= 0 {
			return 0, fail("line 1: column %q is there twice", column)
		}
		at = i
	}
	if at < 0 {
		return 0, fail("line 1: no column %q among %.400q", column, head[:min(len(head), mostShown)])
	}
	return at, nil
}

// mostShown is how many columns an error names.
const mostShown = 20

// maxRow is the longest row of a table: the CSV reader holds a whole row, which without a closing quote is the rest of the file.
const maxRow = 1 << 20

// rowsOf is a table whose rows are not too long.
type rowsOf struct {
	r      io.Reader
	row    int // bytes of the row so far
	quoted bool
}

// Read reads from the table. Errors: errRow.
func (l *rowsOf) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for _, c := range p[:n] {
		l.row++
		l.quoted = l.quoted != (c == '"')
		if c == '\n' && !l.quoted {
			l.row = 0
		}
		if l.row > maxRow {
			return 0, errRow
		}
	}
	return n, err
}

var errRow = fmt.Errorf("a row is longer than %d bytes; is a quote not closed?", maxRow)

// csvError tells a broken file, whose message names the line, from a broken reader.
func csvError(err error) error {
	if _, ok := errors.AsType[*csv.ParseError](err); ok || errors.Is(err, errRow) {
		return foldstream.E(foldstream.Invalid, "calendar", err)
	}
	return foldstream.E(foldstream.Unavailable, "calendar", err)
}

// ReadQlib reads the calendar of a Qlib data folder: history from calendars/<freq>.txt, and the whole list, history and
// coming sessions, from calendars/<freq>_future.txt. Where that file is missing, history is all there is and HasFuture is
// false. It mirrors FileCalendarStorage (data/storage/file_storage.py).
// Errors: NotFound where the first file is missing; Invalid, naming file, line and value, also where the future list does
// not begin with the whole of history; Unavailable where reading fails.
func ReadQlib(fsys fs.FS, freq string) (*Calendar, error) {
	if freq == "" || strings.ContainsAny(freq, `/\`) {
		return nil, fail("frequency %q: it is the name of a file in calendars, as day or 1min", freq)
	}
	history, err := readFile(fsys, path.Join("calendars", freq+".txt"))
	if err != nil {
		return nil, err
	}
	name := path.Join("calendars", freq+"_future.txt")
	whole, err := readFile(fsys, name)
	if foldstream.Is(err, foldstream.NotFound) {
		return history, nil
	}
	if err != nil {
		return nil, err
	}
	for i, t := range history.sessions {
		if i >= whole.Len() || whole.sessions[i] != t {
			return nil, fail("%s: session %d of history, %s, is not there: the future list begins with the whole history", name, i, t)
		}
	}
	return whole.WithNow(history.Last())
}

// readFile parses one file, naming it in the error.
func readFile(fsys fs.FS, name string) (*Calendar, error) {
	f, err := fsys.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, foldstream.E(foldstream.NotFound, "calendar", err)
	case err != nil:
		return nil, foldstream.E(foldstream.Unavailable, "calendar", err)
	}
	c, err := Parse(f)
	_ = f.Close() // only read: a failing close loses nothing
	if err != nil {
		return nil, in(name, err)
	}
	return c, nil
}
