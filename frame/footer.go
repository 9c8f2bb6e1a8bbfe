package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// magic is what a Parquet file begins and ends with.
const magic = "PAR1"

// maxColumns is how many columns a file may have.
const maxColumns = 1 << 12

// footer is what a Parquet file says of itself, as far as it is needed
// (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).
type footer struct {
	columns []leaf
	rows    int64
	groups  []rowGroup
}

// leaf is a column of the schema.
type leaf struct {
	name     string
	physical int64
	repeated int64 // 0 required, 1 optional, 2 repeated
	children int64
	legacy   int64 // the converted type; −1 where there is none
	logical  logical
}

// logical is the annotation of a column's type.
type logical struct {
	id       int16 // the member of the union that is set; 0 where none is
	utc      bool  // of a timestamp: it has a zone
	unit     int16 // of a timestamp: 1 milliseconds, 2 microseconds, 3 nanoseconds
	unsigned bool  // of an integer
}

type rowGroup struct {
	rows   int64
	chunks []chunk
}

// chunk is the place of a column's values in a row group.
type chunk struct {
	elsewhere  bool // in another file, or encrypted
	codec      int64
	values     int64
	size       int64 // compressed
	data, dict int64 // offsets; dict is 0 where there is none
}

// readFooter reads the last part of a file.
func readFooter(data []byte) (footer, error) {
	var f footer
	n := len(data)
	if n < 12 || string(data[:4]) != magic || string(data[n-4:]) != magic {
		return f, errors.New("it is no Parquet file, or one that is encrypted")
	}
	size := binary.LittleEndian.Uint32(data[n-8:])
	if uint64(size) > uint64(n-12) {
		return f, errShort
	}
	r := thrift{b: data[n-8-int(size) : n-8]}
	f.read(&r)
	if r.err == nil {
		r.err = f.check(int64(n - 8 - int(size)))
	}
	return f, r.err
}

func (f *footer) read(r *thrift) {
	r.fields(kindStruct, func(id int16, kind byte) {
		switch id {
		case 2:
			r.list(kind, func(kind byte) {
				f.columns = append(f.columns, readLeaf(r, kind))
				if len(f.columns) > maxColumns+1 {
					r.fail(fmt.Errorf("it has more than %d columns", maxColumns))
				}
			})
		case 3:
			f.rows = r.int(kind)
		case 4:
			r.list(kind, func(kind byte) { f.groups = append(f.groups, readGroup(r, kind)) })
		default:
			r.skip(kind)
		}
	})
}

func readLeaf(r *thrift, kind byte) leaf {
	l := leaf{legacy: -1, physical: -1}
	r.fields(kind, func(id int16, kind byte) {
		switch id {
		case 1:
			l.physical = r.int(kind)
		case 3:
			l.repeated = r.int(kind)
		case 4:
			l.name = string(r.binary(kind))
		case 5:
			l.children = r.int(kind)
		case 6:
			l.legacy = r.int(kind)
		case 10:
			l.logical = readLogical(r, kind)
		default:
			r.skip(kind)
		}
	})
	return l
}

func readLogical(r *thrift, kind byte) (l logical) {
	r.fields(kind, func(id int16, kind byte) {
		l.id = id
		r.fields(kind, func(field int16, kind byte) {
			switch {
			case id == logicalTimestamp && field == 1:
				l.utc = r.truth(kind)
			case id == logicalTimestamp && field == 2:
				r.fields(kind, func(unit int16, kind byte) {
					l.unit = unit
					r.skip(kind)
				})
			case id == logicalInteger && field == 2:
				l.unsigned = !r.truth(kind)
			default:
				r.skip(kind)
			}
		})
	})
	return l
}

func readGroup(r *thrift, kind byte) (g rowGroup) {
	r.fields(kind, func(id int16, kind byte) {
		switch id {
		case 1:
			r.list(kind, func(kind byte) {
				g.chunks = append(g.chunks, readChunk(r, kind))
				if len(g.chunks) > maxColumns {
					r.fail(fmt.Errorf("a row group has more than %d columns", maxColumns))
				}
			})
		case 3:
			g.rows = r.int(kind)
		default:
			r.skip(kind)
		}
	})
	return g
}

func readChunk(r *thrift, kind byte) (c chunk) {
	r.fields(kind, func(id int16, kind byte) {
		switch id {
		case 3:
			c.read(r, kind)
		case 1, 8, 9:
			c.elsewhere = true
			r.skip(kind)
		default:
			r.skip(kind)
		}
	})
	return c
}

func (c *chunk) read(r *thrift, kind byte) {
	r.fields(kind, func(id int16, kind byte) {
		switch id {
		case 4:
			c.codec = r.int(kind)
		case 5:
			c.values = r.int(kind)
		case 7:
			c.size = r.int(kind)
		case 9:
			c.data = r.int(kind)
		case 11:
			c.dict = r.int(kind)
		default:
			r.skip(kind)
		}
	})
}

// check takes the root off the columns and sees that what the file says of itself agrees. end is where its values end.
func (f *footer) check(end int64) error {
	if len(f.columns) == 0 || f.columns[0].children != int64(len(f.columns)-1) {
		return errors.New("its columns are not flat, or miscounted")
	}
	f.columns = f.columns[1:]
	for _, l := range f.columns {
		if l.children != 0 || l.repeated < 0 || l.repeated > 1 {
			return fmt.Errorf("column %q has lists or structs for values", l.name)
		}
		if !utf8.ValidString(l.name) {
			return fmt.Errorf("the name of column %q is not UTF-8", l.name)
		}
	}
	left := f.rows
	for _, g := range f.groups {
		if g.rows < 0 || g.rows > left || len(g.chunks) != len(f.columns) {
			return errors.New("its row groups do not agree with its rows and columns")
		}
		left -= g.rows
		for i, c := range g.chunks {
			if err := c.check(g.rows, end); err != nil {
				return fmt.Errorf("column %q: %w", f.columns[i].name, err)
			}
		}
	}
	if left != 0 || f.rows > math.MaxInt32 {
		return errors.New("its row groups do not have its rows")
	}
	return nil
}

func (c chunk) check(rows, end int64) error {
	switch {
	case c.elsewhere:
		return errors.New("its values are in another file, or encrypted")
	case c.values != rows:
		return fmt.Errorf("%d values for %d rows", c.values, rows)
	case rows == 0: // it need not say where
	case c.start() < int64(len(magic)) || c.start() > end || c.size < 0 || c.size > end-c.start():
		return errShort
	}
	return nil
}

// start is where the chunk begins.
func (c chunk) start() int64 {
	if c.dict > 0 && c.dict < c.data {
		return c.dict
	}
	return c.data
}
