package gen_test

import (
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
	"pgregory.net/rapid"
)

// TestChainsNeverLeak: in whatever order horizons and windows are made, a task passes Certify under refuse exactly where no day
// of its training reads its test, and with the cuts that the generators offer all of them pass. Each gets through Check.
func TestChainsNeverLeak(t *testing.T) {
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		w := worlds.Draw(t, "world")
		cal := w.rolling.Calendar
		w.rolling.RollFit, w.rolling.TruncReach = true, true
		horizon := gen.Horizon{Calendar: cal, Horizons: []int{rapid.IntRange(0, 5).Draw(t, "horizon"), 1}}
		alternatives := gen.Either(w.rolling, with(w.rolling, calendar.Sliding))
		chain := []foldstream.Generator{horizon, alternatives}
		if rapid.Bool().Draw(t, "windows first") {
			chain = []foldstream.Generator{alternatives, horizon}
		}
		out, err := gen.All([]foldstream.Template{w.template, w.template}, chain...)
		if err != nil {
			return
		}
		seen += len(out)
		for i := range out {
			leak := w.leaks(out[i])
			if out[i], err = gen.Certify(out[i], cal, foldstream.Refuse); err != nil || leak != "" {
				t.Fatalf("task %d, %s: the days say %q, certify %v", i, out[i].Key, leak, err)
			}
		}
		tasks, err := gen.Tasks(out)
		if err != nil {
			t.Fatal(err)
		}
		for i, task := range tasks {
			if err := gen.Check(task, cal); err != nil {
				t.Fatal(err)
			}
			if task.ID != tasks[(i+len(tasks)/2)%len(tasks)].ID {
				t.Fatalf("task %d: the two equal templates made tasks of two ids", i)
			}
		}
	})
	if seen < 100 {
		t.Errorf("only %d tasks were made", seen)
	}
}

func with(r gen.Rolling, mode calendar.Mode) gen.Rolling {
	r.Type = mode
	return r
}
