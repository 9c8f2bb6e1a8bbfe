package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// rebuild folds the sample's collection anew.
func rebuild(t *testing.T, store foldstream.Store, replace bool) collect.Rebuilt {
	t.Helper()
	e, err := record.ReadExperiment(t.Context(), store, "x")
	if err != nil {
		t.Fatal(err)
	}
	out, err := collect.Rebuild(t.Context(), store, replace, e)
	if err != nil || len(out) != 1 {
		t.Fatal(out, err)
	}
	return out[0]
}

// A rebuild gives the bytes that are there, to the letter, and finds and mends each value that is not so.
func TestRebuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		store := mem.New(mem.Options{})
		submit(t, store, "x", 8)
		stop := aggregate(t, store, "one")
		commitAll(t, store, "x", tasksOfSample, 300*time.Millisecond)
		settled(t, store, "x")
		stop()
		_, before := stored(t, store, "x")
		if r := rebuild(t, store, true); len(r.Differ) != 0 || r.Values != len(want) || !r.Settled {
			t.Errorf("%+v", r)
		}
		if _, after := stored(t, store, "x"); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("written again: %v, before %v", after, before)
		}
		for key := range want {
			data, revisions := stored(t, store, "x")
			other := foldstream.Value{Key: "x" + key, Data: append(bytes.Clone(data[key]), 0), Revision: revisions[key]}
			if _, err := store.Values(foldstream.Collections).Put(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			if r := rebuild(t, store, false); !slices.Equal(r.Differ, []string{"x" + key}) {
				t.Errorf("%q was changed, and differs are %v", key, r.Differ)
			}
			if now, _ := stored(t, store, "x"); bytes.Equal(now[key], data[key]) {
				t.Errorf("looking at %q changed it", key)
			}
			rebuild(t, store, true)
			got, _ := stored(t, store, "x")
			sameBytes(t, want, got)
		}
	})
}

// A rebuild in the middle of the work, beside a leader, gives what the leader folds, and the leader goes on.
func TestRebuildWhileItGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		store := mem.New(mem.Options{})
		submit(t, store, "x", 4)
		stop := aggregate(t, store, "one")
		for range tasksOfSample {
			commitAll(t, store, "x", 1, 0)
			rebuild(t, store, true) // before the leader has stored it
			pass(2 * time.Second)
			if r := rebuild(t, store, false); len(r.Differ) != 0 {
				t.Errorf("differ: %+v", r)
			}
		}
		sameBytes(t, want, settled(t, store, "x"))
		stop()
	})
}

// rebuiltTold is what the command tells machines.
type rebuiltTold []struct {
	Experiment string
	Settled    bool
	Values     int
	Differ     []string
}

// The leader of two aggregators is killed again and again at random moments, a new one standing by: the collection has neither a gap nor
// a double count, its bytes are those of a run in peace, and those of a rebuild.
func TestKilledLeadersFoldTheSame(t *testing.T) {
	alone := filepath.Join(t.TempDir(), "alone")
	mustRun(t, "foldstream", "run", small, "--store", alone, "--out", t.TempDir())
	want := collectionBytes(t, alone, "small")

	url := streamtest.Server(t).URL()
	store := open(t, url)
	aggregator := func() *process { return start(t, "aggregator", "run", "-s", url, "--lead", "1s") }
	all := []*process{aggregator(), aggregator()}
	mustRun(t, "producer", "submit", small, "-s", url)
	start(t, "consumer", "run", "--pool", "small", "-s", url, "-n", "1")
	kills, random := 0, rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for present := 0; present < 120 && kills < 6; kills++ {
		goal := present + 1 + random.IntN(20)
		eventually(t, "the collection grows", func() bool {
			s, err := collect.LoadSummary(t.Context(), store, "small")
			if err == nil && s.Present < present {
				t.Errorf("%d members were there, and then %d", present, s.Present)
			}
			present = max(present, s.Present)
			return err == nil && (present >= goal || s.Settled)
		})
		all[leading(t, store, all)].kill()
		all = append(all, aggregator())
	}
	mustRun(t, "foldstream", "wait", "small", "-s", url, "--for", "90s")
	got := map[string][]byte{}
	for v, err := range store.Values(foldstream.Collections).List(t.Context(), "small") {
		if err != nil {
			t.Fatal(err)
		}
		got[strings.TrimPrefix(v.Key, "small")] = v.Data
	}
	compare(t, fmt.Sprintf("after %d killed leaders", kills), want, got)
	var told rebuiltTold
	if err := json.Unmarshal([]byte(mustRun(t, "aggregator", "rebuild", "--check", "--json", "-s", url)), &told); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].Experiment != "small" || !told[0].Settled || told[0].Values != len(want) || len(told[0].Differ) != 0 {
		t.Errorf("a rebuild tells %+v", told)
	}
	if kills == 0 {
		t.Error("no leader was killed")
	}
	for _, p := range all {
		p.stop(t)
	}
	v, err := store.Values(foldstream.Collections).Get(t.Context(), "small")
	if err != nil {
		t.Fatal(err)
	}
	v.Data = []byte("spoilt")
	if _, err := store.Values(foldstream.Collections).Put(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if out := run(t, "aggregator", "rebuild", "small", "--check", "-s", url); out.code != 5 || !strings.Contains(out.stdout, "1 of 8 values differ: small") {
		t.Errorf("exit code %d: %s%s", out.code, out.stdout, out.stderr)
	}
	mustSay(t, mustRun(t, "aggregator", "rebuild", "small", "-s", url), "1 of 8 values replaced: small")
	mustSay(t, mustRun(t, "aggregator", "rebuild", "-s", url), "small: 8 values, all as they were")
	if out := run(t, "aggregator", "rebuild", "nobody", "-s", url); out.code != 3 {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
	if out := run(t, "aggregator", "run", "--lead", "10ms", "-s", url); out.code != 2 {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
}

// leading returns which of the aggregators holds the lock, once one that is alive does.
func leading(t *testing.T, store foldstream.Store, all []*process) (at int) {
	t.Helper()
	eventually(t, "an aggregator leads", func() bool {
		v, err := store.Values(foldstream.Locks).Get(t.Context(), "aggregator")
		at = slices.IndexFunc(all, func(p *process) bool {
			return err == nil && p.cmd.ProcessState == nil && bytes.Contains(v.Data, fmt.Appendf(nil, "-%d", p.cmd.Process.Pid))
		})
		return at >= 0
	})
	return at
}
