package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// comes waits until there is a collection of an experiment with so many failed windows.
func comes(t *testing.T, s foldstream.Store, name string, failed int) {
	t.Helper()
	ok(t, streamtest.Eventually(t.Context(), func() error {
		c, err := collect.Load(t.Context(), s, name)
		if n := len(c.Coverage.Failed); err == nil && n != failed {
			err = fmt.Errorf("%s has %d failed windows", name, n)
		}
		return err
	}))
}

func TestDiff(t *testing.T) {
	s := foldOne(t, 2)
	replayed(t, s.Store, "small", "-S", "collection.portfolio.cost=0.002").says(t, 0, "small-2")
	replayed(t, s.Store, "small", "--failed", "--as", "part").says(t, 0, "part")
	comes(t, s.Store, "small", 2)
	comes(t, s.Store, "small-2", 0)
	comes(t, s.Store, "part", 0)
	diff := func(args ...string) ran {
		return command(t, &cli.Env{Store: s.Store}, append([]string{"diff"}, args...)...)
	}
	diff("small", "small").says(t, 0, "small → small\nwindows: 120 identical, 0 changed\nconfigurations and ensemble: 6 identical, 0 changed\n")

	r := diff("small", "small-2", "--html", filepath.Join(t.TempDir(), "diff.html"))
	for _, want := range []string{
		"collection.portfolio.cost: 0.001 → 0.002\n", "windows: 118 identical, 2 changed\n", "│ status │ failed │ waiting │", "small and small-2 differ", "wrote ",
	} {
		r.says(t, 5, want)
	}
	page := strings.TrimSpace(strings.TrimPrefix(strings.Split(r.stderr, "\n")[0], "wrote "))
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "small and small-2") {
		t.Errorf("%v: %s", err, text)
	}
	diff("small", "small-2", "--limit", "1").says(t, 5, "and 1 smaller ones (--limit 0 shows all)")
	r = diff("small", "part", "--limit", "2")
	r.says(t, 5, "windows: 0 identical, 2 changed, 118 only in small\n")
	r.says(t, 5, "only in small: alpha=1,horizon=5,rolling=expanding\n")
	diff("small", "part", "--common").says(t, 5, "windows: 0 identical, 2 changed\nconfigurations and ensemble: 0 identical, 0 changed\n")

	var told struct {
		Same     bool
		Settings []struct{ Name, Left, Right string }
		Windows  struct{ Identical, Changed int }
		Changes  []struct {
			What      string
			Window    *int
			Key       map[string]string
			Left      *float64
			LeftText  string `json:"left_text"`
			RightText string `json:"right_text"`
		}
	}
	if err := json.Unmarshal([]byte(diff("small", "small-2", "--json").stdout), &told); err != nil {
		t.Fatal(err)
	}
	if told.Same || told.Windows.Identical != 118 || len(told.Changes) != 2 || told.Settings[0].Right != "0.002" {
		t.Errorf("%+v", told)
	}
	if c := told.Changes[0]; c.What != "status" || *c.Window != 0 || c.Key["alpha"] != "1" || c.Left != nil || c.LeftText != "failed" || c.RightText != "waiting" {
		t.Errorf("%+v", c)
	}
}

func TestDiffRefuses(t *testing.T) {
	s := submitter{}
	s.Store = recorded(t)
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{3, `no experiment "nobody"`, []string{"nobody", "small"}},
		{5, "small is incomplete: nothing of its 120 members is folded yet", []string{"small", "small"}},
		{2, "--atol -1 is no number from 0", []string{"small", "small", "--atol=-1"}},
		{2, "--rtol NaN is no number from 0", []string{"small", "small", "--rtol=NaN"}},
		{2, "--limit -1", []string{"small", "small", "--limit=-1"}},
	} {
		command(t, &cli.Env{Store: s.Store}, append([]string{"diff"}, c.args...)...).says(t, c.code, c.want)
	}
}

func TestCollectionShowAt(t *testing.T) {
	s := foldOne(t, 2)
	comes(t, s.Store, "small", 2)
	show := func(args ...string) ran {
		return command(t, &cli.Env{Store: s.Store}, append([]string{"collection", "show", "small"}, args...)...)
	}
	now := show()
	now.says(t, 5, "small is incomplete: 0 of 120 members, 2 failed")
	if then := show("--at", time.Now().Format(time.RFC3339Nano)); then.stdout != now.stdout || then.code != 5 {
		t.Errorf("%s\nand not\n%s", then.stdout, now.stdout)
	}
	show("--at", "2020-01-02 10:00").says(t, 3, "experiment small was not there at 2020-01-0")
	show("--at", "then").says(t, 2, `--at "then" is no moment`)
}
