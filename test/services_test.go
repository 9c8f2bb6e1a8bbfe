package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

const small = "testdata/experiments/small.yaml"

// One experiment on separate processes, a consumer of which is killed at work, and again as a replay: each time the
// collection is that of the undisturbed run in one process, byte for byte.
func TestServicesFoldWhatOneProcessFolds(t *testing.T) {
	alone := filepath.Join(t.TempDir(), "alone")
	mustRun(t, "foldstream", "run", small, "--store", alone, "--out", t.TempDir())
	want := collectionBytes(t, alone, "small")

	dir := filepath.Join(t.TempDir(), "served")
	url, server := serve(t, dir)
	mustRun(t, "producer", "submit", small, "-s", url, "--lease", "1s")
	victim := start(t, "consumer", "run", "--pool", "small", "-s", url, "-n", "2")
	eventually(t, "the victim is at work", func() bool { return stat(t, url, "small")[foldstream.Done] >= 5 })
	victim.kill()
	left := stat(t, url, "small")
	if left.Open() == 0 {
		t.Fatal("the victim had finished everything before it was killed")
	}
	for range 2 {
		start(t, "consumer", "run", "--pool", "small", "-s", url, "-n", "1")
	}
	mustRun(t, "foldstream", "wait", "small", "-s", url, "--for", "90s")

	mustRun(t, "foldstream", "replay", "small", "--as", "again", "-s", url)
	mustRun(t, "foldstream", "replay", "small", "--as", "again", "-s", url) // repeating changes nothing
	start(t, "consumer", "run", "--pool", "again", "-s", url, "-n", "2")
	mustRun(t, "foldstream", "wait", "again", "-s", url, "--for", "90s")

	table := mustRun(t, "foldstream", "collection", "show", "small", "-s", url)
	if again := mustRun(t, "foldstream", "collection", "show", "again", "-s", url); again != table {
		t.Errorf("the replay's table differs:\n%s\n%s", table, again)
	}
	conserved(t, url, "small", "again")
	server.stop(t)
	compare(t, "with a killed consumer", want, collectionBytes(t, dir, "small"))
	compare(t, "replayed", want, collectionBytes(t, dir, "again"))
}

// The server dies with its aggregator in the middle of the work and comes back on the same store: producers, consumers and
// a stand-by aggregator go on, and the collection is that of the undisturbed run, byte for byte.
func TestKilledServerLosesNothing(t *testing.T) {
	alone, dir := filepath.Join(t.TempDir(), "alone"), filepath.Join(t.TempDir(), "served")
	mustRun(t, "foldstream", "run", small, "--store", alone, "--out", t.TempDir())

	url, server := serve(t, dir)
	mustRun(t, "producer", "submit", small, "-s", url, "--lease", "1s")
	start(t, "aggregator", "run", "-s", url)
	start(t, "consumer", "run", "--pool", "small", "-s", url, "-n", "2")
	eventually(t, "the consumer is at work", func() bool { return stat(t, url, "small")[foldstream.Done] >= 5 })
	server.kill()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	again := start(t, "foldstream", "serve", "--store", dir, "--port", port)
	<-again.lines // it answers
	mustRun(t, "foldstream", "wait", "small", "-s", url, "--for", "90s")
	conserved(t, url, "small")
	again.stop(t)
	compare(t, "with a killed server", collectionBytes(t, alone, "small"), collectionBytes(t, dir, "small"))
}

// Running twice on one store executes nothing the second time and prints the same.
func TestSecondRunExecutesNothing(t *testing.T) {
	store, out := t.TempDir(), t.TempDir()
	first := run(t, "foldstream", "run", small, "--store", store, "--out", out)
	second := run(t, "foldstream", "run", small, "--store", store, "--out", out)
	if first.code != 0 || second.code != 0 {
		t.Fatalf("exit codes %d, %d\n%s%s", first.code, second.code, first.stderr, second.stderr)
	}
	if first.stdout != second.stdout {
		t.Errorf("the tables differ:\n%s\n%s", first.stdout, second.stdout)
	}
	for _, want := range []string{"120 tasks, 0 new, 120 known", "executed 0 tasks"} {
		if !strings.Contains(second.stderr, want) {
			t.Errorf("the second run does not say %q but:\n%s", want, second.stderr)
		}
	}
}

// Data that changed are worked again, and the collection is then that of a store which never saw others, byte for byte. A file that makes other
// tasks revises the experiment where that is asked for.
func TestChangedDataAreWorkedAgain(t *testing.T) {
	dir, store := t.TempDir(), t.TempDir()
	prices, err := os.ReadFile("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(small)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	experiment := func(alphas string) {
		write("e.yaml", []byte(strings.NewReplacer("csv: ../../../examples/dow30/prices.csv", "csv: sessions.csv", "prices: ../../../examples/dow30/prices.csv", "prices: prices.csv",
			"[1, 100, 10000]", alphas, "[1, 5]", "[1]").Replace(string(text))))
	}
	folded := func(store string, wants string, flags ...string) string {
		t.Helper()
		out := t.TempDir()
		r := run(t, "foldstream", append([]string{"run", filepath.Join(dir, "e.yaml"), "--store", store, "--out", out}, flags...)...)
		if r.code != 0 || !strings.Contains(r.stderr, wants) {
			t.Fatalf("exit code %d; it does not say %q but:\n%s", r.code, wants, r.stderr)
		}
		csv, err := os.ReadFile(filepath.Join(out, "collection.csv"))
		if err != nil {
			t.Fatal(err)
		}
		return r.stdout + string(csv)
	}
	write("sessions.csv", prices)
	write("prices.csv", prices)
	experiment("[1, 100]")
	before := folded(store, "executed 40 tasks")
	write("prices.csv", []byte(strings.Replace(string(prices), "\n1998-11-25,18.7,", "\n1998-11-25,28.7,", 1)))
	after := folded(store, "executed 40 tasks")
	if fresh := folded(t.TempDir(), "executed 40 tasks"); after != fresh || after == before {
		t.Errorf("with other data, on the store of before (equal to before: %v), and on a fresh one:\n%.2000s\n%.2000s", after == before, after, fresh)
	}
	experiment("[100, 10000]")
	if r := run(t, "foldstream", "run", filepath.Join(dir, "e.yaml"), "--store", store); r.code != 4 || !strings.Contains(r.stderr, "revise") {
		t.Errorf("other members: exit code %d, %s", r.code, r.stderr)
	}
	revised := folded(store, "executed 20 tasks", "--revise")
	if fresh := folded(t.TempDir(), "executed 40 tasks"); revised != fresh {
		t.Errorf("revised, and fresh:\n%.2000s\n%.2000s", revised, fresh)
	}
}

// stat returns the counts of a pool, as the command tells them.
func stat(t *testing.T, url, pool string) foldstream.Counts {
	t.Helper()
	var stats []struct{ Counts foldstream.Counts }
	if err := json.Unmarshal([]byte(mustRun(t, "foldstream", "stat", pool, "--json", "-s", url)), &stats); err != nil {
		t.Fatal(err)
	}
	return stats[0].Counts
}

// open opens the store of a server.
func open(t *testing.T, url string) *stream.Store {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	store, err := stream.Open(t.Context(), nc, stream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		nc.Close()
	})
	return store
}

// conserved checks that no task of the pools was lost or doubled.
func conserved(t *testing.T, url string, pools ...string) {
	t.Helper()
	store := open(t, url)
	for _, pool := range pools {
		if err := streamtest.Conserved(t.Context(), store, pool); err != nil {
			t.Error(err)
		}
	}
}

// collectionBytes reads the stored values of an experiment's collection by what follows the experiment's name.
func collectionBytes(t *testing.T, dir, experiment string) map[string][]byte {
	t.Helper()
	url, server := serve(t, dir)
	defer server.stop(t)
	store := open(t, url)
	all := map[string][]byte{}
	for v, err := range store.Values(foldstream.Collections).List(t.Context(), experiment) {
		if err != nil {
			t.Fatal(err)
		}
		if rest := strings.TrimPrefix(v.Key, experiment); rest == "" || rest[0] == '.' {
			all[rest] = v.Data
		}
	}
	return all
}

// compare sees that two collections have the same bytes.
func compare(t *testing.T, what string, want, got map[string][]byte) {
	t.Helper()
	if len(want) < 8 { // the summary, six groups, the ensemble
		t.Fatalf("the collection has only %v", slices.Sorted(maps.Keys(want)))
	}
	if w, g := slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)); !slices.Equal(w, g) {
		t.Fatalf("%s: keys %v, want %v", what, g, w)
	}
	for key := range want {
		if !bytes.Equal(want[key], got[key]) {
			t.Errorf("%s: the bytes of %q differ: %s", what, key, differ(want[key], got[key]))
		}
	}
}

func differ(a, b []byte) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("at byte %d of %d and %d", i, len(a), len(b))
		}
	}
	return fmt.Sprintf("%d and %d bytes", len(a), len(b))
}
