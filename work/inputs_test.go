package work_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work"
)

// reads is a worker that checks that the data "d" reads want.
func reads(t *testing.T, want string) work.Registry {
	return doing(func(_ context.Context, task foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
		got, err := os.ReadFile(task.Data[0].Path)
		if string(got) != want {
			t.Errorf("task %s reads %q, want %q", task.ID, got, want)
		}
		return foldstream.Result{}, err
	})
}

func with(name string, d foldstream.Data) foldstream.Task {
	return foldstream.Task{ID: foldstream.TaskID(name), Data: []foldstream.Data{d}}
}

func TestUploadsAreBroughtOnce(t *testing.T) {
	const text = "date,A\n2000-01-03,1\n"
	store := &blobs{slow: 50 * time.Millisecond} // so that tasks that start together meet
	d, _, _ := store.Put(t.Context(), strings.NewReader(text))
	data := foldstream.Data{Name: "d", Path: "/the/producer's/p.csv", Digest: d, Upload: true}
	dir := filepath.Join(t.TempDir(), "cache")
	r := &work.Runner{Artifacts: store, CacheDir: dir, Concurrency: 4, Workers: reads(t, text)}

	drain(t, r, queue(with("a", data), with("b", data), with("c", data), with("d", data)))
	if store.opens != 1 {
		t.Errorf("downloaded %d times", store.opens)
	}
	drain(t, r, queue(with("a", data))) // another process with the same folder
	if store.opens != 1 {
		t.Errorf("a kept copy was downloaded again")
	}
	path := filepath.Join(dir, string(d))
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	drain(t, r, queue(with("a", data)))
	if store.opens != 2 {
		t.Errorf("a damaged copy was not replaced")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestDataThatCannotBeTrusted(t *testing.T) {
	dir := t.TempDir()
	shared := filepath.Join(dir, "p.csv")
	if err := os.WriteFile(shared, []byte("now"), 0o600); err != nil {
		t.Fatal(err)
	}
	then := digest([]byte("then"))
	damaged := &blobs{bytes: map[foldstream.Digest][]byte{then: []byte("now")}}
	away := &blobs{err: foldstream.Errorf(foldstream.Unavailable, "open", "no server")}
	for name, c := range map[string]struct {
		store foldstream.Artifacts
		data  foldstream.Data
		how   string
		why   []string
	}{
		"changed":      {damaged, foldstream.Data{Name: "d", Path: shared, Digest: then}, "fail", []string{"d: the file " + shared, "expected digest " + string(then), "found " + string(digest([]byte("now")))}},
		"missing":      {damaged, foldstream.Data{Name: "d", Path: shared + "x", Digest: then}, "return", []string{"d: there is no file " + shared + "x"}},
		"damaged":      {damaged, foldstream.Data{Name: "d", Path: "p.csv", Digest: then, Upload: true}, "fail", []string{"d: the store's upload of p.csv is damaged"}},
		"gone":         {damaged, foldstream.Data{Name: "d", Path: "p.csv", Digest: digest(nil), Upload: true}, "return", []string{"d: the upload of p.csv", "no blob"}},
		"away":         {away, foldstream.Data{Name: "d", Path: "p.csv", Digest: then, Upload: true}, "return", nil},
		"digest":       {damaged, foldstream.Data{Name: "d", Path: shared, Digest: "../../etc/passwd", Upload: true}, "fail", []string{"is not a SHA-256 digest"}},
		"short digest": {damaged, foldstream.Data{Name: "d", Path: shared, Digest: "abcd"}, "fail", []string{"is not a SHA-256 digest"}},
		"a folder":     {damaged, foldstream.Data{Name: "d", Path: dir, Digest: then}, "return", []string{"d: " + dir + " is no plain file"}},
		"a device":     {damaged, foldstream.Data{Name: "d", Path: os.DevNull, Digest: digest(nil)}, "return", []string{"is no plain file"}},
		"nowhere":      {nil, foldstream.Data{Name: "d", Path: "p.csv", Digest: then, Upload: true}, "fail", []string{"no store to take uploads from"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := queue(with("a", c.data))
			var ran atomic.Bool
			r := &work.Runner{Artifacts: c.store, CacheDir: dir, Workers: doing(func(context.Context, foldstream.Task, foldstream.Recorder) (foldstream.Result, error) {
				ran.Store(true)
				return foldstream.Result{}, nil
			})}
			drain(t, r, p)
			got := p.one(t, "a")
			if ran.Load() || got.how != c.how || (got.why == nil) != (c.why == nil) {
				t.Fatalf("ran %v; %s: %v", ran.Load(), got.how, got.why)
			}
			for _, part := range c.why {
				if !strings.Contains(text(got.why), part) {
					t.Errorf("%v lacks %q", got.why, part)
				}
			}
		})
	}
}

// A shared file that changes while the consumer runs is noticed.
func TestSharedFileIsWatched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.csv")
	if err := os.WriteFile(path, []byte("then"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := foldstream.Data{Name: "d", Path: path, Digest: digest([]byte("then"))}
	p := queue(with("a", data), with("b", data))
	r := &work.Runner{Concurrency: 1, Workers: doing(func(context.Context, foldstream.Task, foldstream.Recorder) (foldstream.Result, error) {
		return foldstream.Result{}, os.WriteFile(path, []byte("changed"), 0o600)
	})}
	drain(t, r, p)
	if p.one(t, "a").how != "commit" || p.one(t, "b").how != "fail" {
		t.Error(p.ends)
	}
}

func TestTemporaryCacheGoes(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	store := &blobs{}
	d, _, _ := store.Put(t.Context(), strings.NewReader("x"))
	drain(t, &work.Runner{Artifacts: store, Workers: reads(t, "x")}, queue(with("a", foldstream.Data{Name: "d", Digest: d, Upload: true})))
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
