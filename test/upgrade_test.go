package test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

var writeStore = flag.String("write-store", "", "write a store as this version leaves it into testdata/stores, by this name")

const stores = "testdata/stores"

// A store that a version before wrote is opened by this one, which finds all of it and works it to its end.
func TestUpgrade_StoresOfVersionsBefore(t *testing.T) {
	if *writeStore != "" {
		packStore(t, filepath.Join(stores, *writeStore+".tar.gz"), leftOver(t))
	}
	all, err := filepath.Glob(filepath.Join(stores, "*.tar.gz"))
	if err != nil || len(all) == 0 {
		t.Fatalf("%v, %v", all, err)
	}
	for _, file := range all {
		t.Run(filepath.Base(file), func(t *testing.T) {
			dir := t.TempDir()
			unpackStore(t, file, dir)
			url, _ := serve(t, dir)
			if c := stat(t, url, "jobs"); c[foldstream.Done] != 2 || c[foldstream.Dead] != 2 || c[foldstream.Waiting] != 0 {
				t.Fatalf("jobs: %v", c)
			}
			if c := stat(t, url, "more"); c[foldstream.Waiting] != 3 {
				t.Fatalf("more: %v", c)
			}
			if letters := mustRun(t, "foldstream", "dlq", "ls", "jobs", "-s", url); strings.Count(letters, "exit status 3") != 2 {
				t.Error(letters)
			}
			if list := mustRun(t, "foldstream", "recorder", "ls", "-e", "jobs", "-s", url); !strings.Contains(list, "42") {
				t.Error(list)
			}
			start(t, "consumer", "run", "--pool", "more", "--allow", "sh -c", "-s", url)
			eventually(t, "the rest is done", func() bool { return stat(t, url, "more")[foldstream.Done] == 3 })
			mustRun(t, "foldstream", "retry", "jobs", "--all", "--force", "-s", url)
			start(t, "consumer", "run", "--pool", "jobs", "--allow", "sh -c", "-s", url)
			eventually(t, "the failed ones fail again", func() bool { return stat(t, url, "jobs")[foldstream.Dead] == 2 })
			for _, pool := range []string{"jobs", "more"} {
				if out := mustRun(t, "foldstream", "verify", pool, "-s", url); !strings.Contains(out, "0 faults") {
					t.Error(out)
				}
			}
			if out := mustRun(t, "foldstream", "doctor", "-s", url); strings.Contains(out, "critical") || !strings.Contains(out, "foreign messages: none") {
				t.Error(out)
			}
		})
	}
}

// leftOver leaves a store with work that is done, failed and waiting, and returns its folder.
func leftOver(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	url, server := serve(t, dir)
	file, _ := jobFile(t, "good, bad", 2)
	mustRun(t, "producer", "submit", file, "-s", url)
	worker := start(t, "consumer", "run", "--pool", "jobs", "--allow", "sh -c", "-s", url)
	eventually(t, "all have ended", func() bool {
		c := stat(t, url, "jobs")
		return c[foldstream.Done] == 2 && c[foldstream.Dead] == 2
	})
	worker.stop(t)
	others, _ := jobFile(t, "good", 3)
	text, err := os.ReadFile(others)
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, "producer", "submit", write(t, strings.Replace(string(text), "name: jobs", "name: more", 1)), "-s", url)
	server.stop(t)
	return dir
}

// A store of a newer version is refused, and left as it is.
func TestUpgrade_NewerStoreIsRefused(t *testing.T) {
	url := configured(t, &server.Options{JetStream: true})
	js, err := jetstream.New(connected(t, url))
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "FOLD_DEFS", Subjects: []string{"fold.def.>"}, Metadata: map[string]string{"foldstream_layout": "2"}})
	if err != nil {
		t.Fatal(err)
	}
	oneLine(t, []string{"stat", "-s", url}, 4, "the store is of version 2, which a newer program made; this one knows version 1")
	if out := run(t, "producer", "submit", small, "-s", url); out.code != 4 {
		t.Errorf("%+v", out)
	}
	if out := run(t, "foldstream", "doctor", "-s", url); out.code != 5 || !strings.Contains(out.stdout, "the store is of version 2") {
		t.Errorf("%+v", out)
	}
	names := js.StreamNames(t.Context())
	for name := range names.Name() {
		if name != "FOLD_DEFS" {
			t.Errorf("the stream %s was made", name)
		}
	}
	if st, err := js.Stream(t.Context(), "FOLD_DEFS"); err != nil || st.CachedInfo().Config.AllowDirect || st.CachedInfo().State.Msgs > 0 {
		t.Errorf("the stream was changed: %v", err)
	}
}

// packStore writes the files of a folder into an archive.
func packStore(t *testing.T, file, dir string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	err = w.AddFS(os.DirFS(dir))
	if err := errors.Join(err, w.Close(), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func unpackStore(t *testing.T, file, dir string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = unpackOne(filepath.Join(dir, filepath.FromSlash(h.Name)), h.FileInfo().Mode(), r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func unpackOne(path string, mode fs.FileMode, r io.Reader) error {
	if mode.IsDir() {
		return os.MkdirAll(path, 0o700)
	}
	text, err := io.ReadAll(r)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	return err
}
