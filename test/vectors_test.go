package test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// vector is one case recorded from the original; testdata/qlib/README.md tells what its fields mean.
type vector struct {
	Name       string
	Calendar   string // "" where none is needed
	Now        string // "" is the whole list
	FutureFile *bool  `json:"future_file"`
	TAFuture   *bool  `json:"ta_future"`
	TAEndTime  string `json:"ta_end_time"`
	Op         string
	Args       map[string]json.RawMessage
	Expect     json.RawMessage
	Sane       json.RawMessage // nil where the case gives none
	Quirk      bool
	Note       string
	NTasks     *int `json:"n_tasks"`

	file string // "rolling_gen.json", without .gz
	set  *vectorSet
}

// runner calls our code for one vector. What it returns is compared as JSON: write a foldstream.Time as it is (a date
// equals the same date at midnight), an open end as null. The error is our code's error as it came.
//
// To have a file covered: write a runner in a file of your own, conformance_<room>_test.go, and add its line to the table
// conformance in conformance_test.go. What a runner does not cover belongs to the table skipped there, with the reason; a
// case whose note, not whose sane value, says what to return belongs to the table decisions.
type runner func(v *vector) (any, error)

// has reports whether the argument was given, null included.
func (v *vector) has(name string) bool { _, ok := v.Args[name]; return ok }

// arg returns an argument as JSON's own types, numbers as json.Number; nil where it is null or absent.
func (v *vector) arg(name string) any {
	if !v.has(name) {
		return nil
	}
	value, err := decode(v.Args[name])
	if err != nil {
		panic(fmt.Sprintf("%s %s: argument %s: %v", v.file, v.Name, name, err))
	}
	return value
}

// into decodes an argument into target, which stays as it is where the argument is absent.
func (v *vector) into(name string, target any) error {
	if !v.has(name) {
		return nil
	}
	return json.Unmarshal(v.Args[name], target)
}

// calendar returns the case's calendar: the whole list with its Now, or history alone where there was no future file.
func (v *vector) calendar() (*calendar.Calendar, error) {
	c, ok := v.set.calendars[v.Calendar]
	if !ok {
		return nil, fmt.Errorf("no calendar %q", v.Calendar)
	}
	if v.Now != "" {
		now, err := foldstream.ParseTime(v.Now)
		if err != nil {
			return nil, err
		}
		if c, err = c.WithNow(now); err != nil {
			return nil, err
		}
	}
	if v.FutureFile != nil && !*v.FutureFile {
		c = c.Current()
	}
	return c, nil
}

// expectsError reports whether the original failed.
func (v *vector) expectsError() bool {
	value, err := decode(v.Expect)
	m, ok := value.(map[string]any)
	_, ok2 := m["error"]
	return err == nil && ok && ok2
}

// vectorSet is a directory of vectors and its calendars.
type vectorSet struct {
	dir       string
	days      map[string][]foldstream.Time
	calendars map[string]*calendar.Calendar
}

// vectorsDir is the directory that FOLDSTREAM_VECTORS names, else ours.
func vectorsDir() string {
	if dir := os.Getenv("FOLDSTREAM_VECTORS"); dir != "" {
		return dir
	}
	return filepath.Join("testdata", "qlib")
}

// openVectors reads the calendars of a directory.
func openVectors(t *testing.T, dir string) *vectorSet {
	t.Helper()
	set := &vectorSet{dir: dir, days: map[string][]foldstream.Time{}, calendars: map[string]*calendar.Calendar{}}
	var lists map[string]struct{ Days []foldstream.Time }
	readJSON(t, filepath.Join(dir, "calendars.json"), &lists)
	for name, list := range lists {
		c, err := calendar.New(list.Days)
		if err != nil {
			t.Fatalf("calendar %s: %v", name, err)
		}
		set.days[name], set.calendars[name] = list.Days, c
	}
	return set
}

// files lists the vector files, calendars.json left out.
func (s *vectorSet) files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if name != "calendars.json" && (strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".json.gz")) {
			names = append(names, name)
		}
	}
	return names
}

// load reads one vector file.
func (s *vectorSet) load(t *testing.T, name string) []*vector {
	t.Helper()
	var f struct{ Cases []*vector }
	readJSON(t, filepath.Join(s.dir, name), &f)
	for _, v := range f.Cases {
		v.file, v.set = strings.TrimSuffix(name, ".gz"), s
	}
	return f.Cases
}

// readJSON reads a file of one JSON document, gzipped where the name says so.
func readJSON(t *testing.T, path string, target any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	if err := json.NewDecoder(r).Decode(target); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// decode reads JSON into its own types, keeping numbers as written.
func decode(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var value any
	err := d.Decode(&value)
	return value, err
}

// plain turns any value into JSON's own types.
func plain(value any) (any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return decode(data)
}

// diff returns where two plain values differ, "" where they do not. Numbers may differ by 1e-9 of their size; two texts
// that are times are compared as times.
func diff(at string, got, want any) string {
	switch w := want.(type) {
	case map[string]any:
		return diffMaps(at, got, w)
	case []any:
		return diffLists(at, got, w)
	case json.Number:
		if g, ok := got.(json.Number); ok && closeTo(g, w) {
			return ""
		}
	case string:
		if g, ok := got.(string); ok && (g == w || sameTime(g, w)) {
			return ""
		}
	default:
		if got == want {
			return ""
		}
	}
	return fmt.Sprintf("%s: got %s, want %s", at, brief(got), brief(want))
}

func diffMaps(at string, got any, want map[string]any) string {
	g, ok := got.(map[string]any)
	if !ok {
		return fmt.Sprintf("%s: got %s, want a map", at, brief(got))
	}
	if w, ok := want[pairs].([]any); ok && len(want) == 1 {
		if g, ok := g[pairs].([]any); ok {
			return diffLists(at, byKey(g), byKey(w))
		}
	}
	for k, w := range want {
		if _, ok := g[k]; !ok {
			return fmt.Sprintf("%s.%s: missing, want %s", at, k, brief(w))
		}
		if d := diff(at+"."+k, g[k], w); d != "" {
			return d
		}
	}
	for k := range g {
		if _, ok := want[k]; !ok {
			return fmt.Sprintf("%s.%s: got %s, want none", at, k, brief(g[k]))
		}
	}
	return ""
}

// pairs is the key of a map whose keys are no texts; it has no order.
const pairs = "__pairs__"

// byKey returns pairs in order of their keys.
func byKey(list []any) []any {
	key := func(pair any) string {
		p, _ := pair.([]any)
		text, _ := json.Marshal(p[:min(len(p), 1)])
		return string(text)
	}
	return slices.SortedStableFunc(slices.Values(list), func(a, b any) int { return strings.Compare(key(a), key(b)) })
}

func diffLists(at string, got any, want []any) string {
	g, ok := got.([]any)
	if !ok || len(g) != len(want) {
		return fmt.Sprintf("%s: got %s, want %d values: %s", at, brief(got), len(want), brief(want))
	}
	for i := range want {
		if d := diff(fmt.Sprintf("%s[%d]", at, i), g[i], want[i]); d != "" {
			return d
		}
	}
	return ""
}

func closeTo(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return a == b || errX == nil && errY == nil && math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y))
}

func sameTime(a, b string) bool {
	x, errX := foldstream.ParseTime(a)
	y, errY := foldstream.ParseTime(b)
	return errX == nil && errY == nil && x == y
}

// brief spells a value in a message.
func brief(value any) string {
	data, _ := json.Marshal(value)
	if len(data) > 200 {
		return string(data[:200]) + "…"
	}
	return string(data)
}
