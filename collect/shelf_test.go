package collect

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
	"github.com/foldstream/foldstream/internal/wire"
	"github.com/foldstream/foldstream/stream/mem"
)

// leaderOf returns an aggregator that has the lock, and how often it was told to stop leading.
func leaderOf(t *testing.T, store foldstream.Store) (*leader, *int) {
	t.Helper()
	l := (&Aggregator{Store: store, Lease: time.Hour}).leader()
	if ours, err := l.lock.acquire(t.Context()); !ours {
		t.Fatal("no lock", err)
	}
	stops := new(int)
	l.quit = func(error) { *stops++ }
	return l, stops
}

// takeLock puts another's entry in the place of the lock.
func takeLock(t *testing.T, store foldstream.Store) {
	t.Helper()
	locks := store.Values(foldstream.Locks)
	v, err := locks.Get(t.Context(), lockKey)
	if err == nil {
		_, err = locks.Put(t.Context(), foldstream.Value{Key: lockKey, Data: []byte("another's"), Revision: v.Revision})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// writeBeside changes a value behind the shelf's back.
func writeBeside(t *testing.T, store foldstream.Store, key string) {
	t.Helper()
	values := store.Values(foldstream.Collections)
	v, _ := values.Get(t.Context(), key)
	if _, err := values.Put(t.Context(), foldstream.Value{Key: key, Data: []byte("theirs"), Revision: v.Revision}); err != nil {
		t.Fatal(err)
	}
}

func openTestShelf(t *testing.T, l *leader) *shelf {
	t.Helper()
	s, err := openShelf(t.Context(), l, "x", func(foldstream.Value) {})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestShelfConflict(t *testing.T) {
	t.Run("OK", func(t *testing.T) {
		store := mem.New(mem.Options{})
		l, stops := leaderOf(t, store)
		s := openTestShelf(t, l)
		writeBeside(t, store, "x")
		if err := s.put(t.Context(), "x", []byte("ours"), 1); err != nil || *stops != 0 {
			t.Fatal(err, *stops)
		}
		if v, _ := store.Values(foldstream.Collections).Get(t.Context(), "x"); string(v.Data) != "ours" || v.Mark != 1 {
			t.Errorf("%q, mark %d", v.Data, v.Mark)
		}
	})
	t.Run("ErrLost", func(t *testing.T) {
		store := mem.New(mem.Options{})
		l, stops := leaderOf(t, store)
		s := openTestShelf(t, l)
		takeLock(t, store)
		writeBeside(t, store, "x")
		if err := s.put(t.Context(), "x", []byte("ours"), 1); !foldstream.Is(err, foldstream.Conflict) || *stops != 1 {
			t.Errorf("%v; told to stop %d times", err, *stops)
		}
	})
	t.Run("ErrExpired", func(t *testing.T) {
		store := mem.New(mem.Options{})
		l, _ := leaderOf(t, store)
		s := openTestShelf(t, l)
		l.lock.until = clock.Tick()
		if err := s.put(t.Context(), "x", []byte("ours"), 1); !foldstream.Is(err, foldstream.Conflict) {
			t.Error(err)
		}
		if _, err := store.Values(foldstream.Collections).Get(t.Context(), "x"); !foldstream.Is(err, foldstream.NotFound) {
			t.Error("written after the lease ran out")
		}
	})
}

// A group whose stored value lacks a member stays open, however final it was.
func TestGroupRestore(t *testing.T) {
	members := []foldstream.Expectation{{Task: "a"}, {Window: foldstream.Window{Index: 1}, Task: "b"}}
	begin := func(sessions ...foldstream.Time) *fold {
		f, err := newFold(foldstream.Experiment{}, members, sessions)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, last := range []foldstream.Event{
		{Seq: 2, Task: "b", Kind: foldstream.EventResult, Status: foldstream.Done, Result: &foldstream.Result{Code: "v1"}},
		{Seq: 2, Task: "b", Kind: foldstream.EventEnd, Status: foldstream.Dead},
	} {
		f := begin()
		f.apply(foldstream.Event{Seq: 1, Task: "a", Kind: foldstream.EventResult, Status: foldstream.Done, Result: &foldstream.Result{}}, foldstream.Frame{}, "")
		f.apply(last, foldstream.Frame{}, "")
		value, _ := f.value(f.groups[0])
		value.Frame = Blob{Digest: "abc"}
		data, err := value.encode(f.groups[0].basis, Blob{})
		if err != nil {
			t.Fatal(err)
		}
		same := begin()
		if same.restore(same.groups[0], data); same.closed() != (last.Status == foldstream.Done) {
			t.Errorf("last member %s: closed %t", last.Status, same.closed())
		}
		if codes := same.summary(true, false).Codes; same.closed() && (codes["v1"] != 1 || codes[""] != 1) {
			t.Errorf("the codes of a stored group are %v", codes)
		}
		other := begin(day(0))
		if other.restore(other.groups[0], data); other.closed() {
			t.Error("closed by a value that was folded from something else")
		}
	}
}

// A frame over the limit goes to the artifacts; both ways it comes back as it was.
func TestKeeperBlob(t *testing.T) {
	store := mem.New(mem.Options{})
	k := &keeper{leader: &leader{Aggregator: Aggregator{Store: store}}}
	want := foldstream.Frame{Times: []foldstream.Time{day(1)}, Columns: []foldstream.Column{{Name: "x", Values: []float64{1}}}}
	for limit, inline := range map[int]bool{10: false, 1000: true} {
		b, err := k.blob(t.Context(), want, limit)
		if err != nil || (b.Inline != nil) != inline || (b.Digest == "") != inline {
			t.Fatal(b, err)
		}
		if data, err := wire.ReadArtifact(t.Context(), store.Artifacts(), b.Digest); !inline && (err != nil || !bytes.HasPrefix(data, []byte("PAR1"))) {
			t.Errorf("the artifact is no Parquet file: %.8q, %v", data, err)
		}
		got, err := loadBlob(t.Context(), store, b)
		if d := cmp.Diff(want, got, compareTimes); d != "" || err != nil {
			t.Error(d, err)
		}
	}
}
