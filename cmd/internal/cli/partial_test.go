package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

const sessions = "1996-01-02\n1996-01-03\n1996-01-04\n1996-01-05\n1996-01-08\n1996-01-09\n"

// flawed is a store with the experiment "flawed" of three windows of two sessions each: how each task ends is up to a test.
type flawed struct{ *mem.Store }

func newFlawed(t *testing.T) flawed {
	t.Helper()
	s := flawed{mem.New(mem.Options{})}
	cal, _, err := s.Artifacts().Put(t.Context(), strings.NewReader(sessions))
	ok(t, err)
	var all []foldstream.Time
	for day := range strings.FieldsSeq(sessions) {
		at, err := foldstream.ParseTime(day)
		ok(t, err)
		all = append(all, at)
	}
	var members []foldstream.Expectation
	for w := range 3 {
		one := task(w)
		one.Key, one.Segments["test"] = foldstream.Key{{Name: "alpha", Value: "1"}}, foldstream.Segment{Start: all[2*w], End: all[2*w+1]}
		_, err := s.Pool("p").Create(t.Context(), one)
		ok(t, err)
		members = append(members, foldstream.Expectation{Key: one.Key, Window: one.Window, Test: one.Segments["test"], Task: one.ID})
	}
	ok(t, record.PutExperiment(t.Context(), s, foldstream.Experiment{Name: "flawed", Pool: "p", Calendar: string(cal)}, members, all...))
	return s
}

// result commits the next window's result, of the days in the texts and of a version of the code.
func (s flawed) result(t *testing.T, code string, days ...string) {
	t.Helper()
	l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
	ok(t, err)
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}, {Name: "return"}}}
	for i, day := range days {
		at, err := foldstream.ParseTime("1996-01-" + day)
		ok(t, err)
		f.Times, f.Instruments = append(f.Times, at), append(f.Instruments, "A")
		for j := range f.Columns {
			f.Columns[j].Values = append(f.Columns[j].Values, float64(i))
		}
	}
	ok(t, l.Commit(t.Context(), foldstream.Result{Code: code, Frames: map[string]foldstream.Frame{"pred": f}}))
}

// fail ends the next window's task.
func (s flawed) fail(t *testing.T) {
	t.Helper()
	l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
	ok(t, err)
	ok(t, l.Fail(t.Context(), errors.New("no licence")))
}

// fold runs an aggregator until the collection is settled.
func (s flawed) fold(t *testing.T) { t.Helper(); s.settle(t, "flawed") }

// settle runs an aggregator until the collection of an experiment is settled.
func (s flawed) settle(t *testing.T, experiment string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error)
	go func() { ended <- (&collect.Aggregator{Store: s.Store, ID: "a"}).Run(ctx) }()
	for sum, err := range collect.Watch(ctx, s, experiment) {
		ok(t, err)
		if sum.Settled {
			break
		}
	}
	stop()
	ok(t, <-ended)
}

func (s flawed) run(t *testing.T, args ...string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: s.Store}, args...)
}

// counts is how JSON tells what is wrong with a collection.
type counts struct {
	Experiment                 string
	Complete, Settled          bool
	Expected, Present, Failed  int
	Gaps, Overlaps, Duplicates int
	Coverage                   float64
	Codes                      collect.Codes
}

func (s flawed) counts(t *testing.T) (c counts) {
	t.Helper()
	r := s.run(t, "collection", "show", "flawed", "--json")
	ok(t, json.Unmarshal([]byte(r.stdout), &c))
	return c
}

// Whatever keeps a collection from being complete is counted, named with its sessions and shown; so are several versions of the code.
func TestFlawsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		days [3][]string // nil fails
		code string      // of the last
		says []string
		want counts
	}{
		"nothing":   {[3][]string{{"02", "03"}, {"04", "05"}, {"08", "09"}}, "v1", nil, counts{Complete: true, Present: 3, Codes: collect.Codes{"v1": 3}}},
		"failed":    {[3][]string{{"02", "03"}, nil, {"08", "09"}}, "v1", []string{"alpha=1 window 1 (1996-01-04 to 1996-01-05): failed", "alpha=1: gap from 1996-01-04 to 1996-01-05"}, counts{Present: 2, Failed: 1, Gaps: 1, Codes: collect.Codes{"v1": 2}}},
		"gap":       {[3][]string{{"02", "03"}, {"05"}, {"08", "09"}}, "v1", []string{"alpha=1: gap from 1996-01-04 to 1996-01-04"}, counts{Present: 3, Gaps: 1, Codes: collect.Codes{"v1": 3}}},
		"overlap":   {[3][]string{{"02", "03", "04"}, {"04", "05"}, {"08", "09"}}, "v1", []string{"alpha=1: overlap from 1996-01-04 to 1996-01-04"}, counts{Present: 3, Overlaps: 1, Codes: collect.Codes{"v1": 3}}},
		"duplicate": {[3][]string{{"02", "03"}, {"04", "05", "04"}, {"08", "08", "09", "09"}}, "v1", []string{"alpha=1: duplicate from 1996-01-04 to 1996-01-04", "alpha=1: duplicate from 1996-01-08 to 1996-01-09"}, counts{Present: 3, Duplicates: 2, Codes: collect.Codes{"v1": 3}}},
		"code":      {[3][]string{{"02", "03"}, {"04", "05"}, {"08", "09"}}, "v2", []string{"2 versions of the code made the results: v1 (2), v2 (1)"}, counts{Complete: true, Present: 3, Codes: collect.Codes{"v1": 2, "v2": 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFlawed(t)
			for i, days := range c.days {
				switch {
				case days == nil:
					s.fail(t)
				case i == 2:
					s.result(t, c.code, days...)
				default:
					s.result(t, "v1", days...)
				}
			}
			s.fold(t)
			code := 5
			if c.want.Complete {
				code = 0
			}
			r := s.run(t, "collection", "show", "flawed")
			r.says(t, code, "alpha=1")
			for _, want := range c.says {
				r.says(t, code, want)
			}
			got := s.counts(t)
			if got.Present != c.want.Present || got.Failed != c.want.Failed || got.Gaps != c.want.Gaps || got.Overlaps != c.want.Overlaps ||
				got.Duplicates != c.want.Duplicates || got.Complete != c.want.Complete || got.Codes.String() != c.want.Codes.String() {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			sum, err := collect.LoadSummary(t.Context(), s, "flawed")
			ok(t, err)
			if sum.Complete() != c.want.Complete || sum.Gaps != c.want.Gaps || sum.Overlaps != c.want.Overlaps || sum.Duplicates != c.want.Duplicates || sum.Codes.String() != c.want.Codes.String() {
				t.Errorf("the summary is %+v", sum)
			}
			if list := s.run(t, "collection", "ls", "--json"); strings.Contains(list.stdout, `"complete": true`) != c.want.Complete {
				t.Errorf("the list says %s", list.stdout)
			}
		})
	}
}

// Files of an incomplete collection are refused, and nothing is there afterwards; where they are allowed each says what it lacks.
func TestPartialFilesAreMarked(t *testing.T) {
	s := newFlawed(t)
	s.result(t, "v1", "02", "03")
	s.fail(t)
	s.result(t, "v2", "08", "09")
	s.fold(t)
	const lacks = "2 of 3 members, 1 failed, 1 gaps, 0 overlaps, 0 duplicates"
	dir := filepath.Join(t.TempDir(), "out")
	page := filepath.Join(t.TempDir(), "report.html")
	for _, args := range [][]string{
		{"export", "flawed", dir}, {"export", "flawed", dir, "--strict"}, {"report", "flawed", "-o", page}, {"show", "flawed", "--series", "-f", "csv"},
	} {
		r := s.run(t, append([]string{"collection"}, args...)...)
		r.says(t, 5, lacks+"; --allow-partial writes it all the same, marked")
		if r.stdout != "" {
			t.Errorf("%v prints %s", args, r.stdout)
		}
	}
	for _, path := range []string{dir, page} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	s.run(t, "collection", "export", "flawed", dir, "--strict", "--allow-partial").says(t, 2, "--strict and --allow-partial")

	s.run(t, "collection", "export", "flawed", dir, "-f", "csv", "-f", "json", "-f", "markdown", "-f", "parquet", "--allow-partial").says(t, 5, lacks)
	for name, rows := range map[string]int{"table": 1, "series": 4} {
		for _, format := range []string{".csv", ".json", ".md"} {
			if name == "series" && (format == ".json" || format == ".md") {
				continue // long as it is, only where it is asked for alone
			}
			data, err := os.ReadFile(filepath.Join(dir, name+format))
			ok(t, err)
			if strings.Count(string(data), lacks) != rows || !strings.Contains(string(data), collect.MarkColumn) {
				t.Errorf("%s%s is not marked in each row:\n%s", name, format, data)
			}
		}
		data, err := os.ReadFile(filepath.Join(dir, name+".parquet"))
		ok(t, err)
		f, err := frame.ReadParquet(data)
		ok(t, err)
		at := slices.IndexFunc(f.Columns, func(c frame.Column) bool { return c.Name == collect.MarkColumn })
		if f.Len() != rows || at < 0 || f.Columns[at].Texts[rows-1] != lacks {
			t.Errorf("%s.parquet is not marked: %v", name, f)
		}
	}
	s.run(t, "collection", "report", "flawed", "-o", page, "--allow-partial").says(t, 5, lacks)
	if data, err := os.ReadFile(page); err != nil || !strings.Contains(string(data), "Incomplete.") || !strings.Contains(string(data), "2 versions made the results: v1 (1), v2 (1)") {
		t.Errorf("the report is not marked, %v", err)
	}
	s.run(t, "collection", "show", "flawed", "--series", "-f", "csv", "--allow-partial").says(t, 5, lacks)
}

// A complete collection has no marks.
func TestWholeFilesAreNotMarked(t *testing.T) {
	s := newFlawed(t)
	for _, days := range [][]string{{"02", "03"}, {"04", "05"}, {"08", "09"}} {
		s.result(t, "v1", days...)
	}
	s.fold(t)
	r := s.run(t, "collection", "show", "flawed", "--series", "-f", "csv", "--allow-partial")
	r.says(t, 0, "datetime,instrument,return,alpha=1\n1996-01-02,A,0,0\n")
	if strings.Contains(r.stdout, collect.MarkColumn) {
		t.Error("a complete collection is marked")
	}
}

// Members on several calendars, which only a program can list, are named in the report.
func TestMixedCalendarsAreNamed(t *testing.T) {
	s := newFlawed(t)
	other := task(4)
	other.Calendar = "decade"
	_, err := s.Pool("q").Create(t.Context(), task(3), other)
	ok(t, err)
	e, err := record.ReadExperiment(t.Context(), s, "flawed")
	ok(t, err)
	var members []foldstream.Expectation
	for i := range 2 {
		m := task(3 + i)
		members = append(members, foldstream.Expectation{Key: m.Key, Window: m.Window, Test: m.Segments["test"], Task: m.ID})
	}
	e.Name, e.Pool = "mixed", "q"
	ok(t, record.PutExperiment(t.Context(), s, e, members))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error)
	go func() { ended <- (&collect.Aggregator{Store: s.Store, ID: "a"}).Run(ctx) }()
	for _, err := range collect.Watch(ctx, s, "mixed") {
		ok(t, err)
		break
	}
	stop()
	ok(t, <-ended)
	s.run(t, "collection", "report", "mixed", "--allow-partial").says(t, 5, "2, mixed: c0ffee, decade")
}
