package mem

import (
	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream"
)

// carry encodes v and decodes it again, as a wire would: the copy shares nothing with v. A value that takes more than limit bytes
// does not pass. Errors: Invalid (v cannot be encoded), TooLarge.
func carry[T any](op string, v T, limit int) (T, error) {
	var copied T
	data, err := msgpack.Marshal(v)
	if err != nil {
		return copied, foldstream.E(foldstream.Invalid, op, err)
	}
	if len(data) > limit {
		return copied, foldstream.Errorf(foldstream.TooLarge, op, "%d bytes are over the limit of %d", len(data), limit)
	}
	return copied, foldstream.E(foldstream.Internal, op, msgpack.Unmarshal(data, &copied))
}
