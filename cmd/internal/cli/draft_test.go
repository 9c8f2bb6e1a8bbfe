package cli_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/stream/mem"
)

// madeOf is what task add and task replace tell machines.
type madeOf struct {
	Tasks   []madeTask
	Task    madeTask
	Members []struct{ Experiment string } `json:"member_of"`
}

type madeTask struct {
	ID     foldstream.TaskID
	Key    map[string]string
	Status foldstream.Status
	New    bool
	Leak   struct{ Gap int }
}

// oneTask is an experiment file of one task: one without generators.
func oneTask(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(small)
	ok(t, err)
	one, _, _ := strings.Cut(strings.Replace(string(text), "name: small", "name: one", 1), "generators:")
	here, err := os.Getwd()
	ok(t, err)
	one = strings.ReplaceAll(one, "../../../examples", here+"/../../../examples")
	return strings.Replace(one, "1995-12-29", "1995-12-01", 2) + "leaks: {policy: refuse, reach: 2}\n"
}

// drafted submits the small experiment to a store in memory and returns its first task.
func drafted(t *testing.T) (submitter, foldstream.TaskID) {
	t.Helper()
	s := submitter{mem.New(mem.Options{})}
	return s, s.tell(t, "--print-new").NewTasks[0]
}

func (s submitter) task(t *testing.T, args ...string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: s.Store}, append([]string{"task"}, args...)...)
}

func (s submitter) made(t *testing.T, args ...string) (out madeOf) {
	t.Helper()
	r := s.task(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || r.code != 0 {
		t.Fatalf("%v: %v: %+v", args, err, r)
	}
	return out
}

func (s submitter) total(t *testing.T, pool string) int {
	t.Helper()
	counts, err := s.Pool(pool).Stat(t.Context())
	ok(t, err)
	return counts.Total()
}

func TestAddFromATask(t *testing.T) {
	s, first := drafted(t)
	dry := s.made(t, "add", "small", "--from", string(first), "-S", "model.kwargs.alpha=2,3", "--dry-run")
	if len(dry.Tasks) != 2 || !dry.Tasks[0].New || s.total(t, "small") != 120 {
		t.Fatalf("the dry run: %+v, %d tasks", dry, s.total(t, "small"))
	}
	got := s.made(t, "add", "small", "--from", string(first), "-S", "model.kwargs.alpha=2,3", "--priority", "-3", "--tag", "why=curious")
	if len(got.Tasks) != 2 || got.Tasks[1].ID != dry.Tasks[1].ID || got.Tasks[1].Key["alpha"] != "3" || got.Tasks[1].Leak.Gap != 1 || s.total(t, "small") != 122 {
		t.Errorf("%+v", got)
	}
	state, err := s.Task(t.Context(), "small", got.Tasks[0].ID)
	ok(t, err)
	if state.Priority == nil || *state.Priority != -3 || state.Tags["why"] != "curious" || len(state.Data) != 1 || state.Worker != "" {
		t.Errorf("%+v", state)
	}
	s.task(t, "add", "small", "--from", string(first), "-S", "model.kwargs.alpha=2,5").says(t, 0, "small: added 2 tasks: 1 new, 1 known")
	s.task(t, "add", "small", "--from", string(first)).says(t, 0, "small: added 1 task: 0 new, 1 known")
	s.task(t, "add", "other", "--from", string(first)).says(t, 3, "no task "+string(first)+" in pool other")
}

func TestAddFromAFile(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	text := oneTask(t)
	file := write(t, t.TempDir()+"/one.yaml", text)
	s.task(t, "add", "p", file, "-S", "model.kwargs.alpha=range(1,4)").says(t, 0, "p: added 3 tasks: 3 new, 0 known")
	env := &cli.Env{Store: s.Store, Stdin: strings.NewReader(text)}
	command(t, env, "task", "add", "p", "-").says(t, 0, "p: added 1 task: 0 new, 1 known") // alpha is 1 in the file
	if list := s.total(t, "p"); list != 3 {
		t.Errorf("%d tasks", list)
	}
	if pools, err := s.Pools(t.Context()); err != nil || len(pools) != 1 {
		t.Errorf("pools %v, %v", pools, err)
	}
	env = &cli.Env{Store: s.Store, Stdin: strings.NewReader("nome: x\n")}
	command(t, env, "task", "add", "p", "-").says(t, 2, `stdin:1:1: nome: unknown key (did you mean "name"?)`)
	l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
	ok(t, err)
	if _, err := s.Artifacts().Stat(t.Context(), l.Task().Data[0].Digest); err != nil {
		t.Errorf("the data were not uploaded: %v", err)
	}
	if _, err := s.Artifacts().Stat(t.Context(), foldstream.Digest(l.Task().Calendar)); err != nil {
		t.Errorf("the calendar was not: %v", err)
	}
}

func TestAddRefuses(t *testing.T) {
	s, first := drafted(t)
	from := []string{"add", "small", "--from", string(first)}
	for want, args := range map[string][]string{
		`did you mean "model.kwargs.alpha"`:                    append(from, "-S", "model.kwargs.aplha=2"),
		"training before the test from 1996-01-02 is not safe": append(from, "-S", "segments.train.1=1995-12-29"),
		"say what to start from in one way":                    {"add", "small"},
		"say what to start from in one way:":                   append(from, small),
		`pool "a b"`:                                           {"add", "a b", small},
		"there is no file":                                     {"add", "small", "none.yaml"},
		"priority \"10\"":                                      append(from, "--priority", "10"),
		"2030-01-02 is out of the calendar":                    append(from, "-S", "segments.test=[2030-01-02,null]"),
	} {
		s.task(t, args...).says(t, 2, want)
	}
	if s.total(t, "small") != 120 {
		t.Error("something was added")
	}
}

func TestReplace(t *testing.T) {
	s, first := drafted(t)
	added := s.made(t, "add", "small", "--from", string(first), "-S", "model.kwargs.alpha=2").Tasks[0].ID // no member of any collection
	dry := s.made(t, "replace", "small", string(added), "-S", "model.kwargs.alpha=3", "--dry-run")
	if state, err := s.Task(t.Context(), "small", added); err != nil || state.Status != foldstream.Waiting || !dry.Task.New {
		t.Fatalf("the dry run: %+v, %v", state, err)
	}
	got := s.made(t, "replace", "small", string(added), "-S", "model.kwargs.alpha=3", "--why", "a slip")
	if got.Task.ID != dry.Task.ID || !got.Task.New || got.Task.Key["alpha"] != "3" || len(got.Members) != 0 {
		t.Errorf("%+v", got)
	}
	s.task(t, "history", "small", string(added)).says(t, 0, "replaced by "+string(got.Task.ID)+": a slip")
	s.task(t, "show", "small", string(got.Task.ID)).says(t, 0, "replaces       "+string(added))
	s.task(t, "replace", "small", string(added), "-S", "model.kwargs.alpha=3").says(t, 0, "which was removed, by "+string(got.Task.ID)+": 0 new, 1 known")
	s.task(t, "replace", "small", string(added), "-S", "model.kwargs.alpha=4").says(t, 4, "was replaced by task "+string(got.Task.ID))
	s.task(t, "replace", "small", string(got.Task.ID), "--from", string(first), "-S", "seed=5").says(t, 0, "1 new, 0 known")
}

// What is a member of a collection is taken from it only by who says so.
func TestReplaceOfAMember(t *testing.T) {
	s, first := drafted(t)
	args := []string{"replace", "small", string(first), "-S", "model.kwargs.alpha=2"}
	s.task(t, args...).says(t, 4, "is a member of the collection of small (alpha=1,horizon=1,rolling=expanding, window 1 of 20), which would lack it for ever")
	if state, err := s.Task(t.Context(), "small", first); err != nil || state.Status != foldstream.Waiting {
		t.Fatalf("it is %s, %v", state.Status, err)
	}
	s.task(t, append(args, "--dry-run")...).says(t, 4, "--force")
	s.task(t, append(args, "--force")...).says(t, 0, "small lacks it from now on: alpha=1,horizon=1,rolling=expanding, window 1 of 20")
	if state, err := s.Task(t.Context(), "small", first); err != nil || state.Status != foldstream.Removed {
		t.Fatalf("it is %s, %v", state.Status, err)
	}
}

func TestReplaceRefuses(t *testing.T) {
	s, first := drafted(t)
	id := string(first)
	for want, args := range map[string][]string{
		"nothing of the content of task " + id:     {"replace", "small", id},
		"it is the same task":                      {"replace", "small", id, "-S", "model.kwargs.alpha=1.0"},
		"one task takes the place of one, not 2":   {"replace", "small", id, "-S", "model.kwargs.alpha=2,3"},
		"one task takes the place of one, not 120": {"replace", "small", id, small},
	} {
		s.task(t, args...).says(t, 2, want)
	}
	s.task(t, "replace", "small", strings.Repeat("b", 26), "-S", "seed=1").says(t, 3, "no task")
	if s.total(t, "small") != 120 {
		t.Error("something was replaced")
	}
}
