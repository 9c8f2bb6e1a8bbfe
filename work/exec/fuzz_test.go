package exec

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/foldstream/foldstream"
)

// Whatever a command writes is read or refused with a named error, and a frame that was read is written and read again as it was.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"metrics":{"ic":NaN}}`, `{"metrics":{"a":1,"b":null},"params":{"x":[1]},"tags":{"t":"y"}}`, `[`, `{"frames":null}`,
		`{"frames":{"p":{"columns":["datetime","instrument","s"],"data":[["2020-01-02","A",1e308],["2020-01-01T10:00","B",null]]}}}`,
		`{"frames":{"p":{"columns":["datetime"],"data":[[]]}}}`, `{"artifacts":[{"name":"m","path":"m"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decode(data)
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Fatalf("%v is of no kind", err)
			}
			return
		}
		for name, raw := range r.Frames {
			read, err := raw.frame()
			if err != nil {
				continue
			}
			text, err := json.Marshal(table(read))
			if err != nil {
				t.Fatalf("frame %q cannot be written: %v", name, err)
			}
			var back Table
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatal(err)
			}
			again, err := back.frame()
			if err != nil {
				t.Fatalf("frame %q cannot be read again: %v\n%s", name, err, text)
			}
			a, _ := read.MarshalBinary()
			if b, err := again.MarshalBinary(); err != nil || string(a) != string(b) {
				t.Fatalf("frame %q changed: %v\n%s", name, err, text)
			}
		}
	})
}

// Whatever a command appends to its events is taken or refused with a named error.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"progress":{"percent":1e400}}`, `{"metric":{"a":null},"param":{"b":[1]},"artifact":"x"}`, `{"artifact":{"name":1}}`, `null`, `{}{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if _, err := decodeEvent(line); err != nil && !foldstream.Is(err, foldstream.Invalid) {
			t.Fatalf("%v is of no kind", err)
		}
	})
}

// FuzzExcerpt: whatever is written, in whatever pieces, the beginning and the end are kept, and what is left out is counted.
func FuzzExcerpt(f *testing.F) {
	f.Add([]byte("a line\n"), 3, 200_000)
	f.Add([]byte("x"), 1, 3_000_000)
	f.Add([]byte("\n"), 1<<20, 5)
	f.Fuzz(func(t *testing.T, piece []byte, size, times int) {
		size, times = min(max(size, 0), 1<<21), min(max(times, 0), 1<<21)
		if len(piece) == 0 || size*times > 16<<20 || size == 0 || times > 1<<14 {
			return
		}
		chunk := bytes.Repeat(piece, size/len(piece)+1)[:size]
		whole := bytes.Repeat(chunk, times)
		var x excerpt
		for range times {
			x.write(chunk)
		}
		all := x.all()
		switch {
		case len(all) > headLimit+tailLimit+100:
			t.Errorf("%d bytes are kept", len(all))
		case len(whole) <= headLimit+tailLimit:
			if !bytes.Equal(all, whole) {
				t.Errorf("%d bytes became %d", len(whole), len(all))
			}
		case !bytes.HasPrefix(all, whole[:headLimit]) || !bytes.HasSuffix(whole, x.tail) || len(x.head)+x.left+len(x.tail) != len(whole):
			t.Errorf("of %d bytes %d and %d are kept, %d left out", len(whole), len(x.head), len(x.tail), x.left)
		}
		if last := x.last(100); len(last) > 100 || !bytes.HasSuffix(all, last) {
			t.Errorf("the last 100 bytes are %d", len(last))
		}
	})
}
