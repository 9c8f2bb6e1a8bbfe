package series

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/foldstream/foldstream"
)

// spool keeps points, encoded as a Series: in memory while they are few, in a temporary file beyond. The zero spool is empty.
type spool struct {
	points int
	memory []byte
	file   *os.File
	failed error // of the file: points are missing
}

// spoolMemory is how many bytes of points are kept in memory.
const spoolMemory = 1 << 20

// add keeps a point.
func (s *spool) add(p foldstream.Point) {
	if s.points == 0 {
		s.memory = foldstream.AppendSeriesHeader(nil)
	}
	s.points++
	s.memory = p.AppendCSV(s.memory)
	if len(s.memory) >= spoolMemory {
		s.spill()
	}
}

// spill moves what is in memory to the end of the file.
func (s *spool) spill() {
	if s.file == nil && s.failed == nil {
		s.file, s.failed = os.CreateTemp("", "foldstream-series-*.csv")
	}
	if s.failed == nil {
		_, s.failed = s.file.Write(s.memory)
	}
	s.memory = s.memory[:0]
}

// open reads the points from the first on, and tells how many bytes they take; only one reader at a time, and nothing may be added
// meanwhile. Errors: those of the file.
func (s *spool) open() (io.Reader, int64, error) {
	if s.file == nil || s.failed != nil {
		return bytes.NewReader(s.memory), int64(len(s.memory)), s.failed
	}
	at, err := s.file.Seek(0, io.SeekCurrent)
	return io.MultiReader(io.NewSectionReader(s.file, 0, at), bytes.NewReader(s.memory)), at + int64(len(s.memory)), err
}

// close forgets the points.
func (s *spool) close() error {
	s.memory = nil
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
