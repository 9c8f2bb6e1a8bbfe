package gc_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gc"
	"github.com/foldstream/foldstream/stream/mem"
)

// world is a store in which everything that can refers to a blob, and how its clock stands.
type world struct {
	*mem.Store
	now time.Time
}

const week = 7 * 24 * time.Hour

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (w *world) put(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, _, err := w.Artifacts().Put(t.Context(), strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) set(t *testing.T, bucket, key, data string) {
	t.Helper()
	if _, err := w.Values(bucket).Put(t.Context(), foldstream.Value{Key: key, Data: []byte(data)}); err != nil {
		t.Fatal(err)
	}
}

// referred are the blobs of a world that something refers to, by what does.
var referred = []string{
	"a task's data", "a task's calendar", "an attempt that lost", "a winning result", "an experiment's members", "a recorder's model", "an online signal",
	"a collection's frame", "a large value", "inside a large value", "a frozen experiment", "inside a frozen experiment", "prepared data in use",
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	w.Store = mem.New(mem.Options{Now: func() time.Time { return w.now }})
	for _, text := range referred {
		if !strings.HasPrefix(text, "a large") && !strings.HasPrefix(text, "a frozen") {
			w.put(t, text)
		}
	}
	large, frozen := "its parts: "+digest("inside a large value"), "its data: "+digest("inside a frozen experiment")
	w.put(t, large, frozen, "garbage", "old prepared data")
	task := foldstream.Task{ID: foldstream.TaskID(strings.Repeat("a", 26)), Template: foldstream.Template{Worker: "none", Calendar: digest("a task's calendar")}}
	task.Data = []foldstream.Data{{Name: "prices", Digest: foldstream.Digest(digest("a task's data"))}}
	task.Task = map[string]any{"x": "y"}
	_, err := w.Pool("p").Create(t.Context(), task)
	for _, blob := range []string{"an attempt that lost", "a winning result"} {
		l, fetchErr := w.Pool("p").Fetch(t.Context(), foldstream.Filter{})
		if err = errors.Join(err, fetchErr); err != nil {
			t.Fatal(err)
		}
		if blob == "an attempt that lost" {
			err = l.Return(t.Context(), errors.New("kept: "+digest(blob)), 0)
		} else {
			err = l.Commit(t.Context(), foldstream.Result{Artifacts: []foldstream.Artifact{{Name: "model", Digest: foldstream.Digest(digest(blob))}}})
		}
	}
	if err := errors.Join(err, w.Schedule(t.Context(), foldstream.Schedule{Name: "nightly", When: "@every 24h", Kind: "submit", Order: []byte(digest(frozen))}, false)); err != nil {
		t.Fatal(err)
	}
	w.set(t, foldstream.Experiments, "e", digest("an experiment's members"))
	w.set(t, foldstream.Experiments, "e.r", digest("a recorder's model"))
	w.set(t, foldstream.Experiments, "online/s", digest("an online signal"))
	w.set(t, foldstream.Experiments, "=cache.old", digest("old prepared data"))
	w.set(t, foldstream.Collections, "e", digest("a collection's frame"))
	w.set(t, foldstream.Collections, "e.k", digest(large))
	w.now = w.now.Add(week)
	w.set(t, foldstream.Experiments, "=cache.new", digest("prepared data in use"))
	w.now = w.now.Add(week)
	return w
}

// options are those by which all but what is a week old may go.
func (w *world) options() gc.Options {
	return gc.Options{Before: w.now.Add(-week), Unused: w.now.Add(-week - time.Hour)}
}

// missing returns which of the blobs that are referred to are gone.
func (w *world) missing(t *testing.T) (gone []string) {
	t.Helper()
	for _, text := range referred {
		d := digest(text)
		switch text {
		case "a large value":
			d = digest("its parts: " + digest("inside a large value"))
		case "a frozen experiment":
			d = digest("its data: " + digest("inside a frozen experiment"))
		}
		if _, err := w.Artifacts().Stat(t.Context(), foldstream.Digest(d)); err != nil {
			gone = append(gone, text)
		}
	}
	return gone
}

func (w *world) there(t *testing.T, text string) bool {
	t.Helper()
	_, err := w.Artifacts().Stat(t.Context(), foldstream.Digest(digest(text)))
	return err == nil
}

func TestRun(t *testing.T) {
	w := newWorld(t)
	w.put(t, "just stored")
	o := w.options()
	o.DryRun = true
	want := gc.Report{Blobs: 2, Prepared: 1, Bytes: int64(len("garbage" + "old prepared data")), Stored: len(referred) + 3, Young: 1}
	for _, dry := range []bool{true, true, false} {
		o.DryRun = dry
		got, err := gc.Run(t.Context(), w, o)
		want.Held = got.Held
		if err != nil || got != want {
			t.Fatalf("dry run %v: %+v, %v; want %+v", dry, got, err, want)
		}
		if w.there(t, "garbage") != dry || w.there(t, "old prepared data") != dry || !w.there(t, "just stored") {
			t.Errorf("dry run %v: the wrong blobs are there", dry)
		}
		if gone := w.missing(t); gone != nil {
			t.Errorf("dry run %v: deleted are %q", dry, gone)
		}
	}
	again, err := gc.Run(t.Context(), w, o)
	if err != nil || again.Blobs+again.Prepared+again.Uploads != 0 {
		t.Errorf("the second run: %+v, %v", again, err)
	}
}

// forgetful reads no references of a source; fallen dies after so many sweeps, and hasty has blobs stored again before they are swept.
type forgetful struct {
	*world
	source string
}

func (f forgetful) Referred(ctx context.Context) iter.Seq2[foldstream.Reference, error] {
	return func(yield func(foldstream.Reference, error) bool) {
		for r, err := range f.world.Referred(ctx) {
			if r.From != f.source && !yield(r, err) {
				return
			}
		}
	}
}

// TestEveryKindOfReferenceCounts proves that the world above would notice if one were forgotten.
func TestEveryKindOfReferenceCounts(t *testing.T) {
	for _, source := range []string{foldstream.FromDefinitions, foldstream.FromEvents, foldstream.FromSchedules, foldstream.Experiments, foldstream.Collections} {
		w := newWorld(t)
		if _, err := gc.Run(t.Context(), forgetful{w, source}, w.options()); err != nil {
			t.Fatal(err)
		}
		if w.missing(t) == nil {
			t.Errorf("without the references of %s nothing is missing", source)
		}
	}
}

type fallen struct {
	*world
	left *int
}

func (f fallen) Sweep(ctx context.Context, s foldstream.Stored) (bool, error) {
	if *f.left--; *f.left < 0 {
		return false, io.ErrUnexpectedEOF
	}
	return f.world.Sweep(ctx, s)
}

func TestRunAfterRunThatDied(t *testing.T) {
	w := newWorld(t)
	left := 1
	if r, err := gc.Run(t.Context(), fallen{w, &left}, w.options()); err == nil || r.Blobs != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	r, err := gc.Run(t.Context(), w, w.options())
	if err != nil || r.Blobs != 1 || w.there(t, "garbage") || w.there(t, "old prepared data") || w.missing(t) != nil {
		t.Errorf("after a run that died: %+v, %v; missing %q", r, err, w.missing(t))
	}
}

type hasty struct {
	*world
	t *testing.T
}

// Referred is read after the list was made: somebody stores the garbage again, and will refer to it.
func (h hasty) Referred(ctx context.Context) iter.Seq2[foldstream.Reference, error] {
	h.put(h.t, "garbage")
	return h.world.Referred(ctx)
}

func TestWhatIsStoredMeanwhileStays(t *testing.T) {
	w := newWorld(t)
	r, err := gc.Run(t.Context(), hasty{w, t}, w.options())
	if err != nil || r.Blobs != 1 || !w.there(t, "garbage") {
		t.Errorf("%+v, %v; there: %v", r, err, w.there(t, "garbage"))
	}
}
