package cli_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/stream/mem"
)

// A straggler is what runs for much longer than its like did: its configuration with the nearest training, or all where nothing is known of
// that. Of several the one that runs for the longest comes first, each once, and none is looked for before the floor, or here.
func TestStragglers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mem.New(mem.Options{})
		pool := s.Pool("p")
		took := []time.Duration{2, 20, 40} // of configuration 1 with 100, 200 and 400 days
		past := []foldstream.Task{lasting(0, "1", 100), lasting(1, "1", 200), lasting(2, "1", 400)}
		now := []foldstream.Task{lasting(3, "1", 110), lasting(4, "1", 390), lasting(5, "2", 100)}
		now[2].Stages = []string{"fit", "score"}
		_, err := pool.Create(t.Context(), append(past, now...)...)
		ok(t, err)
		for _, d := range took {
			l, err := pool.Fetch(t.Context(), foldstream.Filter{})
			ok(t, err)
			ok(t, l.Commit(t.Context(), foldstream.Result{Duration: d * time.Second}))
		}
		var first []foldstream.Lease
		for range now {
			l, err := pool.Fetch(t.Context(), foldstream.Filter{})
			ok(t, err)
			first = append(first, l)
			<-time.After(time.Millisecond)
		}
		elsewhere := cli.Straggling(s, "p", "other", 3)
		finds := func(second string, find func() (foldstream.Lease, error), want ...int) {
			t.Helper()
			for _, i := range want {
				l, err := find()
				if err != nil || l.Task().ID != now[i].ID {
					t.Fatalf("%s: not task %d: %v, %v", second, i, l, err)
				}
				ok(t, l.Return(t.Context(), nil, 0))
			}
			if l, err := find(); !foldstream.Is(err, foldstream.NotFound) {
				t.Errorf("%s: found more: %v, %v", second, l, err)
			}
		}
		look := func() (foldstream.Lease, error) { return elsewhere(t.Context(), foldstream.Filter{}) }
		<-time.After(5900 * time.Millisecond)
		finds("5.9 s, less than three times 2", look)
		<-time.After(200 * time.Millisecond)
		finds("6.1 s", look, 0)
		<-time.After(50 * time.Second)
		finds("56 s, and what was tried is left alone", look)
		<-time.After(80 * time.Second) // 136 s: more than three times 40
		finds("136 s", look, 0, 1)
		here := cli.Straggling(s, "p", "local", 3)
		finds("here", func() (foldstream.Lease, error) { return here(t.Context(), foldstream.Filter{}) })
		ok(t, first[0].Commit(t.Context(), foldstream.Result{Duration: time.Second}))

		// A task of two stages: nobody knows how long the first one takes.
		third := cli.Straggling(s, "p", "third", 3)
		finds("no experience with the stage", func() (foldstream.Lease, error) { return third(t.Context(), foldstream.Filter{}) }, 1)
	})
}

// What has no like is measured by the median of all, once there are some.
func TestStragglers_Median(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mem.New(mem.Options{})
		pool := s.Pool("p")
		_, err := pool.Create(t.Context(), lasting(0, "1", 1), lasting(1, "2", 1), lasting(2, "3", 1), lasting(3, "4", 1))
		ok(t, err)
		var leases []foldstream.Lease
		for range 4 {
			l, err := pool.Fetch(t.Context(), foldstream.Filter{})
			ok(t, err)
			leases = append(leases, l)
		}
		find := cli.Straggling(s, "p", "other", 2)
		<-time.After(30 * time.Second)
		for i, d := range []time.Duration{1, 100, 10} {
			if _, err := find(t.Context(), foldstream.Filter{}); !foldstream.Is(err, foldstream.NotFound) {
				t.Errorf("found by %d results: %v", i, err)
			}
			ok(t, leases[i].Commit(t.Context(), foldstream.Result{Duration: d * time.Second}))
		}
		l, err := find(t.Context(), foldstream.Filter{})
		if err != nil || l.Task().ID != leases[3].Task().ID {
			t.Errorf("30 s is more than twice 10 s: %v", err)
		}
	})
}

// A second copy is told apart from the first while it runs, and when it was first.
func TestSecondCopyIsTold(t *testing.T) {
	p := newPool(t)
	l, err := p.Second(t.Context(), "p", foldstream.TaskID(id(1)), foldstream.Filter{})
	ok(t, err)
	for want, args := range map[string][]string{" 1, second copy ": {"workers", "ls"}, `"second": true`: {"workers", "ls", "--json"}} {
		if got := p.must(t, args...); strings.Count(got, want) != 1 || strings.Count(got, id(1)) != 2 {
			t.Errorf("%v:\n%s", args, got)
		}
	}
	ok(t, l.Commit(t.Context(), foldstream.Result{}))
	for want, args := range map[string][]string{
		"by a second copy, which was first": {"task", "history", "p", id(1)}, `"second": true`: {"explain", "p", id(1), "--json"},
	} {
		if got := p.must(t, args...); strings.Count(got, want) != 1 {
			t.Errorf("%v:\n%s", args, got)
		}
	}
}

func TestStragglers_Flag(t *testing.T) {
	for _, times := range []string{"0.5", "-1", "NaN", "some"} {
		command(t, &cli.Env{}, "consumer", "run", "--pool", "p", "--stragglers="+times).says(t, 2, "--stragglers")
	}
}
