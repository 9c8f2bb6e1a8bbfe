package cli_test

import (
	"strings"
	"testing"

	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/stream/mem"
)

const goesOn = "../../../examples/online/experiment.yaml"

func (s submitter) online(t *testing.T, args ...string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: s.Store}, append([]string{"online"}, args...)...)
}

func TestOnlineRefuses(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{2, "generators has no rolling", []string{"init", write(t, t.TempDir()+"/one.yaml", oneTask(t))}},
		{2, "last: merge", []string{"init", "../../../examples/dow30/experiment.yaml"}},
		{2, "there is no file", []string{"init", "none.yaml"}},
		{2, "--session: 2001-01-03 is after the last session of history, 2001-01-02", []string{"init", goesOn, "--session", "2001-01-03"}},
		{2, "--session: ", []string{"init", goesOn, "--session", "noon"}},
		{2, "there is nothing to test yet", []string{"init", goesOn, "--session", "1998-06-01"}},
		{2, "--to 1999-06-01 is before --from 2000-06-30", []string{"simulate", goesOn, "--from", "2000-06-30", "--to", "1999-06-01"}},
		{3, `there is no strategy "ridge-online"`, []string{"routine", goesOn}},
		{3, `there is no strategy "nobody"`, []string{"show", "nobody"}},
		{2, `strategy "a b"`, []string{"show", "a b"}},
	} {
		s.online(t, c.args...).says(t, c.code, c.want)
	}
	if pools, err := s.Pools(t.Context()); err != nil || len(pools) != 0 {
		t.Errorf("what was refused made %v, %v", pools, err)
	}
	if r := s.online(t, "ls", "-n"); r.stdout != "" || r.code != 0 {
		t.Errorf("%+v", r)
	}
}

// A strategy that does not wait tells what is open; one that waits gives up when it is told to.
func TestOnlineDoesNotWait(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	begin := []string{"init", goesOn, "--session", "1999-03-01"}
	s.online(t, append(begin, "--no-wait")...).says(t, 0, "ridge-online: training: 4 of 4 tasks are open, 0 failed")
	s.online(t, append(begin, "--no-wait", "--json")...).says(t, 0, `"waits": "training"`)
	s.online(t, append(begin, "--for", "50ms")...).says(t, 6, "training: 4 of 4 tasks were open when the time ran out; say it again to go on")
	s.online(t, "init", goesOn, "--session", "1999-03-02", "--no-wait").says(t, 4, "it began at 1999-03-01, not at 1999-03-02")
	s.online(t, "routine", goesOn, "--session", "1999-02-01", "--no-wait").says(t, 2, "begins at 1999-03-01, after 1999-02-01")
	if r := s.online(t, "show", "ridge-online"); r.code != 0 || !strings.Contains(r.stdout, "none yet: no model is trained") {
		t.Errorf("%+v", r)
	}
	s.online(t, "ls", "-n").says(t, 0, "ridge-online\n")
	s.online(t, "rm", "ridge-online").says(t, 0, "ridge-online: removed")
	s.online(t, "rm", "ridge-online").says(t, 3, `there is no strategy "ridge-online"`)
	s.online(t, "init", goesOn, "--session", "1999-03-02", "--no-wait").says(t, 0, "4 of 4 tasks are open") // the same windows
}

// A routine that is ordered creates its tasks, comes back until they have ended, and takes the strategy to the day that it is due.
func TestScheduleOfARoutine(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	add := []string{"add", "daily", goesOn, "--online", "--every", "24h"}
	s.schedule(t, add...).says(t, 3, `there is no strategy "ridge-online"`)
	s.schedule(t, append(add, "--freeze")...).says(t, 2, "are about submitting an experiment")
	s.schedule(t, "add", "daily", small, "--online", "--every", "24h").says(t, 2, "last: merge")
	s.online(t, "init", goesOn, "--session", "2000-12-01", "--no-wait").says(t, 0, "48 of 48 tasks are open")
	s.schedule(t, add...).says(t, 0, "daily: every 24h0m0s, next at ")
	s.serve(t)
	s.schedule(t, "run-now", "daily").says(t, 0, "due now")
	within(t, "an order that waits for its tasks", func() bool {
		got := s.shown(t, "daily")
		return got.Last != nil && strings.Contains(got.Last.Error, "48 of 48 tasks are open") && got.Due != nil && got.Last.Ended == nil
	})
	if got := s.shown(t, "daily"); !strings.HasSuffix(got.Order["routine of"], "examples/online/experiment.yaml") {
		t.Errorf("%+v", got)
	}
}
