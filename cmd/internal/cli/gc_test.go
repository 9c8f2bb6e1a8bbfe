package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/stream/mem"
)

func TestGC(t *testing.T) {
	now := time.Now().Add(-40 * 24 * time.Hour)
	store := mem.New(mem.Options{Now: func() time.Time { return now }})
	put := func(text string) string {
		d, _, err := store.Artifacts().Put(t.Context(), strings.NewReader(text))
		ok(t, err)
		return string(d)
	}
	kept, lost, prepared := put("kept"), put(strings.Repeat("lost", 1000)), put("prepared")
	for key, data := range map[string]string{"e": kept, "=cache.x": prepared} {
		_, err := store.Values(foldstream.Experiments).Put(t.Context(), foldstream.Value{Key: key, Data: []byte(data)})
		ok(t, err)
	}
	now = time.Now()
	put("young")
	there := func(d string) bool {
		_, err := store.Artifacts().Stat(t.Context(), foldstream.Digest(d))
		return err == nil
	}
	env := func() *cli.Env { return &cli.Env{Store: store} }
	command(t, env(), "gc", "--grace", "1m").says(t, 2, "--grace 1m0s is below 1h0m0s")
	command(t, env(), "gc", "--unused", "1h").says(t, 2, "--unused 1h0m0s is below 24h0m0s")
	const what = "2 blobs that nothing refers to, 0 uploads that were never completed, 3.9 KiB; 1 prepared data that nobody uses\nof 4 blobs, 3.9 KiB, stored; 1 were stored in the last 168h0m0s\n"
	if got := command(t, env(), "gc", "--dry-run").stdout; got != "would delete "+what {
		t.Errorf("dry run: %q", got)
	}
	command(t, env(), "gc").says(t, 2, "add --force")
	if !there(lost) || !there(prepared) {
		t.Fatal("deleted without being told to")
	}
	if got := command(t, env(), "gc", "--force").stdout; got != "deleted "+what {
		t.Errorf("%q", got)
	}
	if there(lost) || there(prepared) || !there(kept) {
		t.Errorf("lost %v, prepared %v, kept %v", there(lost), there(prepared), there(kept))
	}
	if got := command(t, env(), "gc", "--json").stdout; !strings.Contains(got, `"blobs":0`) && !strings.Contains(got, `"blobs": 0`) {
		t.Errorf("with nothing to delete: %q", got)
	}
}
