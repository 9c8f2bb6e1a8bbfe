package calendar_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// endless gives a text again and again, and fails the test when more was read than a file may cost.
type endless struct {
	t    *testing.T
	text string
	n    int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n > 8<<20 {
		e.t.Error("read on and on")
		return 0, io.EOF
	}
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.text)
	}
	e.n += n
	return n, nil
}

// A file that never ends, or a row of it, is refused after a bounded part of it.
func TestFilesWithoutEnd(t *testing.T) {
	after := func(head, text string) io.Reader {
		return io.MultiReader(strings.NewReader(head), &endless{t: t, text: text})
	}
	for name, read := range map[string]func() (*calendar.Calendar, error){
		"a line":           func() (*calendar.Calendar, error) { return calendar.Parse(after("2020-01-02\n", "0")) },
		"a row":            func() (*calendar.Calendar, error) { return calendar.ReadCSV(after("date\n", "a"), "date") },
		"a heading":        func() (*calendar.Calendar, error) { return calendar.ReadCSV(after("", "a,"), "date") },
		"an open quote":    func() (*calendar.Calendar, error) { return calendar.ReadCSV(after("date\n\"", "a\n"), "date") },
		"columns":          func() (*calendar.Calendar, error) { return calendar.ReadCSV(after("date\n2020-01-02", ","), "date") },
		"zeros":            func() (*calendar.Calendar, error) { return calendar.ReadCSV(after("", "\x00"), "date") },
		"the same session": func() (*calendar.Calendar, error) { return calendar.Parse(after("", "2020-01-02\n")) },
	} {
		if _, err := read(); !foldstream.Is(err, foldstream.Invalid) || len(err.Error()) > 1000 {
			t.Errorf("%s: %.2000v", name, err)
		}
	}
}

// What an error tells of a file is short, however long what is wrong with it.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("x", 50_000)
	_, cell := calendar.ReadCSV(strings.NewReader("date\n"+long+"\n"), "date")
	_, heading := calendar.ReadCSV(strings.NewReader(strings.Repeat(long[:9000]+",", 100)+"\n"), "date")
	_, line := calendar.Parse(strings.NewReader(long + "\n"))
	for _, err := range []error{cell, heading, line} {
		if !foldstream.Is(err, foldstream.Invalid) || len(err.Error()) > 10_000 {
			t.Errorf("an error of %d bytes: %.200v", len(fmt.Sprint(err)), err)
		}
	}
}

// A table that breaks while it is read is not taken for a bad one.
func TestBrokenReader(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("date\n2020-01-02\n"), failing{})
	if _, err := calendar.ReadCSV(broken, "date"); !foldstream.Is(err, foldstream.Unavailable) {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is away") }
