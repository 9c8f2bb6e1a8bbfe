package pack_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream/internal/pack"
	"github.com/foldstream/foldstream/internal/wire"
)

// Each form has the bytes that the library gives it, and is read again.
func TestForms(t *testing.T) {
	for _, n := range []int64{
		0, 1, 127, 128, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64,
		-1, -32, -33, -128, -129, -32768, -32769, math.MinInt32, math.MinInt32 - 1, math.MinInt64,
	} {
		same(t, n, pack.AppendInt(nil, n), (*msgpack.Encoder).EncodeInt, (*pack.Reader).Int)
		same(t, n, pack.AppendInt64(nil, n), (*msgpack.Encoder).EncodeInt64, (*pack.Reader).Int)
		if n >= 0 {
			same(t, uint64(n), pack.AppendUint64(nil, uint64(n)), (*msgpack.Encoder).EncodeUint64, func(r *pack.Reader) uint64 { return uint64(r.Int()) })
		}
	}
	for _, v := range []float64{0, -0.5, math.Inf(1), math.MaxFloat64} {
		same(t, v, pack.AppendFloat(nil, v), (*msgpack.Encoder).EncodeFloat64, (*pack.Reader).Float)
	}
	for _, v := range []bool{true, false} {
		same(t, v, pack.AppendBool(nil, v), (*msgpack.Encoder).EncodeBool, (*pack.Reader).Bool)
	}
	for _, n := range []int{0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536} {
		text := strings.Repeat("x", n)
		same(t, text, pack.AppendText(nil, text), (*msgpack.Encoder).EncodeString, (*pack.Reader).Text)
		same(t, []byte(text), append(pack.AppendBin(nil, n), text...), (*msgpack.Encoder).EncodeBytes, func(r *pack.Reader) []byte {
			data, _ := r.Bin()
			return data
		})
		lines := bytes.Repeat([]byte{0xc0}, 2*n)
		same(t, n, append(pack.AppendArray(nil, n), lines...), elements((*msgpack.Encoder).EncodeArrayLen, lines), headOf((*pack.Reader).Array))
		same(t, n, append(pack.AppendMap(nil, n), lines...), elements((*msgpack.Encoder).EncodeMapLen, lines), headOf((*pack.Reader).Map))
	}
}

func elements(head func(*msgpack.Encoder, int) error, lines []byte) func(*msgpack.Encoder, int) error {
	return func(e *msgpack.Encoder, n int) error {
		if err := head(e, n); err != nil {
			return err
		}
		_, err := e.Writer().Write(lines)
		return err
	}
}

func headOf(read func(*pack.Reader) int) func(*pack.Reader) int {
	return func(r *pack.Reader) int {
		n := read(r)
		r.B = nil
		return n
	}
}

func same[V any](t *testing.T, v V, ours []byte, write func(*msgpack.Encoder, V) error, read func(*pack.Reader) V) {
	t.Helper()
	var theirs bytes.Buffer
	if err := write(msgpack.NewEncoder(&theirs), v); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, theirs.Bytes()) {
		t.Errorf("%T: %.20x, the library has %.20x", v, ours, theirs.Bytes())
	}
	for _, shared := range []bool{false, true} {
		r := pack.Reader{B: ours}
		if shared {
			r.ShareTexts()
		}
		if got := read(&r); r.Err != nil || len(r.B) > 0 || !reflect.DeepEqual(got, v) {
			t.Errorf("%T: read as %.20v, %v, and %d bytes behind it", v, got, r.Err, len(r.B))
		}
	}
}

func TestReader_Refuses(t *testing.T) {
	reads := map[string]func(*pack.Reader){
		"Int": func(r *pack.Reader) { r.Int() }, "Float": func(r *pack.Reader) { r.Float() }, "Bool": func(r *pack.Reader) { r.Bool() },
		"Text": func(r *pack.Reader) { r.Text() }, "Array": func(r *pack.Reader) { r.Array() }, "Map": func(r *pack.Reader) { r.Map() },
		"Any": func(r *pack.Reader) { r.Any() }, "Tree": func(r *pack.Reader) { r.Tree() }, "Value": func(r *pack.Reader) { r.Value() },
	}
	for name, read := range reads {
		for what, data := range map[string][]byte{"nothing": nil, "no value": {0xc1}, "a cut number": {0xd3, 1}, "a long list": {0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0}, "a cut text": {0xda, 0}} {
			r := pack.Reader{B: data}
			if read(&r); r.Err == nil || r.B != nil {
				t.Errorf("%s takes %s: %v", name, what, r.Err)
			}
		}
	}
	r := pack.Reader{B: []byte{0xcf, 0xff, 0, 0, 0, 0, 0, 0, 0}}
	if n := r.Int(); r.Err == nil {
		t.Errorf("a number that is too large is read as %d", n)
	}
}

// FuzzAny reads whatever is one value: what is taken is written again, and read as the same.
func FuzzAny(f *testing.F) {
	f.Add(pack.AppendAny(nil, map[string]any{"a": []any{nil, true, int64(-1), 2.5, "x", map[string]any{}}}, nil))
	f.Add([]byte{0xc4, 1, 'x'})
	f.Fuzz(func(t *testing.T, data []byte) {
		if wire.Check(data) != nil {
			return
		}
		r := pack.Reader{B: data}
		r.ShareTexts()
		v := r.Any()
		if r.Err != nil {
			return
		}
		other := func(b []byte, v any) []byte { return append(pack.AppendBin(b, len(v.([]byte))), v.([]byte)...) }
		first := pack.AppendAny(nil, v, other)
		again := pack.Reader{B: first}
		if second := pack.AppendAny(nil, again.Any(), other); again.Err != nil || !bytes.Equal(first, second) {
			t.Errorf("%x was read, written as %x and again as %x, %v", data, first, second, again.Err)
		}
	})
}
