package work

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/foldstream/foldstream"
)

// spool keeps the points that an attempt tells, encoded as a Series: in memory while they are few, in a temporary file beyond.
// The zero spool is empty.
type spool struct {
	points int
	ends   map[string]foldstream.Point // of each metric the last told of the highest step
	memory []byte
	file   *os.File
	failed error // of the file: points are missing
	sealed bool  // nothing is added any more
}

// spoolMemory is how many bytes of points are kept in memory.
const spoolMemory = 1 << 20

// add keeps a point.
func (s *spool) add(p foldstream.Point) {
	if s.sealed {
		return
	}
	if s.points == 0 {
		s.ends, s.memory = map[string]foldstream.Point{}, foldstream.AppendSeriesHeader(nil)
	}
	s.points++
	if end, ok := s.ends[p.Metric]; !ok || p.Step >= end.Step {
		s.ends[p.Metric] = p
	}
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

// size returns how many bytes the points take. Errors: those of the file.
func (s *spool) size() (int64, error) {
	if s.file == nil || s.failed != nil {
		return int64(len(s.memory)), s.failed
	}
	at, err := s.file.Seek(0, io.SeekCurrent)
	return at + int64(len(s.memory)), err
}

// open reads the points from the first on; only one reader at a time, and nothing may be added meanwhile.
func (s *spool) open() (io.Reader, error) {
	if s.file == nil {
		return bytes.NewReader(s.memory), s.failed
	}
	at, err := s.file.Seek(0, io.SeekCurrent)
	return io.MultiReader(io.NewSectionReader(s.file, 0, at), bytes.NewReader(s.memory)), errors.Join(s.failed, err)
}

// close forgets the points.
func (s *spool) close() {
	s.sealed, s.memory = true, nil
	if s.file != nil {
		_ = s.file.Close() // nobody reads it again
		_ = os.Remove(s.file.Name())
	}
}
