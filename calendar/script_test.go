package calendar_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts in testdata give as what they expect")

// TestScripts runs testdata/*.txt: blocks of a command line, its input lines, "----" and the expected output, ended by a
// blank line. Lines that start with # before a block are comments. The calendar that a command makes stays for the next.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := runScript(t, path, string(want))
			if *rewrite {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// runScript returns the script with the output that its commands give.
func runScript(t *testing.T, path, text string) string {
	var s script
	var out bytes.Buffer
	for _, block := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		head, want, ok := strings.Cut(block+"\n", "----\n")
		if !ok {
			t.Fatalf("%s: no ---- in the block\n%s", path, block)
		}
		got := s.run(head)
		if got != want && !*rewrite {
			t.Errorf("%s:\n%s---- got\n%s---- want\n%s", path, head, got, want)
		}
		fmt.Fprintf(&out, "%s----\n%s\n", head, got)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// script is what stays between the commands.
type script struct {
	c     *calendar.Calendar
	files fstest.MapFS
}

// run does one block and returns its output: an answer, or "error: " and what errors.Is knows of it.
func (s *script) run(head string) string {
	lines := strings.SplitAfter(head, "\n")
	for strings.HasPrefix(lines[0], "#") {
		lines = lines[1:]
	}
	answer, err := s.do(strings.Fields(lines[0]), strings.Join(lines[1:], ""))
	if err == nil {
		return answer + "\n"
	}
	mark := foldstream.KindOf(err).String()
	for name, cause := range map[string]error{"ErrOutOfCalendar": calendar.ErrOutOfCalendar,
		"ErrEmptySegment": calendar.ErrEmptySegment, "ErrOpen": calendar.ErrOpen} {
		if errors.Is(err, cause) {
			mark += ", " + name
		}
	}
	return fmt.Sprintf("error (%s): %v\n", mark, err)
}

func (s *script) do(args []string, input string) (answer string, err error) {
	command, args := args[0], args[1:]
	if made, c, err := s.make(command, args, input); made {
		if err != nil {
			return "", err
		}
		s.c = c
		return describe(c), nil
	}
	switch command {
	case "file":
		if s.files == nil {
			s.files = fstest.MapFS{}
		}
		s.files[args[0]] = &fstest.MapFile{Data: []byte(input)}
		return "ok", nil
	case "at":
		return text(s.c.At(number(args[0])))
	case "index":
		return text(s.c.Index(at(args[0]), sides[args[1]]))
	case "align":
		return text(s.c.Align(at(args[0]), sides[args[1]]))
	case "segment":
		return text(s.c.AlignSegment(pair(args)))
	case "truncate":
		return text(s.c.Truncate(pair(args), at(args[2]), number(args[3])))
	case "shift":
		return text(s.c.Shift(pair(args), number(args[2]), calendar.Mode(args[3])))
	case "interval":
		return text(s.c.Interval(at(args[0]), at(args[1])))
	case "slice":
		return text(s.c.Slice(pair(args)))
	case "clip":
		return s.c.ClipEnd(at(args[0])).String(), nil
	case "byshift":
		round := calendar.Rounding(strings.TrimPrefix(args[2], "exact"))
		return text(s.c.ByShift(at(args[0]), number(args[1]), round, len(args) > 3 && args[3] == "clip"))
	}
	return "", fmt.Errorf("no command %q", command)
}

// make runs the commands whose answer is a calendar.
func (s *script) make(command string, args []string, input string) (bool, *calendar.Calendar, error) {
	var c *calendar.Calendar
	var err error
	switch command {
	case "parse":
		c, err = calendar.Parse(strings.NewReader(input))
	case "csv":
		c, err = calendar.ReadCSV(strings.NewReader(input), args[0])
	case "qlib":
		c, err = calendar.ReadQlib(s.files, strings.Join(args, ""))
	case "now":
		c, err = s.c.WithNow(at(args[0]))
	case "until":
		c, err = s.c.Until(at(args[0]))
	case "current":
		c = s.c.Current()
	default:
		return false, nil, nil
	}
	return true, c, err
}

var sides = map[string]calendar.Side{"start": calendar.Start, "end": calendar.End}

func describe(c *calendar.Calendar) string {
	kind := "intraday"
	if c.Daily() {
		kind = "daily"
	}
	return fmt.Sprintf("%d sessions %s to %s, %s, now %s, future %v, version %.8s",
		c.Len(), c.First(), c.Last(), kind, c.Now(), c.HasFuture(), c.Version())
}

// text spells an answer.
func text(value any, err error) (string, error) {
	if s, ok := value.(foldstream.Segment); ok {
		return "[" + or(s.Start) + " " + or(s.End) + "]", err
	}
	return fmt.Sprint(value), err
}

func or(t foldstream.Time) string {
	if t.IsOpen() {
		return "open"
	}
	return t.String()
}

// at reads a time of a script; "open" is the open end.
func at(s string) foldstream.Time {
	if s == "open" {
		return foldstream.Time{}
	}
	t, err := foldstream.ParseTime(s)
	if err != nil {
		panic(err)
	}
	return t
}

func pair(args []string) foldstream.Segment {
	return foldstream.Segment{Start: at(args[0]), End: at(args[1])}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}
