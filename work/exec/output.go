package exec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/foldstream/foldstream"
)

// output takes what a command writes: all of its standard output, in case that is the result, and excerpts of two logs.
type output struct {
	mu  sync.Mutex
	out bytes.Buffer
	cut bool    // out was more than outLimit
	err excerpt // standard error alone
	log excerpt // both, in the order they came
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

// take returns the bytes of the result and the log beside it. The result is what the command put into its file, if that is there.
func (o *output) take(dir *folder) (result, log []byte, err error) {
	result, err = dir.read(outName, outLimit)
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return result, o.log.all(), foldstream.E(kindOf(err), "exec", err)
	case o.cut:
		return nil, nil, tooMuch()
	}
	return o.out.Bytes(), o.err.all(), nil
}

// kindOf is the kind of an error of reading what a command left: Invalid, unless it says another.
func kindOf(err error) foldstream.Kind {
	if err != nil && foldstream.KindOf(err) != foldstream.Internal {
		return foldstream.KindOf(err)
	}
	return foldstream.Invalid
}

func tooMuch() error {
	return foldstream.Errorf(foldstream.TooLarge, "exec", "the result is over %d MiB; hand large things back as artifacts", outLimit>>20)
}

// How much of a log is kept: its beginning, where versions and settings stand, and its end, where the reason is.
const (
	headLimit = 256 << 10
	tailLimit = 768 << 10
)

// excerpt keeps the beginning and the end of what is written to it.
type excerpt struct {
	head []byte
	tail []byte // up to twice tailLimit
	left int    // bytes in between that were left out so far
}

func (x *excerpt) write(p []byte) {
	n := min(len(p), headLimit-len(x.head))
	x.head = append(x.head, p[:n]...)
	x.tail = append(x.tail, p[n:]...)
	if len(x.tail) > 2*tailLimit {
		x.drop()
	}
}

// drop leaves out what is before the last tailLimit bytes, and the rest of a line that this cuts.
func (x *excerpt) drop() {
	over := len(x.tail) - tailLimit
	if i := bytes.IndexByte(x.tail[over:], '\n'); i >= 0 && over+i+1 < len(x.tail) {
		over += i + 1
	}
	x.tail = append(x.tail[:0], x.tail[over:]...)
	x.left += over
}

// all returns what is kept, with a line in the place of what is not.
func (x *excerpt) all() []byte {
	if len(x.tail) > tailLimit {
		x.drop()
	}
	gap := ""
	if x.left > 0 {
		gap = fmt.Sprintf("\n… foldstream left %d bytes out here …\n", x.left)
	}
	return slices.Concat(x.head, []byte(gap), x.tail)
}

// last returns the last n bytes; where that cuts, from the start of a line if there is one.
func (x *excerpt) last(n int) []byte {
	all := x.all()
	if len(all) <= n {
		return all
	}
	cut := all[len(all)-n:]
	if i := bytes.IndexByte(cut, '\n'); i >= 0 && i < len(cut)-1 {
		cut = cut[i+1:]
	}
	return cut
}
