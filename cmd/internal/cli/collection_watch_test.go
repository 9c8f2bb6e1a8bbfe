package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/collect"
)

// watched runs collection watch while three results come, a second apart, and returns what it wrote.
func watched(t *testing.T, env *cli.Env, fail bool, args ...string) ran {
	t.Helper()
	s := newFlawed(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- (&collect.Aggregator{Store: s.Store, ID: "a"}).Run(ctx) }()
	env.Store = s.Store
	out := make(chan ran)
	go func() { out <- command(t, env, append([]string{"collection", "watch", "flawed"}, args...)...) }()
	for i, days := range [][]string{{"02", "03"}, {"04", "05"}, {"08", "09"}} {
		<-time.After(time.Second)
		if fail && i == 1 {
			s.fail(t)
			continue
		}
		s.result(t, "v1", days...)
	}
	r := <-out
	stop()
	ok(t, <-ended)
	return r
}

// Every change is told within a second, as an object a line, and the command ends with the collection.
func TestCollectionWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		r := watched(t, &cli.Env{}, false, "--json")
		if took := time.Since(begin); r.code != 0 || took > 4*time.Second {
			t.Errorf("code %d after %v: %s", r.code, took, r.stderr)
		}
		var seen []int
		for line := range strings.Lines(r.stdout) {
			var c counts
			ok(t, json.Unmarshal([]byte(line), &c))
			if c.Experiment != "flawed" || c.Expected != 3 || c.Coverage != float64(c.Present)/3 || c.Settled != (c.Present == 3) {
				t.Errorf("%+v", c)
			}
			seen = append(seen, c.Present)
		}
		for i, n := range seen {
			if i > 0 && n < seen[i-1] || i == len(seen)-1 && n != 3 {
				t.Errorf("it told of %v members", seen)
			}
		}
		if len(seen) < 4 {
			t.Errorf("it told of %v members", seen)
		}
	})
}

func TestCollectionWatchEndsWithFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watched(t, &cli.Env{}, true).says(t, 5, "flawed: 2 of 3 members (66.7 %), 1 failed\n")
	})
}

// A terminal has one line, which is written over, and standard output the last.
func TestCollectionWatchOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var terminal bytes.Buffer
		r := watched(t, &cli.Env{TTY: true, Terminal: &terminal}, false)
		if r.code != 0 || r.stdout != "flawed: 3 of 3 members (100.0 %), 0 failed\n" {
			t.Errorf("code %d: %q", r.code, r.stdout)
		}
		if got := terminal.String(); strings.Contains(got, "\n") || !strings.Contains(got, "\r\x1b[Kflawed: 1 of 3 members (33.3 %), 0 failed\r\x1b[K") {
			t.Errorf("the terminal got %q", got)
		}
	})
}

func TestCollectionWatchRefuses(t *testing.T) {
	s := newFlawed(t)
	s.run(t, "collection", "watch", "nobody").says(t, 3, `no experiment "nobody"`)
	s.run(t, "collection", "watch").says(t, 2, "EXPERIMENT")
}
