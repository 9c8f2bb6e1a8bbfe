package qlib

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/foldstream/foldstream"
)

// HashArgs returns the digest by which Qlib names what it keeps of some arguments, as a handler's cache file
// (utils/__init__.py, hash_args): lower-case hex MD5 of their list as Python writes it in JSON, keys in order, other than ASCII
// escaped. It is for finding what Qlib has kept; our own identities are foldstream.TaskID and Digest. Values are those of a task
// and json.Number, whose text tells an integer of any size from a float; a date is the text that Python writes,
// "2020-08-01", a time "2020-08-01 09:30:00". Errors: Invalid: NaN, infinities, other types.
func HashArgs(args ...any) (string, error) {
	text, err := appendPython(nil, slices.Concat([]any{}, args))
	if err != nil {
		return "", err
	}
	sum := md5.Sum(text)
	return hex.EncodeToString(sum[:]), nil
}

// appendPython writes v as json.dumps(v, sort_keys=True) does.
func appendPython(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return appendText(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		return appendFloat(b, v)
	case json.Number:
		if i, ok := new(big.Int).SetString(v.String(), 10); ok {
			return i.Append(b, 10), nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, foldstream.E(foldstream.Invalid, "hash", err)
		}
		return appendFloat(b, f)
	case []any:
		return appendList(b, v)
	case map[string]any:
		return appendMap(b, v)
	}
	return nil, foldstream.Errorf(foldstream.Invalid, "hash", "a value of type %T has no digest", v)
}

func appendList(b []byte, list []any) (_ []byte, err error) {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		if b, err = appendPython(b, e); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendMap(b []byte, m map[string]any) (_ []byte, err error) {
	b = append(b, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(appendText(b, k), ": "...)
		if b, err = appendPython(b, m[k]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// appendFloat writes the shortest text that reads back to f, with a point or an exponent: Python has one from 1e16 and below 1e-4.
func appendFloat(b []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, foldstream.Errorf(foldstream.Invalid, "hash", "%v has no digest", f)
	}
	if size := math.Abs(f); size != 0 && (size < 1e-4 || size >= 1e16) {
		return strconv.AppendFloat(b, f, 'e', -1, 64), nil
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return append(b, text...), nil
}

// appendText writes a JSON string of ASCII alone, in UTF-16 where it has to.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		if i := strings.IndexRune("\"\\\n\r\t\b\f", r); i >= 0 {
			b = append(b, '\\', `"\nrtbf`[i])
			continue
		}
		if r >= ' ' && r <= '~' {
			b = append(b, byte(r))
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			b = fmt.Appendf(b, `\u%04x`, unit)
		}
	}
	return append(b, '"')
}
