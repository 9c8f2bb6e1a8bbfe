//go:build unix

package work

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
)

// commandError is how a shell command ended.
func commandError(t *testing.T, script string) error {
	t.Helper()
	err := exec.Command("sh", "-c", script).Run()
	if err == nil {
		t.Fatalf("%q succeeds", script)
	}
	return fmt.Errorf("the command: %w", err)
}

func TestDecide(t *testing.T) {
	broken := errors.New("broken: no such column")
	exit3, killed := commandError(t, "exit 3"), commandError(t, "kill -9 $$")
	away := foldstream.Errorf(foldstream.Unavailable, "get", "no server")
	silence := classed{"silence", foldstream.Errorf(foldstream.Timeout, "", "quiet")}
	const s = time.Second
	type retry = foldstream.Retry
	for name, c := range map[string]struct {
		err     error
		attempt int
		retry   retry
		want    Decision // Why apart
		why     string   // a part of it; "" is none
	}{
		"done":                    {nil, 1, retry{}, Decision{Action: Commit}, ""},
		"lost":                    {lost{broken}, 1, retry{Never: []string{"/./"}}, Decision{Action: Drop}, ""},
		"stop":                    {fmt.Errorf("x: %w", errStopped), 3, retry{Never: []string{"/./"}}, Decision{Action: PutOff}, ""},
		"first of three":          {broken, 1, retry{}, Decision{Action: Again, Least: s / 2, Most: s}, "broken"},
		"second of three":         {broken, 2, retry{}, Decision{Action: Again, Least: s, Most: 2 * s}, "broken"},
		"third of three":          {broken, 3, retry{}, Decision{Action: Fail}, "attempt 3 of 3: broken"},
		"ceiling":                 {broken, 40, retry{Attempts: 99, Ceiling: 8 * s}, Decision{Action: Again, Least: 4 * s, Most: 8 * s}, "broken"},
		"permanent":               {foldstream.Permanent(broken), 1, retry{}, Decision{Action: Fail}, "broken"},
		"permanent beats always":  {foldstream.Permanent(broken), 1, retry{Always: []string{"/broken/"}}, Decision{Action: Fail}, "broken"},
		"snooze":                  {foldstream.Snooze(7*s, "later"), 3, retry{}, Decision{Action: PutOff, Least: 7 * s, Most: 7 * s}, ""},
		"snooze and exit":         {fmt.Errorf("%w: %w", exit3, foldstream.Snooze(7*s, "later")), 3, retry{}, Decision{Action: PutOff, Least: 7 * s, Most: 7 * s}, ""},
		"never beats snooze":      {fmt.Errorf("%w: %w", exit3, foldstream.Snooze(7*s, "later")), 1, retry{Never: []string{"exit:3"}}, Decision{Action: Fail}, "never again after exit:3"},
		"never beats always":      {exit3, 1, retry{Never: []string{"exit:3"}, Always: []string{"/status/"}}, Decision{Action: Fail}, "attempt 1, and never again after exit:3: the command: exit status 3"},
		"another exit":            {exit3, 1, retry{Never: []string{"exit:4", "exit:03", "exit:", "signal:3"}}, Decision{Action: Again, Least: s / 2, Most: s}, "status 3"},
		"always, the last":        {exit3, 3, retry{Always: []string{"exit:3"}, Backoff: s}, Decision{Action: PutOff, Least: 2 * s, Most: 4 * s}, ""},
		"signal":                  {killed, 3, retry{Always: []string{"signal:9"}}, Decision{Action: PutOff, Least: 2 * s, Most: 4 * s}, ""},
		"signal is no exit":       {killed, 1, retry{Never: []string{"exit:9", "exit:-1", "signal:15"}}, Decision{Action: Again, Least: s / 2, Most: s}, "killed"},
		"kind":                    {away, 3, retry{Always: []string{"kind:unavailable"}}, Decision{Action: PutOff, Least: 2 * s, Most: 4 * s}, ""},
		"another kind":            {away, 3, retry{Always: []string{"kind:timeout"}}, Decision{Action: Fail}, "attempt 3 of 3"},
		"of no kind is internal":  {broken, 1, retry{Never: []string{"kind:internal"}}, Decision{Action: Fail}, "after kind:internal"},
		"regular expression":      {broken, 1, retry{Never: []string{"/no such (file|column)$/"}}, Decision{Action: Fail}, "never again after /no such"},
		"no regular expression":   {broken, 1, retry{Never: []string{"/(/", "//", "/", ""}}, Decision{Action: Again, Least: s / 2, Most: s}, "broken"},
		"silence":                 {fmt.Errorf("x: %w", silence), 1, retry{Never: []string{"deadline", "silence"}}, Decision{Action: Fail}, "after silence"},
		"silence is no deadline":  {silence, 1, retry{Never: []string{"deadline", "panic"}}, Decision{Action: Again, Least: s / 2, Most: s}, "quiet"},
		"deadline":                {overdue(s), 1, retry{Never: []string{"deadline"}}, Decision{Action: Fail}, "after deadline"},
		"an error of no class":    {broken, 1, retry{Never: []string{"silence", ""}}, Decision{Action: Again, Least: s / 2, Most: s}, "broken"},
		"attempts below the mark": {broken, 4, retry{Attempts: 5}, Decision{Action: Again, Least: 4 * s, Most: 8 * s}, "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Decide(foldstream.Task{Attempt: c.attempt, Retry: c.retry}, c.err)
			why := got.Why
			got.Why = nil
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if (why == nil) != (c.why == "") || why != nil && (!strings.Contains(why.Error(), c.why) || !errors.Is(why, c.err) || foldstream.KindOf(why) != foldstream.KindOf(c.err)) {
				t.Errorf("why: %v, want %q", why, c.why)
			}
		})
	}
}

// Every class that is valid is one that errors can be of.
func TestEveryClassIsKnown(t *testing.T) {
	for class, err := range map[string]error{
		"exit:3": commandError(t, "exit 3"), "signal:15": commandError(t, "kill -15 $$"), "kind:too large": foldstream.Errorf(foldstream.TooLarge, "", "x"),
		"deadline": overdue(time.Second), "silence": classed{"silence", errStopped}, "panic": classed{"panic", errStopped}, "/x+/": errors.New("xx"),
	} {
		if bad := (foldstream.Retry{Never: []string{class}}).Validate(); bad != nil || !isClass(class, err) {
			t.Errorf("%s: %v, %v", class, bad, err)
		}
	}
}
