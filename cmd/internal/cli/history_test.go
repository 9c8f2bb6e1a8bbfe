package cli_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/stream/mem"
)

// lasting is a task of a configuration with so many days of training.
func lasting(i int, alpha string, days int) foldstream.Task {
	t := task(i)
	t.Key = foldstream.Key{{Name: "alpha", Value: alpha}}
	t.Segments["train"] = foldstream.Segment{Start: foldstream.DateOf(2000, 1, 1), End: foldstream.DateOf(2000, 1, 1+days)}
	return t
}

// A task is expected to take as long as those of its configuration with the nearest training period; where there are none, as those of all.
func TestExpectedDurations(t *testing.T) {
	s := mem.New(mem.Options{})
	past := []foldstream.Task{lasting(0, "1", 100), lasting(1, "1", 100), lasting(2, "1", 200), lasting(3, "2", 100), lasting(4, "2", 300)}
	for i, task := range past {
		_, err := s.Pool("p").Create(t.Context(), task)
		ok(t, err)
		l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		if i == 4 {
			ok(t, l.Return(t.Context(), nil, time.Hour)) // no result
			continue
		}
		ok(t, l.Commit(t.Context(), foldstream.Result{Duration: []time.Duration{2, 4, 10, 30}[i] * time.Second}))
	}
	for i, c := range []struct {
		alpha string
		days  int
		want  time.Duration
	}{
		{"1", 100, 3}, {"1", 120, 3}, {"1", 150, 3}, {"1", 151, 10}, {"1", 900, 10}, {"2", 300, 30}, {"3", 100, 12}, {"3", 190, 10},
	} {
		got, n, err := cli.Expected(t.Context(), s, "p", past, lasting(9, c.alpha, c.days))
		if err != nil || got != c.want*time.Second || n != 4 {
			t.Errorf("%d: %v by %d results, want %v: %v", i, got, n, c.want*time.Second, err)
		}
	}
}

// The time left is known by how long the tasks that are left took before, the urgent ones being done first, and by the rate where nothing is known.
func TestTimeLeftByExperience(t *testing.T) {
	s := mem.New(mem.Options{})
	tasks := []foldstream.Task{lasting(0, "1", 100), lasting(1, "1", 200), lasting(2, "1", 100), lasting(3, "1", 200)}
	nine := 9
	tasks[3].Priority = &nine
	_, err := s.Pool("p").Create(t.Context(), tasks...)
	ok(t, err)
	says := func(want string, elapsed time.Duration, done, left, running int) {
		t.Helper()
		if got, err := cli.Pace(t.Context(), s, "p", elapsed, done, left, running); err != nil || got != want {
			t.Errorf("%d done, %d left, %d running: %q, want %q: %v", done, left, running, got, want, err)
		}
	}
	says("00:10<00:20, 0.1/s", 10*time.Second, 1, 2, 1) // no experience
	says("00:00<?", 0, 0, 4, 1)
	for _, seconds := range []time.Duration{60, 10} { // the urgent one, of 200 days, and one of 100
		l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		ok(t, l.Commit(t.Context(), foldstream.Result{Duration: seconds * time.Second}))
	}
	says("00:10<01:10, 0.2/s", 10*time.Second, 2, 2, 1) // 60 s and 10 s are left
	says("00:10<00:35, 0.2/s", 10*time.Second, 2, 2, 2)
	says("00:10<00:10, 0.3/s", 10*time.Second, 3, 1, 8) // one task is worked by one
	says("00:00<02:20", 0, 0, 4, 1)
	says("00:10<00:10, 0.2/s", 10*time.Second, 2, 2, 0) // nobody works
}

// A replay keeps the order of the recorded tasks, unless the longest are to be first, those of a priority among themselves. Repeated in the other order
// it is the same.
func TestReplayLongestFirst(t *testing.T) {
	s := recorded(t)
	var took []foldstream.TaskID
	for i := range 10 {
		l, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		took = append(took, l.Task().ID)
		ok(t, l.Commit(t.Context(), foldstream.Result{Duration: time.Duration(1+i) * time.Second}))
	}
	order := func(pool string) (ids []foldstream.TaskID, expected []time.Duration) {
		t.Helper()
		var past []foldstream.Task
		for task, err := range s.Definitions(t.Context(), "small") {
			ok(t, err)
			past = append(past, task)
		}
		for task, err := range s.Definitions(t.Context(), pool) {
			ok(t, err)
			d, _, err := cli.Expected(t.Context(), s, "small", past, task)
			ok(t, err)
			ids, expected = append(ids, task.ID), append(expected, d)
		}
		return ids, expected
	}
	recordedOrder, _ := order("small")
	replayed(t, s, "small", "--as", "fifo").says(t, 0, "120 new")
	if ids, _ := order("fifo"); !slices.Equal(ids, recordedOrder) {
		t.Error("a replay has another order")
	}
	replayed(t, s, "small", "--as", "longest", "--longest-first").says(t, 0, "120 new")
	ids, expected := order("longest")
	if !slices.IsSortedFunc(expected, func(a, b time.Duration) int { return cmp.Compare(b, a) }) || len(ids) != len(recordedOrder) || slices.Equal(ids, recordedOrder) {
		t.Errorf("expected are %v; the first that were worked are %v", expected, took)
	}
	replayed(t, s, "small", "--as", "longest").says(t, 0, "0 new, 120 known")
}

func TestReplayTellsItsCost(t *testing.T) {
	s := recorded(t)
	for range 10 {
		l, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		ok(t, l.Commit(t.Context(), foldstream.Result{Duration: 3 * time.Second}))
	}
	replayed(t, s, "small", "--dry-run").says(t, 0, fmt.Sprintf("small-2: about %v of work, by 10 results\n", 6*time.Minute))
	replayed(t, s, "small", "--dry-run", "--sample", "3").says(t, 0, "small-2: about 9s of work, by 10 results\n")
}
