package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

func TestListings(t *testing.T) {
	p := newPool(t)
	for file, args := range map[string][]string{
		"task_ls.txt":        {"task", "ls", "p"},
		"task_ls.ndjson":     {"task", "list", "p", "--json", "--where", "window < 2"},
		"task_show.txt":      {"task", "show", "p", id(4)},
		"task_show.json":     {"task", "get", "p", id(2), "--json"},
		"task_history.txt":   {"task", "history", "p", id(2)},
		"task_history.json":  {"task", "history", "p", id(0), "--json"},
		"explain_failed.txt": {"explain", "p", id(2)},
		"pool_ls.txt":        {"pool", "ls"},
		"pool_show.txt":      {"pool", "show", "p"},
		"pool_show.json":     {"pool", "info", "p", "--json"},
		"dlq_ls.txt":         {"dlq", "ls", "p"},
		"dlq_ls.ndjson":      {"dlq", "ls", "p", "--json"},
		"dlq_show.txt":       {"dlq", "show", "p", id(2)},
		"dlq_show.json":      {"dlq", "view", "p", id(2), "--json"},
		"workers_ls.txt":     {"workers", "ls"},
		"workers_ls.json":    {"workers", "list", "--json"},
		"verify.txt":         {"verify", "p"},
		"verify.json":        {"verify", "p", "--json"},
	} {
		golden(t, file, p.must(t, args...))
	}
}

func TestListNames(t *testing.T) {
	p := newPool(t)
	for want, args := range map[string][]string{
		id(3) + "\n" + id(4) + "\n": {"task", "ls", "p", "-n", "--status", "waiting"},
		id(1) + "\n" + id(2) + "\n": {"task", "ls", "p", "-n", "--status", "running,failed"},
		id(0) + "\n" + id(1) + "\n": {"task", "ls", "p", "-n", "--limit", "2"},
		id(2) + "\n":                {"task", "ls", "p", "-n", "--limit", "1", "--after", id(1)},
		id(4) + "\n":                {"task", "ls", "p", "-n", "--where", "priority > 0"},
		"":                          {"task", "ls", "p", "-n", "--after", id(4)},
		"p\n":                       {"pool", "ls", "-n"},
		id(2) + "\n" + "":           {"dlq", "ls", "p", "-n"},
		"host-1\n":                  {"workers", "ls", "-n"},
	} {
		if got := p.must(t, args...); got != want {
			t.Errorf("%v: %q, not %q", args, got, want)
		}
	}
	p.run(t, "task", "ls", "p", "--status", "broken").says(t, 2, "--status")
	p.run(t, "task", "ls", "p", "--limit", "-1").says(t, 2, "--limit")
	p.run(t, "task", "ls", "p", "--after", strings.Repeat("b", 26)).says(t, 3, "no task")
	p.run(t, "task", "ls", "q").says(t, 3, `no pool "q"`)
}

// A long table comes in pages, each with its header, and no row is lost between them.
func TestListPages(t *testing.T) {
	store := mem.New(mem.Options{})
	var tasks []foldstream.Task
	for i := range 1001 {
		n := task(0)
		n.ID = foldstream.TaskID(fmt.Sprintf("%s%c%c", strings.Repeat("a", 24), 'a'+rune(i%26), 'a'+rune(i/26%26)))
		if i >= 676 {
			n.ID = "b" + n.ID[1:]
		}
		tasks = append(tasks, n)
	}
	_, err := store.Pool("p").Create(t.Context(), tasks...)
	ok(t, err)
	out := command(t, &cli.Env{Store: store}, "task", "ls", "p").stdout
	if headers, rows := strings.Count(out, "configuration"), strings.Count(out, " waiting "); headers != 3 || rows != 1001 {
		t.Errorf("%d headers, %d rows", headers, rows)
	}
}

func TestLogs(t *testing.T) {
	p := newPool(t)
	if got := p.must(t, "task", "logs", "p", id(0)); got != "epoch 1\nepoch 2\n" {
		t.Errorf("of a result: %q", got)
	}
	if got := p.must(t, "task", "logs", "p", id(2)); got != "attempt 1 on host-1: out of memory\nlast line of the log\n" {
		t.Errorf("of a failure: %q", got)
	}
	p.run(t, "task", "logs", "p", id(3)).says(t, 3, "logged nothing")
	var out struct{ Log string }
	ok(t, json.Unmarshal([]byte(p.must(t, "task", "logs", "p", id(0), "--json")), &out))
	if out.Log != "epoch 1\nepoch 2\n" {
		t.Errorf("%+v", out)
	}
}

// member makes task 0 the only member of an experiment on the pool.
func member(t *testing.T, p *pooled, name, pool string) {
	t.Helper()
	m := task(0)
	e := foldstream.Experiment{Name: name, Pool: pool, Calendar: "c0ffee", Expected: 1, Created: p.now}
	ok(t, record.PutExperiment(context.Background(), p.Store, e,
		[]foldstream.Expectation{{Key: m.Key, Window: m.Window, Test: m.Segments["test"], Task: m.ID}}, foldstream.DateOf(1996, 1, 2)))
}

func TestExplain(t *testing.T) {
	p := newPool(t)
	member(t, p, "mine", "p")
	member(t, p, "other", "elsewhere")
	golden(t, "explain_done.txt", p.must(t, "explain", "p", id(0)))
	golden(t, "explain_done.json", p.must(t, "explain", "p", id(0), "--json"))
	for i, want := range map[int]string{0: "its result stands", 1: "is running already", 2: "retry-failed", 3: "is waiting already"} {
		p.run(t, "explain", "p", id(i)).says(t, 0, want)
	}
	p.must(t, "cancel", "p", id(3))
	p.run(t, "explain", "p", id(3)).says(t, 0, "submit --again")
	p.must(t, "rm", "p", id(0))
	p.run(t, "explain", "p", id(0)).says(t, 0, "begins a new life")
	p.run(t, "explain", "p", id(0)).says(t, 0, "result         none")
}

func TestPoolSettings(t *testing.T) {
	p := newPool(t)
	p.run(t, "pause", "p").says(t, 0, "p: paused, limits: none\n")
	if s, err := p.Settings(t.Context(), "p"); err != nil || !s.Paused {
		t.Errorf("%+v, %v", s, err)
	}
	p.run(t, "pause", "p").says(t, 0, "p: paused")
	p.run(t, "pool", "set", "p", "--limit", "4", "--key-limit", "gpu=1", "--key-limit", "licence=2").says(t, 0, "p: paused, limits: 4, gpu=1, licence=2\n")
	p.run(t, "pool", "ls").says(t, 0, "│ 4, gpu=1, licence=2 │")
	p.run(t, "pool", "set", "p", "--limit", "0", "--key-limit", "gpu=0").says(t, 0, "p: paused, limits: licence=2\n")
	p.run(t, "resume", "p").says(t, 0, "p: active, limits: licence=2\n")
	p.run(t, "pool", "set", "new", "--limit", "3").says(t, 0, "new: active, limits: 3\n") // before its first task
	p.run(t, "pool", "set", "p").says(t, 2, "nothing to set")
	p.run(t, "pool", "set", "p", "--limit", "-1").says(t, 2, "--limit")
	p.run(t, "pool", "set", "p", "--key-limit", "gpu=-1").says(t, 2, "--key-limit gpu=-1")
	p.run(t, "pause", "q").says(t, 3, `no pool "q"`)
}

func TestVerifyAndRepair(t *testing.T) {
	p := newPool(t)
	ok(t, p.DeleteTicket("p", task(3).ID))
	r := p.run(t, "verify", "p")
	r.says(t, 5, id(3)+": it is waiting and has no ticket")
	r.says(t, 5, "p is not conserved: 1 faults")
	p.run(t, "verify", "p", "--repair").says(t, 5, "not conserved") // nothing is repaired that may be on its way
	p.now = p.now.Add(21e9)
	p.run(t, "verify", "p", "--repair").says(t, 0, "p: repaired 1 task\n")
	p.run(t, "verify", "p").says(t, 0, "0 faults")
}

// unbalanced is a store whose books do not sum up.
type unbalanced struct{ *mem.Store }

func (u unbalanced) Verify(ctx context.Context, pool string) (foldstream.Conservation, error) {
	c, err := u.Store.Verify(ctx, pool)
	c.Created++
	return c, err
}

func TestVerifySums(t *testing.T) {
	command(t, &cli.Env{Store: unbalanced{newPool(t).Store}}, "verify", "p", "--json").says(t, 5, "6 tasks were created, the statuses sum up to 5")
}

func TestDeadLetters(t *testing.T) {
	p := newPool(t)
	p.run(t, "dlq", "show", "p", id(0)).says(t, 3, "has no dead letter: it is done")
	p.run(t, "dlq", "drop", "p", "--all", "--dry-run").says(t, 0, "p: would drop 1 task; 4 left")
	p.run(t, "dlq", "drop", "p", "--all").says(t, 0, "p: dropped the dead letters of 1 task; 4 left")
	p.run(t, "dlq", "drop", "p", id(2)).says(t, 0, "of 0 tasks")
	if got := p.status(t, 2); got != foldstream.Dead {
		t.Errorf("the task is %s", got)
	}
	if got := p.must(t, "dlq", "ls", "p", "-n"); got != "" {
		t.Errorf("left: %s", got)
	}
	p.run(t, "dlq", "retry", "p", "--all").says(t, 0, "p: put back 0 tasks; 5 left") // its letter was dropped
	p.run(t, "retry", "p", "--all").says(t, 0, "p: put back 1 task; 4 left")
}
