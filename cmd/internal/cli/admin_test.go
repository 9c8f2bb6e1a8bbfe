package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/stream/mem"
)

// pooled is a store in memory with a clock of its own and a pool "p" of five tasks: a done one, a running one, a failed one and
// two waiting ones, the last with priority 2.
type pooled struct {
	*mem.Store
	now time.Time
}

func newPool(t *testing.T) *pooled {
	t.Helper()
	p := &pooled{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	p.Store = mem.New(mem.Options{Worker: "host-1", Lease: 10 * time.Second, Now: func() time.Time { return p.now }})
	var tasks []foldstream.Task
	for i := range 5 {
		tasks = append(tasks, task(i))
	}
	two := 2
	tasks[4].Priority = &two
	_, err := p.Pool("p").Create(t.Context(), tasks[:3]...)
	ok(t, err)
	p.tick()
	ok(t, p.fetch(t).Commit(t.Context(), done(t, p)))
	p.tick()
	p.fetch(t)
	p.tick()
	l := p.fetch(t)
	p.tick()
	ok(t, l.Fail(t.Context(), errors.New("out of memory\nlast line of the log")))
	_, err = p.Pool("p").Create(t.Context(), tasks[3:]...)
	ok(t, err)
	return p
}

func task(i int) foldstream.Task {
	alpha := fmt.Sprint(10 * (1 + i%2))
	seed := int64(i)
	return foldstream.Task{
		ID: foldstream.TaskID(strings.Repeat("a", 25) + string(rune('a'+i))),
		Template: foldstream.Template{
			Task: map[string]any{"model": map[string]any{"class": "Ridge", "kwargs": map[string]any{"alpha": alpha}}},
			Segments: foldstream.Segments{
				"train": {Start: foldstream.DateOf(1991, 1, 2), End: foldstream.DateOf(1995, 12, 29)},
				"test":  {Start: foldstream.DateOf(1996, 1, 2), End: foldstream.DateOf(1996, 4, 1)},
			},
			Horizon: 5, Seed: &seed, Worker: "ridge", Calendar: "c0ffee",
			Key: foldstream.Key{{Name: "alpha", Value: alpha}}, Window: foldstream.Window{Index: i, Of: 5},
			Leak: foldstream.Certificate{Certified: true, Reach: foldstream.Ahead(6), Gap: 1},
		},
		Experiment: "e", Tags: map[string]string{"owner": "ann"},
		Data: []foldstream.Data{{Name: "prices", Path: "prices.csv", Digest: "d1", Size: 12}},
	}
}

func done(t *testing.T, p *pooled) foldstream.Result {
	t.Helper()
	d, n, err := p.Artifacts().Put(t.Context(), strings.NewReader("epoch 1\nepoch 2\n"))
	ok(t, err)
	return foldstream.Result{
		Metrics: map[string]float64{"ic": 0.05}, Code: "v1", Worker: "host-1", Duration: 1500 * time.Millisecond,
		Frames:    map[string]foldstream.Frame{"pred": {Times: []foldstream.Time{foldstream.DateOf(1996, 1, 2)}}},
		Artifacts: []foldstream.Artifact{{Name: "exec.log", Digest: d, Size: n}},
	}
}

func (p *pooled) tick() { p.now = p.now.Add(time.Second) }

func (p *pooled) fetch(t *testing.T) foldstream.Lease {
	t.Helper()
	l, err := p.Pool("p").Fetch(t.Context(), foldstream.Filter{})
	ok(t, err)
	return l
}

// run runs a command on the store, with nobody to be asked.
func (p *pooled) run(t *testing.T, args ...string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: p.Store}, args...)
}

func (p *pooled) must(t *testing.T, args ...string) string {
	t.Helper()
	r := p.run(t, args...)
	if r.code != 0 {
		t.Fatalf("%v: code %d: %s", args, r.code, r.stderr)
	}
	return r.stdout
}

func (p *pooled) status(t *testing.T, i int) foldstream.Status {
	t.Helper()
	s, err := p.Task(t.Context(), "p", task(i).ID)
	ok(t, err)
	return s.Status
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func id(i int) string { return string(task(i).ID) }

// says checks the code and a part of what a command says on either stream.
func (r ran) says(t *testing.T, code int, want string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.stdout+r.stderr, want) {
		t.Errorf("code %d, want %d; not %q but:\n%s%s", r.code, code, want, r.stdout, r.stderr)
	}
}

func TestChangesApplyToWhatTheyCan(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		verb   string
		past   string
		after  map[int]foldstream.Status
		change int
	}{
		"cancel": {[]string{"cancel"}, "cancel", "cancelled", map[int]foldstream.Status{0: "done", 1: "cancelled", 2: "failed", 3: "cancelled"}, 3},
		"remove": {[]string{"rm"}, "remove", "removed", map[int]foldstream.Status{0: "removed", 1: "removed", 2: "removed", 3: "removed"}, 5},
		"retry":  {[]string{"retry"}, "retry", "put back", map[int]foldstream.Status{0: "done", 1: "running", 2: "waiting", 3: "waiting"}, 1},
		"reset":  {[]string{"reset", "--force-live"}, "reset", "reset", map[int]foldstream.Status{0: "done", 1: "waiting", 2: "failed"}, 1},
		"live":   {[]string{"reset"}, "reset", "reset", map[int]foldstream.Status{1: "running"}, 0},
		"first":  {[]string{"prioritize"}, "prioritize", "moved to priority -3:", map[int]foldstream.Status{3: "waiting", 4: "waiting"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t)
			args := append(c.args, "p")
			if name == "first" {
				args = append(args, "-3")
			}
			args = append(args, "--all")
			p.run(t, append(args, "--dry-run")...).says(t, 0, fmt.Sprintf("p: would %s %d task", c.verb, c.change))
			if p.status(t, 3) != foldstream.Waiting || p.status(t, 1) != foldstream.Running || p.status(t, 2) != foldstream.Dead {
				t.Fatal("the dry run changed something")
			}
			if c.change > 1 {
				p.run(t, args...).says(t, 2, "add --force")
			}
			p.run(t, append(args, "-f")...).says(t, 0, fmt.Sprintf("p: %s %d task", c.past, c.change))
			for i, want := range c.after {
				if got := p.status(t, i); got != want {
					t.Errorf("task %d is %s, want %s", i, got, want)
				}
			}
			p.run(t, append(args, "-f")...).says(t, 0, "p: "+c.past+" 0 tasks") // it is idempotent
		})
	}
}

// By an expression each command changes the tasks that are meant and that it applies to: looks first, asks before more than one, and
// does it once.
func TestChangesWhere(t *testing.T) {
	for name, c := range map[string]struct {
		args, past string
		where      string
		meant      int                       // of six tasks, 2 and 3 of which failed, 4 and 5 wait, 1 runs and 0 is done
		after      map[int]foldstream.Status // of those it applies to
	}{
		"cancel":     {"cancel", "cancelled", "window >= 3", 3, map[int]foldstream.Status{4: "cancelled", 5: "cancelled"}},
		"remove":     {"remove", "removed", `status == "failed" or window == 0`, 3, map[int]foldstream.Status{0: "removed", 2: "removed", 3: "removed"}},
		"retry":      {"retry", "put back", "window < 4", 4, map[int]foldstream.Status{2: "waiting", 3: "waiting"}},
		"reset":      {"reset --force-live", "reset", "window < 2 or window == 5", 3, map[int]foldstream.Status{1: "waiting", 5: "waiting"}},
		"prioritize": {"prioritize", "moved to priority 7:", "window > 2", 3, map[int]foldstream.Status{4: "waiting", 5: "waiting"}},
		"dlq retry":  {"dlq retry", "put back", `error contains "no memory" or window == 0`, 3, map[int]foldstream.Status{2: "waiting", 3: "waiting"}},
		"dlq drop":   {"dlq drop", "dropped the dead letters of", "window > 0 and window < 5", 4, map[int]foldstream.Status{2: "failed", 3: "failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := sixTasks(t, name == "reset")
			args := append(strings.Fields(c.args), "p")
			if name == "prioritize" {
				args = append(args, "7")
			}
			args = append(args, "--where", c.where)
			before := p.statuses(t)
			left := fmt.Sprintf(" 2 tasks; %d left as they are\n", c.meant-2)
			if len(c.after) == 3 {
				left = " 3 tasks\n"
			}
			p.run(t, append(args, "--dry-run")...).says(t, 0, strings.TrimPrefix(left, " "))
			p.run(t, args...).says(t, 2, "add --force")
			env := &cli.Env{Store: p.Store, Asks: true, Stdin: strings.NewReader("n\n")}
			command(t, env, args...).says(t, 130, "not confirmed; nothing was changed")
			if diff := cmp.Diff(before, p.statuses(t)); diff != "" {
				t.Fatalf("something was changed by looking and asking:\n%s", diff)
			}
			p.run(t, append(args, "--force")...).says(t, 0, "p: "+c.past+left)
			for i, want := range before {
				if to, changed := c.after[i]; changed {
					want = to
				}
				if got := p.status(t, i); got != want {
					t.Errorf("task %d is %s, want %s", i, got, want)
				}
			}
		})
	}
}

// sixTasks is a pool "p": task 0 is done, 1 runs, 2 and 3 failed, 4 waits, 5 waits or runs.
func sixTasks(t *testing.T, run bool) *pooled {
	t.Helper()
	p := &pooled{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	p.Store = mem.New(mem.Options{Worker: "host-1", Now: func() time.Time { return p.now }})
	for i := range 6 {
		_, err := p.Pool("p").Create(t.Context(), task(i))
		ok(t, err)
		if i > 3 && (i != 5 || !run) {
			continue
		}
		l := p.fetch(t)
		if i == 5 { // it is task 4 that comes first
			next := p.fetch(t)
			ok(t, l.Return(t.Context(), nil, 0))
			l = next
		}
		switch i {
		case 0:
			ok(t, l.Commit(t.Context(), foldstream.Result{}))
		case 2, 3:
			ok(t, l.Fail(t.Context(), errors.New("no memory")))
		}
	}
	return p
}

func (p *pooled) statuses(t *testing.T) (all []foldstream.Status) {
	t.Helper()
	for s, err := range p.Tasks(t.Context(), "p") {
		ok(t, err)
		all = append(all, s.Status)
	}
	return all
}

func TestChangeOfOneAsksNobody(t *testing.T) {
	p := newPool(t)
	p.run(t, "cancel", "p", id(3), "--why", "no longer wanted").says(t, 0, "p: cancelled 1 task\n")
	p.run(t, "cancel", "p", id(3)).says(t, 0, "p: cancelled 0 tasks; 1 left as they are")
	p.run(t, "task", "history", "p", id(3)).says(t, 0, "no longer wanted")
	p.run(t, "retry", "p", "--where", `status == "cancelled"`).says(t, 0, "p: put back 1 task\n")
	if got := p.status(t, 3); got != foldstream.Waiting {
		t.Errorf("task 3 is %s", got)
	}
}

func TestChangeAsks(t *testing.T) {
	p := newPool(t)
	ask := func(answer string) ran {
		return command(t, &cli.Env{Store: p.Store, Asks: true, Stdin: strings.NewReader(answer)}, "cancel", "p", "--where", `status == "waiting"`)
	}
	for _, no := range []string{"n\n", "\n", ""} {
		ask(no).says(t, 130, "Cancel 2 tasks of pool p? [y/N]")
		if p.status(t, 3) != foldstream.Waiting {
			t.Fatalf("%q was taken for a yes", no)
		}
	}
	ask("Yes\n").says(t, 0, "cancelled 2 tasks")
}

// A person who interrupts instead of answering is not kept.
func TestChangeIsInterruptedWhileItAsks(t *testing.T) {
	p := newPool(t)
	ctx, cancel := context.WithCancel(t.Context())
	stdin, answers := io.Pipe()
	defer func() { ok(t, answers.Close()) }()
	env := &cli.Env{Store: p.Store, Asks: true, Stdin: stdin, Stdout: io.Discard, Stderr: onWrite(cancel)}
	if code := cli.Run(ctx, "foldstream", "", &cli.Foldstream{}, []string{"cancel", "p", "--all"}, env); code != 130 {
		t.Errorf("code %d", code)
	}
	if p.status(t, 3) != foldstream.Waiting {
		t.Error("something was cancelled")
	}
}

// onWrite is a terminal whose person does something at the first word.
type onWrite func()

func (f onWrite) Write(p []byte) (int, error) {
	f()
	return len(p), nil
}

func TestChangeRefuses(t *testing.T) {
	p := newPool(t)
	for want, args := range map[string][]string{
		"in one way: by their ids":      {"cancel", "p"},
		"in one way: by their ids, or":  {"cancel", "p", "--all", "--where", "true"},
		"unknown name stats":            {"cancel", "p", "--where", "stats == 1"},
		"neither a number from -9 to 9": {"prioritize", "p", "10", "--all"},
		"neither a number from -9 to":   {"prioritize", "p", "-10", "--all"},
		`pool "a b": a name is`:         {"cancel", "a b", "--all"},
	} {
		p.run(t, args...).says(t, 2, want)
	}
	for want, args := range map[string][]string{
		`there is no pool "q"`:                       {"cancel", "q", "--all"},
		"no task bbbbbbbbbbbbbbbbbbbbbbbbbb in pool": {"cancel", "p", "bbbbbbbbbbbbbbbbbbbbbbbbbb", id(3)},
	} {
		p.run(t, args...).says(t, 3, want)
	}
	if p.status(t, 3) != foldstream.Waiting {
		t.Error("a refused change changed something")
	}
}

func TestChangeForMachines(t *testing.T) {
	p := newPool(t)
	golden(t, "cancel_dry.json", p.must(t, "cancel", "p", "--all", "--dry-run", "--json"))
	golden(t, "cancel_dry.txt", p.must(t, "cancel", "p", "--all", "--dry-run"))
	var out struct{ Meant, Changed int }
	ok(t, json.Unmarshal([]byte(p.must(t, "cancel", "p", "--all", "--json", "-f")), &out))
	if out.Meant != 5 || out.Changed != 3 {
		t.Errorf("%+v", out)
	}
}

func TestPrioritizeToNone(t *testing.T) {
	p := newPool(t)
	p.run(t, "prioritize", "p", "none", "--all").says(t, 0, "p: moved to priority none: 1 task; 4 left")
	s, err := p.Task(t.Context(), "p", task(4).ID)
	ok(t, err)
	if s.Priority != nil {
		t.Errorf("its priority is %d", *s.Priority)
	}
}

// A store without administration is told from one with.
func TestStoreWithoutAdministration(t *testing.T) {
	bare := struct{ foldstream.Store }{newPool(t).Store}
	command(t, &cli.Env{Store: bare}, "cancel", "p", "--all").says(t, 1, "cannot be administered")
}
