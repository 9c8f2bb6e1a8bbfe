package test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
)

var cachedRerun = flag.Int("cached-rerun", 0, "measure how long a rerun of so many cached tasks takes")

// TestCachedRerun measures submissions of tasks whose results are there, as whole commands: into another pool, where they are taken over, and again
// into the same, where they are known.
func TestCachedRerun(t *testing.T) {
	if *cachedRerun == 0 {
		t.Skip("-cached-rerun 10000 measures")
	}
	url, _ := serve(t, t.TempDir())
	store := open(t, url)
	file, dir := jobFile(t, "good", *cachedRerun)
	other := filepath.Join(dir, "other.yaml")
	if err := os.WriteFile(other, []byte(strings.Replace(read(t, file), "name: jobs", "name: other", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	submit := func(what, file string) {
		t.Helper()
		began := time.Now()
		out := mustRun(t, "producer", "submit", file, "--code", "v1", "--environment", "here", "-s", url)
		t.Logf("%s: %v: %s", what, time.Since(began).Round(time.Millisecond), strings.TrimSpace(out))
	}
	submit("new", file)
	if got := worked(t, store, "jobs", "v1"); got != *cachedRerun {
		t.Fatalf("%d tasks were worked", got)
	}
	submit("known", file)
	submit("taken over", other)
	submit("known again", other)
	if c := stat(t, url, "other"); c[foldstream.Done] != *cachedRerun {
		t.Errorf("%v", c)
	}
	mustRun(t, "foldstream", "verify", "other", "-s", url)
}
