package pack

import "encoding/binary"

// Head reads the beginning of a value: how many bytes it takes, less those of the values inside it, and how many those are.
func Head(b []byte) (size, values int, ok bool) {
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
