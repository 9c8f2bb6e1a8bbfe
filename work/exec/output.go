package exec

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"sync"

	"github.com/foldstream/foldstream"
)

// output takes what a command writes: all of its standard output, in case that is the result, and the ends of two logs.
type output struct {
	mu  sync.Mutex
	out bytes.Buffer
	cut bool // out was more than outLimit
	err tail // standard error alone
	log tail // both, in the order they came
}

type stdout output

// Write takes standard output.
func (o *stdout) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.out.Len()+len(p) > outLimit {
		o.cut = true
	} else {
		o.out.Write(p)
	}
	o.log.write(p)
	return len(p), nil
}

type stderr output

// Write takes standard error.
func (o *stderr) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err.write(p)
	o.log.write(p)
	return len(p), nil
}

// take returns the bytes of the result and the log beside it. file is where the command may have put its result.
func (o *output) take(file string) (result, log []byte, err error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if o.cut {
			return nil, nil, tooMuch()
		}
		return o.out.Bytes(), o.err.tail(logLimit), nil
	case err != nil:
		return nil, nil, foldstream.E(foldstream.Invalid, "exec", err)
	case info.Size() > outLimit:
		return nil, nil, tooMuch()
	}
	result, err = os.ReadFile(file)
	return result, o.log.tail(logLimit), foldstream.E(foldstream.Invalid, "exec", err)
}

func tooMuch() error {
	return foldstream.Errorf(foldstream.TooLarge, "exec", "the result is over %d MiB; hand large things back as artifacts", outLimit>>20)
}

// tail keeps the last logLimit bytes written to it, and up to as many before them.
type tail struct{ b []byte }

func (t *tail) write(p []byte) {
	t.b = append(t.b, p...)
	if len(t.b) > 2*logLimit {
		t.b = append(t.b[:0], t.b[len(t.b)-logLimit:]...)
	}
}

// tail returns the last n bytes; where that cuts, from the start of a line if there is one.
func (t *tail) tail(n int) []byte {
	if len(t.b) <= n {
		return t.b
	}
	cut := t.b[len(t.b)-n:]
	if i := bytes.IndexByte(cut, '\n'); i >= 0 && i < len(cut)-1 {
		cut = cut[i+1:]
	}
	return cut
}
