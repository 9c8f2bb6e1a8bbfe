package calendar_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

func TestNew(t *testing.T) {
	monday, tuesday := foldstream.DateOf(2021, 3, 8), foldstream.DateOf(2021, 3, 9)
	t.Run("OK", func(t *testing.T) {
		list := []foldstream.Time{monday, tuesday}
		c, err := calendar.New(list)
		if err != nil {
			t.Fatal(err)
		}
		list[0] = tuesday
		if c.First() != monday || c.Last() != tuesday || c.Now() != tuesday || c.Len() != 2 || c.HasFuture() {
			t.Errorf("%s to %s, now %s, %d sessions", c.First(), c.Last(), c.Now(), c.Len())
		}
	})
	t.Run("Immutable", func(t *testing.T) {
		c := mustParse(t, "2021-03-08\n2021-03-09\n")
		days, err := c.Slice(foldstream.Segment{})
		if err != nil {
			t.Fatal(err)
		}
		days[0] = foldstream.DateOf(1999, 1, 1)
		if c.First() != monday {
			t.Errorf("a slice changed the calendar: it begins at %s", c.First())
		}
	})
	for name, list := range map[string][]foldstream.Time{
		"ErrNone":      nil,
		"ErrOpen":      {monday, {}},
		"ErrOpenFirst": {{}, monday},
		"ErrTwice":     {monday, monday},
		"ErrUnordered": {tuesday, monday},
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := calendar.New(list); !foldstream.Is(err, foldstream.Invalid) {
				t.Errorf("got %v, %v", c, err)
			}
		})
	}
}

// The version is stored with tasks and names an artifact: it must never change for the same sessions.
func TestVersion(t *testing.T) {
	const text = "2020-09-24T09:30:00\n2020-09-25\n2020-09-25T09:30:00.5\n"
	c := mustParse(t, "2020-09-24 09:30\r\n20200925\r\n2020-09-25T09:30:00.500\r\n")
	if string(c.Text()) != text {
		t.Errorf("text %q, want %q", c.Text(), text)
	}
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte(text))); c.Version() != want {
		t.Errorf("version %s, want %s", c.Version(), want)
	}
	const golden = "f1b26f9d"
	if v := week().Version(); v[:8] != golden {
		t.Errorf("version %s, want %s…", v, golden)
	}
}

func TestAlignSegments(t *testing.T) {
	c := week()
	holiday := foldstream.DateOf(2021, 3, 10)
	t.Run("OK", func(t *testing.T) {
		got, err := c.AlignSegments(foldstream.Segments{"train": {End: holiday}, "test": {Start: holiday}})
		if err != nil {
			t.Fatal(err)
		}
		if got["train"].End != foldstream.DateOf(2021, 3, 9) || got["test"].Start != foldstream.DateOf(2021, 3, 11) || len(got) != 2 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("ErrEmptySegment", func(t *testing.T) {
		_, err := c.AlignSegments(foldstream.Segments{"valid": {Start: holiday, End: holiday}})
		if !errors.Is(err, calendar.ErrEmptySegment) || !strings.Contains(err.Error(), "segment valid: ") {
			t.Errorf("got %v", err)
		}
	})
}

func TestParse(t *testing.T) {
	t.Run("ByteOrderMark", func(t *testing.T) {
		if c := mustParse(t, "\ufeff2021-03-08\n"); c.Len() != 1 {
			t.Errorf("%d sessions", c.Len())
		}
	})
	t.Run("ErrTooLong", func(t *testing.T) {
		_, err := calendar.Parse(strings.NewReader("2021-03-08\n" + strings.Repeat("2", 1<<17)))
		if !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrReader", func(t *testing.T) {
		broken := io.MultiReader(strings.NewReader("2021-03-08\n"), iotest.ErrReader(io.ErrClosedPipe))
		if _, err := calendar.Parse(broken); !foldstream.Is(err, foldstream.Unavailable) || !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v", err)
		}
	})
}

func TestReadCSV(t *testing.T) {
	for name, head := range map[string]string{"ErrHead": "", "ErrRows": "date\n2021-03-08\n"} {
		t.Run(name, func(t *testing.T) {
			broken := io.MultiReader(strings.NewReader(head), iotest.ErrReader(io.ErrClosedPipe))
			if _, err := calendar.ReadCSV(broken, "date"); !foldstream.Is(err, foldstream.Unavailable) || !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// deniedFS has files that may not be read.
type deniedFS struct{ name string }

func (d deniedFS) Open(name string) (fs.File, error) {
	if name == d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return os.DirFS("testdata/qlib").Open(name)
}

func TestReadQlib(t *testing.T) {
	t.Run("OK", func(t *testing.T) {
		c, err := calendar.ReadQlib(os.DirFS("testdata/qlib"), "day")
		if err != nil {
			t.Fatal(err)
		}
		if c.Now() != foldstream.DateOf(2021, 3, 9) || c.Last() != foldstream.DateOf(2021, 3, 11) || !c.HasFuture() {
			t.Errorf("now %s, last %s", c.Now(), c.Last())
		}
	})
	// A future file that is there but cannot be read is not a missing one.
	for _, name := range []string{"calendars/day.txt", "calendars/day_future.txt"} {
		t.Run("ErrDenied", func(t *testing.T) {
			_, err := calendar.ReadQlib(deniedFS{name}, "day")
			if !foldstream.Is(err, foldstream.Unavailable) || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func mustParse(t *testing.T, text string) *calendar.Calendar {
	t.Helper()
	c, err := calendar.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
