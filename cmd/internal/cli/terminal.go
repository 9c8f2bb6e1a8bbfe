package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-isatty"
)

// forPeople returns the file to write to; a terminal only shows what is written, whoever wrote it first. It is the one door for texts that
// come from a store, a file or a server: names, errors, logs. Bars and what else moves the cursor go past it, see Env.Terminal.
func forPeople(f *os.File) io.Writer {
	if isatty.IsTerminal(f.Fd()) {
		return &plain{w: f}
	}
	return f
}

// plain shows control characters instead of obeying them, as \x1b: in the name of a task they would move the cursor, rename the window or
// write what is not so. Line ends and tabs stay, characters that turn the direction of writing do not.
type plain struct {
	w    io.Writer
	part []byte // the beginning of a character whose end is not written yet
}

// Write writes b as it may be shown.
func (p *plain) Write(b []byte) (int, error) {
	text := append(p.part, b...)
	p.part = nil
	var out bytes.Buffer
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 && !utf8.FullRune(text) {
			p.part = bytes.Clone(text)
			break
		}
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, text[0])
		case r == '\r' && len(text) > 1 && text[1] == '\n', r == '\n', r == '\t':
			out.WriteRune(r)
		case unicode.IsControl(r) && r < utf8.RuneSelf:
			fmt.Fprintf(&out, `\x%02x`, r)
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.Write(text[:size])
		}
		text = text[size:]
	}
	if _, err := p.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(b), nil
}
