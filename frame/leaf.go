package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/foldstream/foldstream"
)

// The physical types of Parquet that are read here.
const (
	physicalBool   = 0
	physicalInt32  = 1
	physicalInt64  = 2
	physicalInt96  = 3
	physicalFloat  = 4
	physicalDouble = 5
	physicalBytes  = 6
)

// The annotations of types that are read here, by their place in the union, and the legacy ones that say the same.
const (
	logicalString    = 1
	logicalEnum      = 4
	logicalDate      = 6
	logicalTimestamp = 8
	logicalInteger   = 10
	logicalUnknown   = 11 // a column of nulls

	legacyText   = 0
	legacyEnum   = 4
	legacyDate   = 6
	legacyMillis = 9
	legacyMicros = 10
	legacyUint8  = 11
	legacyUint64 = 14
	legacyInt8   = 15
	legacyInt64  = 18
)

// The bytes that a value takes in memory.
const (
	widthTime   = 24
	widthText   = 16
	widthNumber = 8
)

// decoder reads one value of a column in the plain encoding and puts it behind those that are there.
type decoder func(b *thrift, into *Column)

// decoder returns how the column's values are read, and the bytes that a value takes in memory.
func (l leaf) decoder() (read decoder, width int64, err error) {
	if l.logical.id == 0 && l.legacy >= 0 {
		l.logical = legacy(l.legacy)
	}
	switch {
	case l.logical.id == logicalTimestamp && l.physical == physicalInt64:
		return l.timestamp()
	case l.logical.id == logicalDate && l.physical == physicalInt32:
		return readDate, widthTime, nil
	case (l.logical.id == 0 || l.logical.id == logicalString || l.logical.id == logicalEnum) && l.physical == physicalBytes:
		return readText, widthText, nil
	case l.logical.id == 0, l.logical.id == logicalInteger, l.logical.id == logicalUnknown:
		return l.number()
	}
	return nil, 0, errors.New("neither times, texts nor numbers that are read here")
}

// legacy returns the annotation that says what an old one does.
func legacy(converted int64) logical {
	switch {
	case converted == legacyText || converted == legacyEnum:
		return logical{id: logicalString}
	case converted == legacyDate:
		return logical{id: logicalDate}
	case converted == legacyMillis, converted == legacyMicros:
		return logical{id: logicalTimestamp, utc: true, unit: int16(converted - legacyMillis + 1)}
	case converted >= legacyUint8 && converted <= legacyInt64:
		return logical{id: logicalInteger, unsigned: converted <= legacyUint64}
	}
	return logical{id: -1}
}

func (l leaf) timestamp() (decoder, int64, error) {
	if l.logical.utc {
		return nil, 0, errors.New("its times have a time zone; calendars are zone-less: write the local time alone")
	}
	at := map[int16]func(int64) time.Time{1: time.UnixMilli, 2: time.UnixMicro, 3: func(v int64) time.Time { return time.Unix(0, v) }}[l.logical.unit]
	if at == nil {
		return nil, 0, fmt.Errorf("its times are in a unit %d that is not known", l.logical.unit)
	}
	return func(b *thrift, into *Column) {
		if v := b.take(8); v != nil {
			into.addTime(b, at(int64(binary.LittleEndian.Uint64(v))))
		}
	}, widthTime, nil
}

func readDate(b *thrift, into *Column) {
	if v := b.take(4); v != nil {
		into.addTime(b, time.Unix(86400*int64(int32(binary.LittleEndian.Uint32(v))), 0))
	}
}

func (c *Column) addTime(b *thrift, at time.Time) {
	if at = at.UTC(); at.Year() < 1 || at.Year() > 9999 {
		b.fail(errors.New("a time is outside the years 1 to 9999"))
		return
	}
	c.Times = append(c.Times, foldstream.TimeOf(at))
}

func readText(b *thrift, into *Column) {
	n := b.take(4)
	if n == nil {
		return
	}
	v := b.take(uint64(binary.LittleEndian.Uint32(n)))
	if last := len(into.Texts) - 1; last >= 0 && into.Texts[last] == string(v) {
		into.Texts = append(into.Texts, into.Texts[last])
		return
	}
	if !utf8.Valid(v) {
		b.fail(errors.New("a text is not UTF-8"))
	}
	into.Texts = append(into.Texts, string(v))
}

// number returns how numbers are read.
func (l leaf) number() (decoder, int64, error) {
	bytes, value := l.plainNumber()
	if value == nil {
		if l.physical == physicalInt96 {
			return nil, 0, errors.New("its times are of the deprecated type INT96")
		}
		return nil, 0, errors.New("neither times, texts nor numbers that are read here")
	}
	return func(b *thrift, into *Column) {
		v := b.take(bytes)
		if v == nil {
			return
		}
		n, exact := value(v)
		if !exact {
			b.fail(errors.New("a whole number is beyond ±2^53, which a float64 cannot hold"))
		}
		into.Numbers = append(into.Numbers, n)
	}, widthNumber, nil
}

// plainNumber returns how many bytes a number takes, and what they say; nil where the column has none. Truth values in the plain encoding are read
// elsewhere: they are bits.
func (l leaf) plainNumber() (bytes uint64, value func([]byte) (float64, bool)) {
	order, unsigned := binary.LittleEndian, l.logical.unsigned
	switch l.physical {
	case physicalDouble:
		return 8, func(v []byte) (float64, bool) { return math.Float64frombits(order.Uint64(v)), true }
	case physicalFloat:
		return 4, func(v []byte) (float64, bool) { return float64(math.Float32frombits(order.Uint32(v))), true }
	case physicalInt32:
		return 4, func(v []byte) (float64, bool) {
			if unsigned {
				return float64(order.Uint32(v)), true
			}
			return float64(int32(order.Uint32(v))), true
		}
	case physicalInt64:
		return 8, func(v []byte) (float64, bool) {
			n := order.Uint64(v)
			if unsigned {
				return float64(n), n <= 1<<53
			}
			return float64(int64(n)), int64(n) <= 1<<53 && int64(n) >= -1<<53
		}
	case physicalBool:
		return 1, func(v []byte) (float64, bool) { return float64(v[0] & 1), true }
	}
	return 0, nil
}
