package pack

import "slices"

// AppendAny writes a nil, bool, int64, int, float64, text, []any or map[string]any, maps in the order of their keys. What is
// none of them it leaves to other, which appends to the same bytes and returns them.
func AppendAny(b []byte, v any, other func([]byte, any) []byte) []byte {
	switch v := v.(type) {
	case nil:
		return AppendNil(b)
	case bool:
		return AppendBool(b, v)
	case int64:
		return AppendInt64(b, v)
	case int:
		return AppendInt(b, int64(v))
	case float64:
		return AppendFloat(b, v)
	case string:
		return AppendText(b, v)
	case []any:
		return appendList(b, v, other)
	case map[string]any:
		return appendTree(b, v, other)
	}
	return other(b, v)
}

func appendList(b []byte, list []any, other func([]byte, any) []byte) []byte {
	if list == nil {
		return AppendNil(b)
	}
	b = AppendArray(b, len(list))
	for _, v := range list {
		b = AppendAny(b, v, other)
	}
	return b
}

func appendTree(b []byte, tree map[string]any, other func([]byte, any) []byte) []byte {
	if tree == nil {
		return AppendNil(b)
	}
	b = AppendMap(b, len(tree))
	var few [16]string
	for _, name := range Keys(few[:0], tree) {
		b = AppendAny(AppendText(b, name), tree[name], other)
	}
	return b
}

// Keys appends the keys of a map in order.
func Keys[V any](names []string, m map[string]V) []string {
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Any reads what AppendAny writes: whole numbers as int64, others as float64, bytes as []byte. The data must have been checked for
// how deep lists and maps are in one another.
func (r *Reader) Any() any {
	switch head := r.peek(); {
	case r.Nil():
		return nil
	case head == codeFalse, head == codeTrue:
		return r.Bool()
	case head == codeFloat32, head == codeFloat64:
		return r.Float()
	case head < fixMap, head >= 0xe0, head >= codeUint && head < codeInt+4:
		return r.Int()
	case head&0xe0 == fixText, head >= codeText && head < codeText+3:
		return r.Text()
	case head&0xf0 == fixArray, head == codeArray, head == codeArray+1:
		return r.list()
	case head&0xf0 == fixMap, head == codeMap, head == codeMap+1:
		return r.Tree()
	case head >= codeBin && head < codeBin+3:
		data, _ := r.Bin()
		return slices.Clone(data)
	}
	r.missing("a value")
	return nil
}

func (r *Reader) list() []any {
	list := make([]any, r.Array())
	for i := range list {
		list[i] = r.Any()
	}
	return list
}

// Tree reads a map of texts to anything: nil where a nil stands here.
func (r *Reader) Tree() map[string]any {
	if r.Nil() {
		return nil
	}
	n := r.Map()
	tree := make(map[string]any, n)
	for range n {
		name := r.Text()
		tree[name] = r.Any()
	}
	return tree
}
