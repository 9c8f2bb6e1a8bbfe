package stream_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// Whoever is stopped just when the object gets its name does not know if it has it, and must leave what it is made of: else whoever stores the
// same again is told that it is there, and nobody can read it.
func TestPut_StoppedAtItsName(t *testing.T) {
	s := open(t, streamtest.Server(t).URL(), stream.Config{})
	data := bytes.Repeat([]byte("foldstream "), 50_000)
	ctx, cancel := context.WithCancel(t.Context())
	s.Between(func(step string) error {
		if step == "put: stored" {
			cancel()
		}
		return nil
	})
	if _, _, err := s.Artifacts().Put(ctx, bytes.NewReader(data)); !foldstream.Is(err, foldstream.Cancelled) {
		t.Fatalf("%v", err)
	}
	s.Between(nil)
	d, n, err := s.Artifacts().Put(t.Context(), bytes.NewReader(data))
	if err != nil || n != int64(len(data)) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	within, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	r, err := s.Artifacts().Open(within, d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
}
