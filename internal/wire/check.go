package wire

import (
	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/pack"
)

// MaxDepth is how many lists and maps that are not empty may be inside one another. An experiment file has no more than 100.
const MaxDepth = 128

// Check reports why data is not one value of msgpack that can be decoded at no more memory than a small multiple of its size. A decoder
// believes the lengths and the depth that bytes claim: without the check a message of a few kilobytes that claims to hold maps of a
// million entries inside one another takes all the memory there is, and one of a few megabytes of nested lists ends the
// process, which no recover catches. Check needs no memory itself. Errors: Invalid.
func Check(data []byte) error {
	var left [MaxDepth + 1]int // values to come of each list and map that is open; the first is the whole
	left[0] = 1
	for depth := 0; ; {
		for left[depth] == 0 {
			if depth--; depth < 0 {
				return behind(data)
			}
		}
		left[depth]--
		size, values, ok := pack.Head(data)
		switch {
		case !ok || size > len(data) || values > len(data)-size: // a value takes a byte at least
			return foldstream.Errorf(foldstream.Invalid, "", "it ends too early, or is no msgpack")
		case values > 0 && depth == MaxDepth:
			return foldstream.Errorf(foldstream.Invalid, "", "lists and maps are nested more than %d deep", MaxDepth)
		case values > 0:
			depth++
			left[depth] = values
		}
		data = data[size:]
	}
}

func behind(data []byte) error {
	if len(data) > 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "%d bytes after the end", len(data))
	}
	return nil
}
