package test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gc"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream"
)

// sweepVariable makes this test's binary a process that deletes all garbage of the server it names, also such as was stored just now, which
// the program refuses.
const sweepVariable = "FOLDSTREAM_TEST_SWEEP"

// sweepAll deletes the garbage of a server and says what it did.
func sweepAll(url string) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	store, err := stream.Open(context.Background(), nc, stream.Config{})
	if err != nil {
		return err
	}
	r, err := gc.Run(context.Background(), store, gc.Options{Before: time.Now().Add(time.Hour), Unused: time.Now().Add(time.Hour)})
	fmt.Printf("%d blobs, %d prepared\n", r.Blobs, r.Prepared)
	return err
}

// A collection of garbage that is killed at any moment deletes nothing that is referred to, and one that is left alone completes it.
func TestKilledGarbageCollectionIsCompletedByRepeatingIt(t *testing.T) {
	const n, garbage = 10, 300
	url, _ := serve(t, t.TempDir())
	file, _ := jobFile(t, "good", n)
	mustRun(t, "producer", "submit", file, "-s", url)
	store := open(t, url)
	put := func(text string) foldstream.Digest {
		d, _, err := store.Artifacts().Put(t.Context(), strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	blobs := func() []foldstream.Digest {
		var all []foldstream.Digest
		for b, err := range store.Stored(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b.Digest)
		}
		slices.Sort(all)
		return all
	}
	for i := range n {
		l, err := store.Pool("jobs").Fetch(t.Context(), foldstream.Filter{Wait: 10 * time.Second})
		if err == nil {
			err = l.Commit(t.Context(), foldstream.Result{Artifacts: []foldstream.Artifact{{Name: "model", Digest: put(fmt.Sprint("kept ", i))}}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	kept := blobs()
	if len(kept) < n {
		t.Fatalf("%d blobs", len(kept))
	}
	for i := range garbage {
		put(fmt.Sprint("garbage ", i))
	}
	for i := range 5 { // data that were prepared once, and nobody uses
		d := put(fmt.Sprint("prepared ", i))
		v := foldstream.Value{Key: foldstream.PreparedPrefix + fmt.Sprint(i), Data: fmt.Appendf(nil, `{"digest":%q}`, d)}
		if _, err := store.Values(foldstream.Experiments).Put(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}

	killed := 0
	for least := garbage; ; least -= 1 + rand.IntN(garbage/3) {
		sweeping := exec.CommandContext(t.Context(), os.Args[0])
		var said bytes.Buffer
		sweeping.Env, sweeping.Stdout, sweeping.Stderr = append(os.Environ(), sweepVariable+"="+url), &said, &said
		if err := sweeping.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- sweeping.Wait() }()
		if least > 0 {
			eventually(t, "blobs are deleted", func() bool { return len(blobs()) <= len(kept)+least })
			_ = sweeping.Process.Kill() // it may have ended
			killed++
		}
		err := <-ended
		left := blobs()
		t.Logf("%d blobs are left, %d of them to keep; %v", len(left), len(kept), err)
		for _, d := range kept {
			if !slices.Contains(left, d) {
				t.Fatalf("blob %s is deleted", d)
			}
		}
		if least > 0 {
			continue
		}
		if err != nil || !slices.Equal(left, kept) {
			t.Errorf("%d blobs are left of %d to keep: %v: %s", len(left), len(kept), err, &said)
		}
		break
	}
	if killed < 2 {
		t.Errorf("killed %d times", killed)
	}
	for v, err := range store.Values(foldstream.Experiments).List(t.Context(), foldstream.PreparedPrefix) {
		t.Errorf("%s is left: %v", v.Key, err)
	}
	mustRun(t, "foldstream", "verify", "jobs", "-s", url)
	mustRun(t, "foldstream", "archive", "export", "jobs", filepath.Join(t.TempDir(), "jobs.archive"), "-s", url)
}

// A submission that is killed at any moment and repeated makes the experiment and the tasks of one that was left alone, in their order.
func TestKilledSubmissionIsCompletedByRepeatingIt(t *testing.T) {
	const n = 1500
	url, _ := serve(t, t.TempDir())
	store := open(t, url)
	file, _ := jobFile(t, "good", n)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	named := func(name string) string {
		return write(t, strings.Replace(string(text), "name: jobs", "name: "+name, 1))
	}
	members := func(name string) foldstream.Digest {
		e, err := record.ReadExperiment(t.Context(), store, name)
		if err != nil {
			t.Fatal(err)
		}
		return e.Members
	}
	mustRun(t, "producer", "submit", named("alone"), "-s", url)
	want := definitions(t, store, "alone")
	if len(want) != n {
		t.Fatalf("%d tasks", len(want))
	}
	for i, least := range []int{0, 1, n / 2} {
		name := fmt.Sprint("killed", i)
		file := named(name)
		submitting := start(t, "producer", "submit", file, "-s", url)
		eventually(t, "the submission makes tasks", func() bool { return total(t, store, name) >= least })
		submitting.kill()
		t.Logf("killed after %d of %d tasks", total(t, store, name), n)
		mustRun(t, "producer", "submit", file, "-s", url)
		if got := definitions(t, store, name); !slices.Equal(got, want) {
			t.Errorf("%s has %d tasks, or not those of the undisturbed one in their order", name, len(got))
		}
		if c := stat(t, url, name); c[foldstream.Waiting] != n || c.Total() != n || members(name) != members("alone") {
			t.Errorf("%s: %v", name, c)
		}
		mustRun(t, "foldstream", "verify", name, "-s", url)
	}
}

// A run that is killed with its server at random moments, again and again, and then left alone comes to the collection of an undisturbed
// one, byte for byte.
func TestKilledRunIsCompletedByRepeatingIt(t *testing.T) {
	text, err := os.ReadFile(small)
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Abs("../examples")
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, strings.NewReplacer("../../../examples", examples, "[1, 100, 10000]", "[1, 100]", "[1, 5]", "[1]").Replace(string(text)))
	alone, dir := t.TempDir(), t.TempDir()
	began := time.Now()
	mustRun(t, "foldstream", "run", file, "--store", alone, "--out", t.TempDir())
	took := time.Since(began)
	for range 3 {
		running := start(t, "foldstream", "run", file, "--store", dir, "--out", t.TempDir(), "--lease", "1s")
		after := rand.N(took)
		select {
		case <-time.After(after):
		case <-running.done:
		}
		running.kill()
		t.Logf("killed after %v of %v", after, took)
	}
	mustRun(t, "foldstream", "run", file, "--store", dir, "--out", t.TempDir(), "--lease", "1s")
	want, got := collectionBytes(t, alone, "small"), collectionBytes(t, dir, "small")
	if len(want) < 4 || !maps.EqualFunc(want, got, bytes.Equal) {
		t.Errorf("the collection of %d values is not the undisturbed one, of %d", len(got), len(want))
	}
	url, _ := serve(t, dir)
	mustRun(t, "foldstream", "verify", "small", "-s", url)
	if n := len(winners(t, open(t, url), "small")); n != 40 {
		t.Errorf("%d tasks have a result", n)
	}
}
