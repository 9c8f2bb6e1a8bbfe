package wire

import "github.com/foldstream/foldstream"

// digestSize is the length of a digest in text.
const digestSize = 64

// Digests is a writer that looks for digests in what is written to it, whatever it is: for 64 characters of lower-case hex in a row. Of a longer
// row every 64 count, as a number may stand right behind a digest. It never fails.
type Digests struct {
	Found func(foldstream.Digest)

	row []byte // the last characters of hex, at most a digest
}

// Write looks on where the last Write ended.
func (f *Digests) Write(data []byte) (int, error) {
	for _, c := range data {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			f.row = f.row[:0]
			continue
		}
		if len(f.row) == digestSize {
			f.row = f.row[:copy(f.row, f.row[1:])]
		}
		if f.row = append(f.row, c); len(f.row) == digestSize {
			f.Found(foldstream.Digest(f.row))
		}
	}
	return len(data), nil
}

// End has what is written next begin anew.
func (f *Digests) End() { f.row = f.row[:0] }
