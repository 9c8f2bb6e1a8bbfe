package wire

import (
	"encoding/binary"

	"github.com/foldstream/foldstream"
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
		size, values, ok := head(data)
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

// head reads the beginning of a value: how many bytes it takes, less those of the values inside it, and how many those are.
func head(b []byte) (size, values int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	switch c := b[0]; {
	case c < 0x80, c >= 0xe0, c == 0xc0, c == 0xc2, c == 0xc3: // small numbers, nil, false, true
		return 1, 0, true
	case c < 0x90:
		return 1, 2 * int(c&0x0f), true
	case c < 0xa0:
		return 1, int(c & 0x0f), true
	case c < 0xc0:
		return 1 + int(c&0x1f), 0, true
	case c >= 0xdc:
		n, ok := number(b, 2<<(c&1))
		if c >= 0xde {
			n *= 2
		}
		return 1 + 2<<(c&1), n, ok
	}
	return blob(b)
}

// blob reads the beginning of a value of a length that its first byte tells, or that follows it.
func blob(b []byte) (size, values int, ok bool) {
	var width int
	switch c := b[0]; {
	case c == 0xc1: // nothing
		return 0, 0, false
	case c <= 0xc6: // bytes
		width = 1 << (c - 0xc4)
	case c <= 0xc9: // an extension: its type is one byte more
		width = 1 << (c - 0xc7)
		size = 1
	case c <= 0xcb: // floats
		return 1 + 4<<(c-0xca), 0, true
	case c <= 0xd3: // numbers
		return 1 + 1<<(c&3), 0, true
	case c <= 0xd8: // extensions of fixed lengths
		return 2 + 1<<(c-0xd4), 0, true
	default: // text
		width = 1 << (c - 0xd9)
	}
	n, ok := number(b, width)
	return 1 + width + size + n, 0, ok
}

// number reads a length of so many bytes behind the first. One that is longer than any message is no length.
func number(b []byte, width int) (int, bool) {
	if len(b) <= width {
		return 0, false
	}
	switch width {
	case 1:
		return int(b[1]), true
	case 2:
		return int(binary.BigEndian.Uint16(b[1:])), true
	}
	n := binary.BigEndian.Uint32(b[1:])
	return int(n & (1<<30 - 1)), n < 1<<30
}
