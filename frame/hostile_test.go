package frame_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
)

// liar writes Thrift's compact protocol by hand, so that a file can say what no honest writer would.
type liar struct{ bytes.Buffer }

func (w *liar) int(step byte, v int64) {
	w.WriteByte(step<<4 | 6)
	w.Write(binary.AppendVarint(nil, v))
}

func (w *liar) text(step byte, s string) {
	w.WriteByte(step<<4 | 8)
	w.Write(append(binary.AppendUvarint(nil, uint64(len(s))), s...))
}

// list begins a list of structs.
func (w *liar) list(step byte, n uint64) {
	w.Write(binary.AppendUvarint([]byte{step<<4 | 9, 15<<4 | 12}, n))
}

func (w *liar) begin(step byte) { w.WriteByte(step<<4 | 12) }

func (w *liar) end() { w.WriteByte(0) }

// hostile is a file of one column and so many row groups of so many rows, all with the same chunk.
type hostile struct {
	physical, codec  int64
	optional         int64
	groups, rows     int64
	columns          uint64 // that the schema says it has
	more             int    // columns that it has
	encoding, values int64
	size             int64 // of the page, decompressed
	body             []byte
}

func (h hostile) file() []byte {
	var page, foot liar
	page.int(1, 0)
	page.int(1, h.size)
	page.int(1, int64(len(h.body)))
	page.begin(2)
	page.int(1, h.values)
	page.int(1, h.encoding)
	page.int(1, 3)
	page.end()
	page.end()
	page.Write(h.body)

	foot.list(2, h.columns)
	foot.text(4, "root")
	foot.int(1, 1)
	foot.end()
	for range 1 + h.more {
		foot.int(1, h.physical)
		foot.int(2, h.optional)
		foot.text(1, "x")
		foot.end()
	}
	foot.int(1, h.groups*h.rows)
	foot.list(1, uint64(h.groups))
	for range h.groups {
		foot.list(1, 1)
		foot.begin(3)
		foot.int(4, h.codec)
		foot.int(1, h.rows)
		foot.int(2, int64(page.Len()))
		foot.int(2, 4)
		foot.end()
		foot.end()
		foot.int(2, h.rows)
		foot.end()
	}
	foot.end()

	file := append([]byte("PAR1"), page.Bytes()...)
	file = append(file, foot.Bytes()...)
	file = binary.LittleEndian.AppendUint32(file, uint32(foot.Len()))
	return append(file, "PAR1"...)
}

// run is a run of n equal levels, with their length before them.
func run(n uint64, level byte) []byte {
	r := append(binary.AppendUvarint(nil, n<<1), level)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(r))), r...)
}

// The file in testdata, with which other rooms test what they do with such a one, is what it says.
func TestTooLarge(t *testing.T) {
	file := hostile{physical: 5, optional: 1, groups: 1, rows: 200 << 20, columns: 2, values: 200 << 20, size: 10, body: run(200<<20, 0)}.file()
	if !bytes.Equal(file, testdata(t, "too-large")) {
		t.Errorf("it is not %x", file)
	}
	if _, err := frame.Decode(file); !foldstream.Is(err, foldstream.TooLarge) {
		t.Error(err)
	}
}

func TestHostileFiles(t *testing.T) {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := z.EncodeAll(make([]byte, 200<<20), nil)
	two := []byte("\x02\x00\x00\x00ab\x02\x00\x00\x00cd")
	long := append(binary.LittleEndian.AppendUint32(nil, 1<<17), bytes.Repeat([]byte("a"), 1<<17)...)
	long = append(append(long, binary.LittleEndian.AppendUint32(nil, 1<<17)...), bytes.Repeat([]byte("b"), 1<<17)...)
	honest := hostile{physical: 6, groups: 1, rows: 2, columns: 2, values: 2, size: int64(len(two)), body: two}
	many := func(change func(*hostile)) hostile {
		h := honest
		change(&h)
		return h
	}
	for name, c := range map[string]struct {
		file hostile
		want string // "" is no error
	}{
		"honest": {honest, ""},
		"200 million nulls in a run": {hostile{physical: 5, optional: 1, groups: 1, rows: 200 << 20, columns: 2, values: 200 << 20, size: 10,
			body: run(200<<20, 0)}, "more bytes"},
		"rows that are not there":    {many(func(h *hostile) { h.rows, h.values = 1000, 1000 }), "too early"},
		"a billion columns":          {many(func(h *hostile) { h.columns = 1 << 30 }), "too early"},
		"5000 columns":               {many(func(h *hostile) { h.columns, h.more = 5001, 4999 }), "more than 4096"},
		"two thousand million rows":  {many(func(h *hostile) { h.rows, h.values = 1<<31-1, 1<<31-1 }), "more bytes"},
		"more rows than an int32":    {many(func(h *hostile) { h.groups, h.rows = 2, 1<<31-1 }), "rows"},
		"more values than rows":      {many(func(h *hostile) { h.values = 3 }), "more values"},
		"values below zero":          {many(func(h *hostile) { h.values = -1 }), "more values"},
		"a page larger than it says": {many(func(h *hostile) { h.size = 3 }), "size"},
		"the same texts 500 times":   {many(func(h *hostile) { h.groups, h.size, h.body = 500, int64(len(long)), long }), "more bytes"},
		"a bomb of zeros":            {many(func(h *hostile) { h.codec, h.size, h.body = 6, 200<<20, bomb }), "more bytes"},
		"a bomb that says little":    {many(func(h *hostile) { h.codec, h.size, h.body = 6, 1000, bomb }), "window size"},
		"codes without a dictionary": {many(func(h *hostile) { h.encoding = 8 }), "encoding 8"},
		"levels that end too early":  {many(func(h *hostile) { h.optional, h.body, h.size = 1, run(1, 0), 6 }), "too early"},
	} {
		data := c.file.file()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := frame.ReadParquet(data)
		runtime.ReadMemStats(&after)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !foldstream.Is(err, foldstream.Invalid) && !foldstream.Is(err, foldstream.TooLarge) {
			t.Errorf("%s: no kind: %v", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > uint64(40<<20+128*len(data)) {
			t.Errorf("%s: %d bytes took %d bytes of memory", name, len(data), took)
		}
	}
}
