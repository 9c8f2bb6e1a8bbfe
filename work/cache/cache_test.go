package cache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/work/cache"
)

const lease = 300 * time.Millisecond

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// machine is a cache of a store with a folder of its own.
func machine(t testing.TB, store foldstream.Store) (*cache.Cache, string) {
	t.Helper()
	dir := t.TempDir()
	return shared(t, store, dir), dir
}

func shared(t testing.TB, store foldstream.Store, dir string) *cache.Cache {
	t.Helper()
	c, err := cache.Open(cache.Config{Store: store, Dir: dir, Lease: lease, Holder: "test"})
	ok(t, err)
	return c
}

func keyOf(t testing.TB, config any) cache.Key {
	t.Helper()
	k, err := cache.KeyOf(config, "1", "a", "b")
	ok(t, err)
	return k
}

// says builds a text.
func says(text string) cache.Build {
	return func(_ context.Context, w io.Writer) error { _, err := io.WriteString(w, text); return err }
}

// none is for what must be there.
func none(t testing.TB) cache.Build {
	return func(context.Context, io.Writer) error {
		t.Error("built again")
		return nil
	}
}

func get(t testing.TB, c *cache.Cache, k cache.Key, build cache.Build) string {
	t.Helper()
	f, err := c.Get(t.Context(), k, build)
	ok(t, err)
	defer f.Close()
	data, err := io.ReadAll(f)
	ok(t, err)
	return string(data)
}

func TestBuiltOnce(t *testing.T) {
	store, k := mem.New(mem.Options{}), keyOf(t, "features")
	var built atomic.Int32
	build := func(_ context.Context, w io.Writer) error {
		built.Add(1)
		_, err := io.WriteString(w, strings.Repeat("piece ", 1000))
		return err
	}
	var all sync.WaitGroup
	for range 3 {
		c, _ := machine(t, store)
		for range 4 {
			all.Go(func() {
				if got := get(t, c, k, build); len(got) != 6000 {
					t.Errorf("%d bytes", len(got))
				}
			})
		}
	}
	all.Wait()
	if n := built.Load(); n != 1 {
		t.Errorf("built %d times", n)
	}
	for v, err := range store.Values(foldstream.Locks).List(t.Context(), "=cache.") {
		t.Errorf("a lock is left: %v, %v", v, err)
	}
}

// TestUseIsSeen has an entry written again when it is used long after, and not sooner: who collects garbage goes by its age.
func TestUseIsSeen(t *testing.T) {
	now := time.Now().Add(-13 * time.Hour)
	store := mem.New(mem.Options{Now: func() time.Time { return now }})
	c, _ := machine(t, store)
	key := keyOf(t, 1)
	revision := func() uint64 {
		t.Helper()
		v, err := store.Values(foldstream.Experiments).Get(t.Context(), "=cache."+string(key))
		ok(t, err)
		return v.Revision
	}
	get := func(build cache.Build) {
		t.Helper()
		r, err := c.Get(t.Context(), key, build)
		ok(t, err)
		ok(t, r.Close())
	}
	get(says("piece"))
	first := revision()
	now = time.Now()
	get(none(t))
	second := revision()
	get(none(t))
	if second == first || revision() != second {
		t.Errorf("revisions %d, %d, %d", first, second, revision())
	}
}

func TestKeysDiffer(t *testing.T) {
	seen := map[cache.Key]int{}
	for i, of := range []func() (cache.Key, error){
		func() (cache.Key, error) { return cache.KeyOf(map[string]any{"a": 1, "b": 2}, "1", "x", "y") },
		func() (cache.Key, error) { return cache.KeyOf(map[string]any{"a": 1, "b": 3}, "1", "x", "y") },
		func() (cache.Key, error) { return cache.KeyOf(map[string]any{"a": 1, "b": 2}, "2", "x", "y") },
		func() (cache.Key, error) { return cache.KeyOf(map[string]any{"a": 1, "b": 2}, "1", "x") },
	} {
		k, err := of()
		ok(t, err)
		if j, twice := seen[k]; twice {
			t.Errorf("%d and %d have one key", i, j)
		}
		seen[k] = i
	}
	same, err := cache.KeyOf(map[string]any{"b": 2, "a": 1}, "1", "y", "x")
	if _, there := seen[same]; err != nil || !there {
		t.Error("the order of fields or data makes another key")
	}
	if _, err := cache.KeyOf(func() {}, "1"); !foldstream.Is(err, foldstream.Invalid) {
		t.Error(err)
	}
	c, _ := machine(t, mem.New(mem.Options{}))
	if _, err := c.Get(t.Context(), "../../etc", none(t)); !foldstream.Is(err, foldstream.Invalid) {
		t.Error(err)
	}
}

func TestFailuresAreNotKept(t *testing.T) {
	store, k := mem.New(mem.Options{}), keyOf(t, "features")
	c, dir := machine(t, store)
	bad := errors.New("no memory")
	if _, err := c.Get(t.Context(), k, func(_ context.Context, w io.Writer) error { _, _ = io.WriteString(w, "half"); return bad }); !errors.Is(err, bad) {
		t.Error(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("%v, %v are left", files, err)
	}
	if got := get(t, c, k, says("whole")); got != "whole" {
		t.Error(got)
	}
}

// A copy that was damaged is fetched anew, and a piece whose artifact is gone is built anew.
func TestCopiesAreVerified(t *testing.T) {
	store, k := mem.New(mem.Options{}), keyOf(t, "features")
	c, dir := machine(t, store)
	get(t, c, k, says("whole"))
	files, err := filepath.Glob(dir + "/*")
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	ok(t, os.WriteFile(files[0], []byte("other"), 0o600))
	if got := get(t, c, k, none(t)); got != "whole" {
		t.Error(got)
	}
	v, err := store.Values(foldstream.Experiments).Get(t.Context(), "=cache."+string(k))
	ok(t, err)
	var e struct{ Digest foldstream.Digest }
	ok(t, json.Unmarshal(v.Data, &e))
	ok(t, store.Artifacts().Delete(t.Context(), e.Digest))
	if got := get(t, c, k, none(t)); got != "whole" { // this machine has it
		t.Error(got)
	}
	other, _ := machine(t, store)
	if got := get(t, other, k, says("whole again")); got != "whole again" {
		t.Error(got)
	}
	if got := get(t, c, k, none(t)); got != "whole again" {
		t.Error(got)
	}
}

// A lock whose holder is not heard of for its lease is taken over, and not earlier.
func TestDeadBuilderIsSucceeded(t *testing.T) {
	store, k := mem.New(mem.Options{}), keyOf(t, "features")
	_, err := store.Values(foldstream.Locks).Put(t.Context(), foldstream.Value{
		Key: "=cache." + string(k), Data: fmt.Appendf(nil, `{"holder": "dead", "life": "x", "lease_ms": %d, "beat": 1}`, lease.Milliseconds())})
	ok(t, err)
	c, _ := machine(t, store)
	start := time.Now()
	if get(t, c, k, says("piece")); time.Since(start) < lease {
		t.Errorf("it was succeeded after %v", time.Since(start))
	}
}

// mute is a store that takes no beats of a builder that is on its way, as when its machine hangs.
type mute struct {
	*mem.Store
	deaf atomic.Bool
}

func (m *mute) Values(bucket string) foldstream.Values {
	if bucket == foldstream.Locks {
		return muteValues{m.Store.Values(bucket), m}
	}
	return m.Store.Values(bucket)
}

type muteValues struct {
	foldstream.Values
	m *mute
}

func (v muteValues) Put(ctx context.Context, value foldstream.Value) (uint64, error) {
	if v.m.deaf.Load() {
		return 0, foldstream.Errorf(foldstream.Unavailable, "", "nobody answers")
	}
	return v.Values.Put(ctx, value)
}

// The result of a builder that was succeeded does not count: whoever was first with the entry has made the piece.
func TestLateResultDoesNotCount(t *testing.T) {
	store, k := mem.New(mem.Options{}), keyOf(t, "features")
	hung := &mute{Store: store}
	late, _ := machine(t, hung)
	quick, _ := machine(t, store)
	got := make(chan string)
	begun, goOn := make(chan struct{}), make(chan struct{})
	go func() {
		got <- get(t, late, k, func(_ context.Context, w io.Writer) error {
			hung.deaf.Store(true)
			close(begun)
			<-goOn
			_, err := io.WriteString(w, "late")
			return err
		})
	}()
	<-begun
	if piece := get(t, quick, k, says("quick")); piece != "quick" {
		t.Error(piece)
	}
	close(goOn)
	if piece := <-got; piece != "quick" {
		t.Errorf("the late builder has %q", piece)
	}
	third, _ := machine(t, store)
	if piece := get(t, third, k, none(t)); piece != "quick" {
		t.Error(piece)
	}
}

// A builder that hears that another has taken over stops.
func TestSucceededBuilderStops(t *testing.T) {
	store, k := mem.New(mem.Options{}), keyOf(t, "features")
	c, _ := machine(t, store)
	got := make(chan string)
	begun := make(chan struct{})
	once := sync.OnceFunc(func() { close(begun) })
	go func() {
		got <- get(t, c, k, func(ctx context.Context, _ io.Writer) error {
			once()
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-begun
	locks, name := store.Values(foldstream.Locks), "=cache."+string(k)
	for {
		v, err := locks.Get(t.Context(), name)
		ok(t, err)
		if _, err = locks.Put(t.Context(), foldstream.Value{Key: name, Data: []byte(`{"life": "y", "lease_ms": 60000}`), Revision: v.Revision}); err == nil {
			break
		}
	}
	data := []byte("piece of another")
	digest, size, err := store.Artifacts().Put(t.Context(), bytes.NewReader(data))
	ok(t, err)
	entry, err := json.Marshal(map[string]any{"digest": digest, "size": size})
	ok(t, err)
	_, err = store.Values(foldstream.Experiments).Put(t.Context(), foldstream.Value{Key: name, Data: entry})
	ok(t, err)
	if piece := <-got; piece != string(data) {
		t.Error(piece)
	}
}

func TestCopiesMakeRoom(t *testing.T) {
	store, dir := mem.New(mem.Options{}), t.TempDir()
	c, err := cache.Open(cache.Config{Store: store, Dir: dir, Limit: 2500, Lease: lease})
	ok(t, err)
	piece := strings.Repeat("x", 1000)
	foreign := filepath.Join(dir, "notes.txt")
	ok(t, os.WriteFile(foreign, []byte(strings.Repeat("y", 5000)), 0o600))
	when := time.Now().Add(-time.Hour)
	for i := range 2 {
		get(t, c, keyOf(t, i), says(fmt.Sprint(i)+piece))
		copies, err := filepath.Glob(filepath.Join(dir, string(keyOf(t, i))+".*"))
		ok(t, err)
		ok(t, os.Chtimes(copies[0], when, when.Add(time.Duration(i)*time.Minute)))
	}
	get(t, c, keyOf(t, 0), none(t)) // used last now
	open, err := c.Get(t.Context(), keyOf(t, 1), none(t))
	ok(t, err)
	defer open.Close()
	copies, err := filepath.Glob(filepath.Join(dir, string(keyOf(t, 1))+".*"))
	ok(t, err)
	ok(t, os.Chtimes(copies[0], when, when.Add(time.Minute))) // later than the first was before it was used again
	get(t, c, keyOf(t, 2), says("2"+piece))
	for i, want := range []int{1, 0, 1} {
		if copies, _ := filepath.Glob(filepath.Join(dir, string(keyOf(t, i))+".*")); len(copies) != want {
			t.Errorf("of piece %d there are %d copies", i, len(copies))
		}
	}
	if data, err := io.ReadAll(open); err != nil || string(data) != "1"+piece {
		t.Error("a piece that made room cannot be read by who has it open", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error("a file that is not ours made room")
	}
}

func TestGetIsCancelled(t *testing.T) {
	store, k := mem.New(mem.Options{}), keyOf(t, "features")
	c, _ := machine(t, store)
	begun, goOn := make(chan struct{}), make(chan struct{})
	var builder sync.WaitGroup
	builder.Go(func() {
		get(t, c, k, func(_ context.Context, w io.Writer) error { close(begun); <-goOn; return nil })
	})
	<-begun
	other, _ := machine(t, store)
	for _, c := range []*cache.Cache{c, other} {
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := c.Get(ctx, k, none(t)); !foldstream.Is(err, foldstream.Cancelled) {
			t.Error(err)
		}
		stop()
	}
	close(goOn)
	builder.Wait()
}
