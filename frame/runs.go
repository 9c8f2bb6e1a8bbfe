package frame

import (
	"errors"
)

// runs reads the whole numbers of Parquet's hybrid of run lengths and packed bits, one at a time: levels, codes into a
// dictionary, truth values (https://github.com/apache/parquet-format/blob/master/Encodings.md).
type runs struct {
	b     []byte
	width int // bits of a number, 0 to 32

	left   uint64 // numbers of the present run that are to come
	value  uint32 // of a run of equal numbers
	mixed  bool   // the run is of packed numbers
	packed []byte // they
	bit    int    // where the next one begins
}

var errRuns = errors.New("its levels or codes end too early")

func (r *runs) next() (uint32, error) {
	for r.left == 0 {
		if err := r.begin(); err != nil {
			return 0, err
		}
	}
	r.left--
	if !r.mixed {
		return r.value, nil
	}
	var v uint64
	first := r.bit >> 3
	for i := range min(8, len(r.packed)-first) {
		v |= uint64(r.packed[first+i]) << (8 * i)
	}
	v = v >> (r.bit & 7) & (1<<r.width - 1)
	r.bit += r.width
	return uint32(v), nil
}

// begin reads the head of the next run.
func (r *runs) begin() error {
	t := thrift{b: r.b}
	head := t.uvarint()
	r.mixed, r.bit, r.left = head&1 == 1, 0, head>>1
	if !r.mixed {
		r.value = 0
		for i, v := range t.take(uint64(r.width+7) / 8) {
			r.value |= uint32(v) << (8 * i)
		}
	} else {
		bytes := min(head>>1, 1<<40) * uint64(r.width) // a group is of 8 numbers
		r.left = 8 * min(head>>1, 1<<40)
		r.packed = t.take(min(bytes, uint64(len(t.b))))
		if there := uint64(len(r.packed)); there < bytes { // writers may leave out the padding of the last group
			r.left = 8 * there / uint64(r.width)
		}
	}
	if t.err != nil {
		return errRuns
	}
	r.b = t.b
	return nil
}
