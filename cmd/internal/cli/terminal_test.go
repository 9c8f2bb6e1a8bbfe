package cli_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/foldstream/foldstream/cmd/internal/cli"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"a\tb\nc\r\n": "a\tb\nc\r\n", "\x1b[2J": `\x1b[2J`, "\x1b]0;owned\x07": `\x1b]0;owned\x07`, "over\rwritten": `over\x0dwritten`, "\u009b31m": `\u009b31m`,
		"\x7f\x08\x00": `\x7f\x08\x00`, "a\u202eb": `a\u202eb`, "é 漢 😀 ╭": "é 漢 😀 ╭", "\xff\xfe": `\xff\xfe`, "\xc3(": `\xc3(`, "": "",
	} {
		for cut := range len(in) + 1 { // characters may come in two writes
			if cut > 0 && in[cut-1] == '\r' {
				continue // not so a line end
			}
			var b bytes.Buffer
			w := cli.Plain(&b)
			for _, part := range []string{in[:cut], in[cut:]} {
				if n, err := w.Write([]byte(part)); err != nil || n != len(part) {
					t.Errorf("%q: %d, %v", part, n, err)
				}
			}
			if b.String() != want {
				t.Errorf("%q cut at %d became %q, want %q", in, cut, b.String(), want)
			}
		}
	}
}

// FuzzPlain wants no order to a terminal to come through, and text to come through as it is.
func FuzzPlain(f *testing.F) {
	f.Add([]byte("a\x1b[2Jb\r\n\u202e\u009b"), 3)
	f.Add([]byte("\xe2\x95\xad plain \xff"), 1)
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		cut = min(max(cut, 0), len(text))
		var b bytes.Buffer
		w := cli.Plain(&b)
		_, _ = w.Write(text[:cut])
		_, _ = w.Write(text[cut:])
		if out := b.String(); !utf8.ValidString(out) || strings.ContainsAny(out, "\x00\x07\x08\x1b\x7f\u0085\u009b\u202e\u2066") || strings.Contains(strings.ReplaceAll(out, "\r\n", ""), "\r") {
			t.Errorf("%q became %q", text, out)
		}
	})
}
