package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// scheduleTold is what the commands of schedules tell machines.
type scheduleTold struct {
	Name, When, Zone string
	Order            map[string]string
	Active           bool
	Next, Due        *time.Time
	Last             *struct {
		Worker, Text, Error string
		Ended               *time.Time
	}
}

func (s submitter) schedule(t *testing.T, args ...string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: s.Store}, append([]string{"schedule"}, args...)...)
}

func (s submitter) shown(t *testing.T, name string) (out scheduleTold) {
	t.Helper()
	r := s.schedule(t, "show", name, "--json")
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || r.code != 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	return out
}

// written collects what a command that goes on writes.
type written struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *written) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *written) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve executes what the store's schedules order until the test ends, and returns what is told of it.
func (s submitter) serve(t *testing.T) *written {
	t.Helper()
	out := &written{}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int)
	go func() {
		ended <- cli.Run(ctx, "foldstream", "", &cli.Foldstream{}, []string{"producer", "serve"}, &cli.Env{Store: s.Store, Stdout: out, Stderr: io.Discard})
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("producer serve ended with code %d", code)
		}
	})
	return out
}

// within polls until ok.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within half a minute: %s", what)
		}
	}
}

func TestScheduleSubmitsAgainAndAgain(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	s.schedule(t, "add", "nightly", small, "--every", "1s", "--as", "{name}-{date}-{time}").says(t, 0, "nightly: every 1s, next at ")
	told := s.serve(t)
	within(t, "two firings", func() bool { return strings.Count(told.String(), "nightly: small-") >= 2 })
	if text := told.String(); !strings.Contains(text, "120 tasks in pool small: 120 new, 0 known\n") || !strings.Contains(text, "120 tasks in pool small: 0 new, 120 known\n") {
		t.Errorf("it tells\n%s", text)
	}
	var names []string
	for e, err := range record.Experiments(t.Context(), s) {
		ok(t, err)
		names = append(names, e.Name)
		if e.Pool != "small" || len(e.Name) != len("small-20060102-150405") {
			t.Errorf("experiment %+v", e)
		}
	}
	if len(names) < 2 {
		t.Errorf("experiments %v", names)
	}
	var got scheduleTold
	within(t, "the end of an order", func() bool { // the next one may be executed already
		got = s.shown(t, "nightly")
		return got.Last.Ended != nil
	})
	if !got.Active || got.Last.Error != "" || !strings.Contains(got.Last.Text, "known") || got.Order["as"] != "{name}-{date}-{time}" {
		t.Errorf("%+v, %+v", got, got.Last)
	}
	s.schedule(t, "rm", "nightly").says(t, 0, "nightly: removed")
	s.schedule(t, "show", "nightly").says(t, 3, `there is no schedule "nightly"`)
}

// The file is read anew each time; what is wrong with it is kept with the schedule, and the next time may go well.
func TestScheduleReadsTheFileAnew(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	file := write(t, t.TempDir()+"/one.yaml", oneTask(t))
	s.schedule(t, "add", "a", file, "--every", "1h").says(t, 0, "a: every 1h0m0s")
	s.serve(t)
	run := func(code int, want string) {
		t.Helper()
		s.schedule(t, "run-now", "a", "--wait").says(t, code, want)
		if got := s.shown(t, "a"); got.Due != nil || got.Last == nil || !strings.Contains(got.Last.Text+got.Last.Error, strings.TrimPrefix(want, "a: ")) {
			t.Errorf("after %q the schedule stands as %+v", want, got.Last)
		}
	}
	run(0, "a: one: 1 tasks in pool one: 1 new")
	write(t, file, strings.Replace(oneTask(t), "alpha: 1}", "alpha: 1, aplha: 2}\nbad", 1))
	run(5, "one.yaml:")
	s.schedule(t, "ls").says(t, 0, "failed: ")
	write(t, file, strings.Replace(oneTask(t), "alpha: 1}", "alpha: 2}", 1)) // other members under the same name
	run(5, "one exists with other members")
	ok(t, os.Remove(file))
	run(5, "there is no file")
	write(t, file, oneTask(t))
	run(0, "1 known")
}

// A frozen schedule submits what the file made when it was added, though the file is gone.
func TestScheduleFrozen(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	file := write(t, t.TempDir()+"/one.yaml", oneTask(t))
	at := time.Now().Add(1200 * time.Millisecond).UTC().Format(time.RFC3339Nano)
	s.schedule(t, "add", "a", file, "--at", at, "--freeze", "--as", "{name}-{date}", "--zone", "Asia/Shanghai").says(t, 0, "a: once, at "+at)
	ok(t, os.Remove(file))
	if n := s.total(t, "one"); n != 0 {
		t.Fatalf("%d tasks before its time", n)
	}
	s.serve(t)
	within(t, "the outcome", func() bool { got := s.shown(t, "a"); return got.Last != nil && got.Last.Ended != nil })
	got := s.shown(t, "a")
	if got.Active || got.Last.Error != "" || !strings.HasPrefix(got.Order["frozen"], "as it was when") {
		t.Errorf("%+v, %+v", got, got.Last)
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	if want := "one-" + time.Now().In(zone).Format("20060102"); !strings.HasPrefix(got.Last.Text, want) {
		t.Errorf("%s, not %s", got.Last.Text, want)
	}
	l, err := s.Pool("one").Fetch(t.Context(), foldstream.Filter{})
	ok(t, err)
	again := s.made(t, "add", "one", "--from", string(l.Task().ID))
	if again.Tasks[0].ID != l.Task().ID { // its content is what its id says
		t.Errorf("task %s has the content of %s", l.Task().ID, again.Tasks[0].ID)
	}
}

// Freezing the same twice is one thing; and it is what the file makes, task for task.
func TestScheduleFreezesTheSame(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	add := []string{"add", "a", small, "--every", "1h", "--freeze", "--as", "frozen"}
	for range 5 {
		s.schedule(t, add...).says(t, 0, "a: every 1h0m0s")
	}
	s.tell(t)
	s.serve(t)
	s.schedule(t, "run-now", "a", "--wait").says(t, 0, "a: frozen: 120 tasks in pool small: 0 new, 120 known")
	e, err := record.ReadExperiment(t.Context(), s, "frozen")
	ok(t, err)
	there, err := record.ReadExperiment(t.Context(), s, "small")
	ok(t, err)
	if e.Members != there.Members {
		t.Error("the frozen experiment has other members")
	}
}

func TestSchedulePutsBack(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	s.tell(t)
	l, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
	ok(t, err)
	ok(t, l.Fail(t.Context(), errors.New("no")))
	s.schedule(t, "add", "a", small, "--every", "1h", "--retry-failed").says(t, 0, "a: every")
	s.schedule(t, "run-now", "a").says(t, 0, "due now")
	s.serve(t)
	within(t, "the outcome", func() bool { got := s.shown(t, "a"); return got.Last != nil && got.Last.Ended != nil })
	if got := s.shown(t, "a"); !strings.HasSuffix(got.Last.Text, "0 new, 120 known, 1 put back") {
		t.Errorf("%+v", got.Last)
	}
}

// An order of a kind that nobody here knows is left to others, and told.
func TestScheduleOfAnotherKind(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	ok(t, s.Schedule(t.Context(), foldstream.Schedule{Name: "later", When: "@every 1h", Kind: "routine", Order: []byte("{}")}, false))
	ok(t, s.OrderNow(t.Context(), "later"))
	s.serve(t)
	within(t, "somebody looked at it", func() bool { return s.shown(t, "later").Last != nil && s.shown(t, "later").Last.Error != "" })
	got := s.shown(t, "later")
	if got.Due == nil || !strings.Contains(got.Last.Error, `knows no orders of kind "routine" but online, submit`) || got.Last.Ended != nil {
		t.Errorf("%+v, %+v", got, got.Last)
	}
}

func TestScheduleRefuses(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	file := write(t, t.TempDir()+"/one.yaml", oneTask(t))
	add := []string{"add", "a", file}
	for want, args := range map[string][]string{
		"missing flags":                          add,
		"can't be used together":                 append(add, "--every", "1h", "--cron", "@daily"),
		"--every 500ms: a period is 1s at least": append(add, "--every", "500ms"),
		"--at 2001-01-01T00:00:00Z is past":      append(add, "--at", "2001-01-01T00:00:00Z"),
		`--at "noon" is no moment`:               append(add, "--at", "noon"),
		`--zone "Mars/Olympus" is no time zone`:  append(add, "--every", "1h", "--zone", "Mars/Olympus"),
		"the placeholders are {name}":            append(add, "--every", "1h", "--as", "{day}"),
		`schedule "a b"`:                         {"add", "a b", file, "--every", "1h"},
		"there is no file":                       {"add", "a", "none.yaml", "--every", "1h"},
		"a store in memory keeps no cron":        append(add, "--cron", "0 18 * * 1-5"),
		`"0 18 * *" has not the six fields`:      append(add, "--cron", "0 18 * *"),
	} {
		s.schedule(t, args...).says(t, 2, want)
	}
	s.schedule(t, append(add, "--every", "1h")...).says(t, 0, "a: every 1h0m0s")
	s.schedule(t, append(add, "--every", "1h")...).says(t, 0, "a: every 1h0m0s") // the same again
	s.schedule(t, append(add, "--every", "2h")...).says(t, 4, "there is another schedule a")
	s.schedule(t, append(add, "--every", "2h", "--replace")...).says(t, 0, "a: every 2h0m0s")
	s.schedule(t, "rm", "b").says(t, 3, `there is no schedule "b"`)
	s.schedule(t, "run-now", "aa").says(t, 3, `(did you mean "a"?)`)
	if r := s.schedule(t, "ls", "-n"); r.stdout != "a\n" {
		t.Errorf("%+v", r)
	}
}

func TestSubmitDelayed(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	s.run(t, "--in", "1h").says(t, 0, "small: the new ones wait until ")
	if _, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{}); !foldstream.Is(err, foldstream.NotFound) {
		t.Errorf("a delayed task came: %v", err)
	}
	state, err := s.Task(t.Context(), "small", s.first(t))
	ok(t, err)
	if wait := time.Until(state.NotBefore).Round(time.Minute); wait != time.Hour {
		t.Errorf("it waits %v", wait)
	}
	s = submitter{mem.New(mem.Options{})}
	at := time.Now().Add(2 * time.Hour).Truncate(time.Second)
	s.run(t, "--at", at.Format("2006-01-02 15:04:05")).says(t, 0, "wait until "+at.UTC().Format(time.RFC3339))
	state, err = s.Task(t.Context(), "small", s.first(t))
	ok(t, err)
	if !state.NotBefore.Equal(at) {
		t.Errorf("not before %v, want %v", state.NotBefore, at)
	}
	for want, args := range map[string][]string{
		"is past": {"--at", "2001-01-01 00:00"}, "--in -1m0s is past": {"--in=-1m"}, "can't be used together": {"--in", "1h", "--at", "2100-01-01 00:00"},
	} {
		s.run(t, args...).says(t, 2, want)
	}
}

// first returns the id of the first task of the small experiment.
func (s submitter) first(t *testing.T) foldstream.TaskID {
	t.Helper()
	for state, err := range s.Tasks(t.Context(), "small") {
		ok(t, err)
		return state.ID
	}
	t.Fatal("no task")
	return ""
}

func TestScheduleShows(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	s := submitter{mem.New(mem.Options{Now: func() time.Time { return now }, Worker: "host-1"})}
	ok(t, s.Schedule(t.Context(), foldstream.Schedule{
		Name: "nightly", When: "@every 24h", Kind: "submit", Order: []byte(`{"file": "/srv/small.yaml", "as": "{name}-{date}", "again": true}`),
	}, false))
	golden(t, "schedule_new.txt", s.schedule(t, "show", "nightly").stdout)
	now = now.Add(25 * time.Hour)
	golden(t, "schedule_due.txt", s.schedule(t, "show", "nightly").stdout)
	o, err := s.NextOrder(t.Context(), 0)
	ok(t, err)
	golden(t, "schedule_ls.txt", s.schedule(t, "ls").stdout)
	now = now.Add(time.Minute)
	ok(t, o.Done(t.Context(), foldstream.Outcome{Error: "small.yaml:1:1: nome: unknown key\nand more"}))
	golden(t, "schedule_failed.txt", s.schedule(t, "show", "nightly").stdout)
	golden(t, "schedule_failed.json", s.schedule(t, "show", "nightly", "--json").stdout)
}

// interrupted is a store that is away the first time an experiment is to be stored: after its tasks.
type interrupted struct {
	*mem.Store
	times int
}

func (i *interrupted) Values(bucket string) foldstream.Values {
	return interruptedValues{i.Store.Values(bucket), i, bucket}
}

type interruptedValues struct {
	foldstream.Values
	i      *interrupted
	bucket string
}

func (v interruptedValues) Put(ctx context.Context, val foldstream.Value) (uint64, error) {
	if v.bucket == foldstream.Experiments && v.i.times == 0 {
		v.i.times++
		return 0, foldstream.Errorf(foldstream.Unavailable, "put", "no server")
	}
	return v.Values.Put(ctx, val)
}

// An order that the store was away for is executed again after a while, by the same name: what was left is completed.
func TestScheduleIsExecutedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &interrupted{Store: mem.New(mem.Options{})}
		command(t, &cli.Env{Store: s}, "schedule", "add", "a", small, "--every", "1h", "--as", "{name}-{time}").says(t, 0, "a: every")
		ok(t, s.OrderNow(t.Context(), "a"))
		due := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan int)
		out := &written{}
		go func() {
			ended <- cli.Run(ctx, "foldstream", "", &cli.Foldstream{}, []string{"producer", "serve"}, &cli.Env{Store: s, Stdout: out, Stderr: io.Discard})
		}()
		time.Sleep(9 * time.Second) //nolint:forbidigo // in a bubble, where time is faked
		counts, err := s.Pool("small").Stat(t.Context())
		ok(t, err)
		if state := (submitter{s.Store}).shown(t, "a"); counts.Total() != 120 || !strings.Contains(state.Last.Error, "no server") || state.Due == nil || out.String() != "" {
			t.Errorf("after the first time: %v, %+v, %s", counts, state.Last, out)
		}
		time.Sleep(20 * time.Second) //nolint:forbidigo // the same
		name := "small-" + due.UTC().Format("150405")
		if e, err := record.ReadExperiment(t.Context(), s, name); err != nil || e.Expected != 120 {
			t.Errorf("%+v, %v", e, err)
		}
		if state := (submitter{s.Store}).shown(t, "a"); state.Last.Error != "" || !strings.HasSuffix(state.Last.Text, "0 new, 120 known") {
			t.Errorf("after the second time: %+v", state.Last)
		}
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("code %d", code)
		}
	})
}
