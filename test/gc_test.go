package test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gc"
)

// mortal is a store whose process dies when it has swept so many blobs.
type mortal struct {
	gc.Store
	left int
	die  context.CancelFunc
}

func (m *mortal) Sweep(ctx context.Context, s foldstream.Stored) (bool, error) {
	if m.left--; m.left == 0 {
		m.die()
	}
	return m.Store.Sweep(ctx, s)
}

// TestGarbageIsCollected deletes all garbage of a store, also such as was stored just now, in a run that dies and one that completes it. Of the
// experiment there all is left: what was signed verifies, and everything it consists of can be exported.
func TestGarbageIsCollected(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	mustRun(t, "foldstream", "run", small, "--store", dir, "--out", out)
	url, _ := serve(t, dir)
	key, _ := keyFile(t)
	signed := filepath.Join(out, "small.signed")
	mustRun(t, "foldstream", "experiment", "sign", "small", "--key", key, "-o", signed, "-s", url)
	store := open(t, url)
	const lost = 5
	var garbage []foldstream.Digest
	for i := range lost {
		d, _, err := store.Artifacts().Put(t.Context(), strings.NewReader(fmt.Sprint("garbage ", i)))
		if err != nil {
			t.Fatal(err)
		}
		garbage = append(garbage, d)
	}
	o := gc.Options{Before: time.Now().Add(time.Hour)}
	ctx, die := context.WithCancel(t.Context())
	defer die()
	if _, err := gc.Run(ctx, &mortal{store, 2, die}, o); err == nil {
		t.Fatal("it did not die")
	}
	r, err := gc.Run(t.Context(), store, o)
	if err != nil || r.Blobs == 0 || r.Stored <= r.Blobs {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, d := range garbage {
		if _, err := store.Artifacts().Stat(t.Context(), d); !foldstream.Is(err, foldstream.NotFound) {
			t.Errorf("garbage is there: %v", err)
		}
	}
	mustRun(t, "foldstream", "experiment", "verify", signed, "-s", url)
	mustRun(t, "foldstream", "archive", "export", "small", filepath.Join(out, "small.archive"), "-s", url)
	mustRun(t, "foldstream", "collection", "export", "small", filepath.Join(out, "files"), "-s", url)
	if said := mustRun(t, "foldstream", "gc", "--dry-run", "-s", url); !strings.HasPrefix(said, "would delete 0 blobs") {
		t.Error(said)
	}
}
