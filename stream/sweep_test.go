package stream_test

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

func stored(t *testing.T, s *stream.Store) (all []foldstream.Stored) {
	t.Helper()
	for b, err := range s.Stored(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// TestSweep_Died dies when it was said of a blob that it is deleted, and its chunks are there. They are an upload that nothing names, which the next
// one sweeps; the same bytes can be stored again meanwhile.
func TestSweep_Died(t *testing.T) {
	url := streamtest.Server(t).URL()
	first, second := open(t, url, stream.Config{}), open(t, url, stream.Config{})
	data := bytes.Repeat([]byte("foldstream "), 50_000)
	d, _, err := first.Artifacts().Put(t.Context(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	before := stored(t, second)
	if len(before) != 1 || before[0].Digest != d || before[0].Size != int64(len(data)) {
		t.Fatalf("stored are %+v", before)
	}
	died := first.DieAt("sweep: unnamed")
	if swept, err := first.Sweep(t.Context(), before[0]); err == nil || swept || !died.Load() {
		t.Fatalf("it did not die: %v, %v", swept, err)
	}
	if _, err := second.Artifacts().Stat(t.Context(), d); !foldstream.Is(err, foldstream.NotFound) {
		t.Errorf("the blob: %v", err)
	}
	if _, _, err := second.Artifacts().Put(t.Context(), bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	left := stored(t, second)
	i := slices.IndexFunc(left, func(b foldstream.Stored) bool { return b.Digest == "" })
	if len(left) != 2 || i < 0 || left[i].Upload != before[0].Upload || left[i].Size < int64(len(data)) {
		t.Fatalf("left are %+v", left)
	}
	if swept, err := second.Sweep(t.Context(), left[i]); err != nil || !swept {
		t.Fatalf("%v, %v", swept, err)
	}
	r, err := second.Artifacts().Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes of the blob that was stored again, %v", len(got), err)
	}
	if left := stored(t, second); len(left) != 1 {
		t.Errorf("left are %+v", left)
	}
}
