package frame

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The types of pages and the encodings that are read here.
const (
	pageData       = 0
	pageIndex      = 1
	pageDictionary = 2
	pageData2      = 3

	encodingPlain     = 0
	encodingPlainDict = 2
	encodingRuns      = 3
	encodingDict      = 8
)

// page is the head of a page.
type page struct {
	kind       int64
	size       int64 // of the bytes that follow, once they are decompressed
	compressed int64
	crc        int64
	checked    bool // there is a crc
	values     int64
	encoding   int64
	levels     int64 // the encoding of the definition levels; of version 2 their number of bytes
	repeats    int64 // of version 2: the number of bytes of the repetition levels
	plain      bool  // of version 2: what follows the levels is not compressed
}

func readPage(r *thrift) (p page) {
	r.fields(kindStruct, func(id int16, kind byte) {
		switch id {
		case 1:
			p.kind = r.int(kind)
		case 2:
			p.size = r.int(kind)
		case 3:
			p.compressed = r.int(kind)
		case 4:
			p.crc, p.checked = r.int(kind), true
		case 5, 7, 8:
			p.read(r, kind, id)
		default:
			r.skip(kind)
		}
	})
	return p
}

// read reads the part of the head that its kind of page has: 5 data, 7 dictionary, 8 data of version 2.
func (p *page) read(r *thrift, kind byte, part int16) {
	r.fields(kind, func(id int16, kind byte) {
		switch {
		case id == 1:
			p.values = r.int(kind)
		case id == 2 && part != 8 || id == 4 && part == 8:
			p.encoding = r.int(kind)
		case id == 3 && part == 5 || id == 5 && part == 8:
			p.levels = r.int(kind)
		case id == 6 && part == 8:
			p.repeats = r.int(kind)
		case id == 7 && part == 8:
			p.plain = !r.truth(kind)
		default:
			r.skip(kind)
		}
	})
}

// reading is the state of reading one column.
type reading struct {
	leaf
	budget *budget
	read   decoder
	width  int64 // bytes of a value in memory
	codec  int64
	dict   *Column
	into   Column
}

// chunk reads the values of a row group.
func (c *reading) chunk(data []byte, at chunk) error {
	if at.values == 0 {
		return nil
	}
	r := thrift{b: data[at.start() : at.start()+at.size]}
	c.codec, c.dict = at.codec, nil
	for left := at.values; left > 0; {
		p := readPage(&r)
		body := r.take(uint64(p.compressed))
		switch {
		case r.err != nil:
			return r.err
		case p.checked && crc32.ChecksumIEEE(body) != uint32(p.crc):
			return errors.New("a page's checksum is wrong")
		case p.values < 0 || p.size < 0 || (p.kind == pageData || p.kind == pageData2) && p.values > left:
			return errors.New("a page has more values than its rows")
		}
		if err := c.page(p, body); err != nil {
			return err
		}
		if p.kind == pageData || p.kind == pageData2 {
			left -= p.values
		}
	}
	return nil
}

func (c *reading) page(p page, body []byte) error {
	switch p.kind {
	case pageDictionary:
		return c.dictionary(p, body)
	case pageData:
		return c.version1(p, body)
	case pageData2:
		return c.version2(p, body)
	case pageIndex:
		return nil
	}
	return fmt.Errorf("a page of a kind %d that is not known", p.kind)
}

func (c *reading) dictionary(p page, body []byte) error {
	if c.dict != nil || p.encoding != encodingPlain && p.encoding != encodingPlainDict || c.physical == physicalBool {
		return errors.New("a dictionary where there can be none")
	}
	body, err := c.budget.decompress(c.codec, body, p.size)
	if err != nil {
		return err
	}
	if err := c.keep(body); err != nil || p.values > int64(len(body)) { // a value takes a byte at least
		return cmp.Or(err, errShort)
	}
	if err := c.budget.take(c.width * p.values); err != nil {
		return err
	}
	c.dict = &Column{}
	b := thrift{b: body}
	for range p.values {
		if c.read(&b, c.dict); b.err != nil {
			return b.err
		}
	}
	return nil
}

// keep spends the bytes of texts, which are kept: two chunks may name the same bytes of the file.
func (c *reading) keep(body []byte) error {
	if c.physical != physicalBytes {
		return nil
	}
	return c.budget.take(int64(len(body)))
}

// version1 reads a page whose levels and values are compressed together.
func (c *reading) version1(p page, body []byte) error {
	body, err := c.budget.decompress(c.codec, body, p.size)
	if err != nil {
		return err
	}
	var levels []byte
	if c.repeated == 1 {
		b := thrift{b: body}
		n := b.take(4)
		if n == nil || p.levels != encodingRuns {
			return errRuns
		}
		levels = b.take(uint64(binary.LittleEndian.Uint32(n)))
		if body = b.b; b.err != nil {
			return b.err
		}
	}
	return c.values(p, levels, body)
}

// version2 reads a page whose levels stand before what is compressed.
func (c *reading) version2(p page, body []byte) error {
	if p.repeats != 0 || p.levels < 0 || p.levels > int64(len(body)) || p.levels > p.size {
		return errRuns
	}
	levels, body := body[:p.levels], body[p.levels:]
	if !p.plain {
		var err error
		if body, err = c.budget.decompress(c.codec, body, p.size-p.levels); err != nil {
			return err
		}
	}
	return c.values(p, levels, body)
}

// values reads the values of a page of data; a level of 0 is a missing one.
func (c *reading) values(p page, levels, body []byte) error {
	if err := c.keep(body); err != nil {
		return err
	}
	next, err := c.source(p, body)
	if err != nil {
		return err
	}
	defined := runs{b: levels, width: 1}
	for range p.values {
		if c.repeated == 1 {
			there, err := defined.next()
			if err != nil {
				return err
			}
			if there == 0 {
				c.missing()
				continue
			}
		}
		if err := next(); err != nil {
			return err
		}
	}
	return nil
}

// source returns how the next value of a page is read.
func (c *reading) source(p page, body []byte) (next func() error, err error) {
	b := &thrift{b: body}
	switch {
	case p.encoding == encodingPlain && c.physical == physicalBool:
		bits := &runs{mixed: true, packed: body, width: 1, left: 8 * uint64(len(body))}
		return c.truths(bits), nil
	case p.encoding == encodingPlain:
		return func() error { c.read(b, &c.into); return b.err }, nil
	case p.encoding == encodingRuns && c.physical == physicalBool:
		if b.take(4) == nil {
			return nil, errRuns
		}
		return c.truths(&runs{b: b.b, width: 1}), nil
	case (p.encoding == encodingDict || p.encoding == encodingPlainDict) && c.dict != nil:
		width := int(b.byte())
		if b.err != nil || width > 32 {
			return nil, errRuns
		}
		codes := &runs{b: b.b, width: width}
		return func() error { return c.coded(codes) }, nil
	}
	return nil, fmt.Errorf("the encoding %d is not read here; plain and dictionary are", p.encoding)
}

func (c *reading) truths(bits *runs) func() error {
	return func() error {
		v, err := bits.next()
		c.into.Numbers = append(c.into.Numbers, float64(v))
		return err
	}
}

// coded puts the value that the next code stands for behind those that are there.
func (c *reading) coded(codes *runs) error {
	code, err := codes.next()
	if err != nil {
		return err
	}
	if int64(code) >= int64(c.dict.Len()) {
		return errors.New("a code outside its dictionary")
	}
	switch {
	case c.dict.Times != nil:
		c.into.Times = append(c.into.Times, c.dict.Times[code])
	case c.dict.Texts != nil:
		c.into.Texts = append(c.into.Texts, c.dict.Texts[code])
	default:
		c.into.Numbers = append(c.into.Numbers, c.dict.Numbers[code])
	}
	return nil
}
