package stream

import (
	"slices"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream/internal/pack"
)

// A shape is how a struct is stored: as a map of its fields by their names, in this order and without those that are empty. Its bytes are those of
// the library that all other bodies go by, maps in order; without reflection it takes a fifth of the time.
type shape[T any] []field[T]

// kind is how the values of a type are stored.
type kind[V any] struct {
	empty func(*V) bool // such a value is left out where it is a field
	write func(*writer, *V)
	read  func(*pack.Reader, *V)
}

type field[T any] struct {
	name string
	kind[T]
}

// writer is a body while it grows, and the first error.
type writer struct {
	b   []byte
	err error
}

// at is the field of a name, of a kind, in its place in a struct.
func at[T, V any](name string, k kind[V], place func(*T) *V) field[T] {
	return field[T]{name, kind[T]{
		empty: func(t *T) bool { return k.empty(place(t)) },
		write: func(w *writer, t *T) { k.write(w, place(t)) },
		read:  func(r *pack.Reader, t *T) { k.read(r, place(t)) },
	}}
}

func (s shape[T]) empty(t *T) bool {
	return !slices.ContainsFunc(s, func(f field[T]) bool { return !f.empty(t) })
}

func (s shape[T]) write(w *writer, t *T) {
	var there uint64 // a bit a field
	n := 0
	for i := range s {
		if !s[i].empty(t) {
			there |= 1 << i
			n++
		}
	}
	w.b = pack.AppendMap(w.b, n)
	for i := range s {
		if there&(1<<i) != 0 {
			w.b = pack.AppendText(w.b, s[i].name)
			s[i].write(w, t)
		}
	}
}

// read takes the fields in any order, and passes over those it does not know: another version had them.
func (s shape[T]) read(r *pack.Reader, t *T) {
	next := 0
	for range r.Map() {
		i := s.find(r.Name(), next)
		if i < 0 {
			r.Value()
			continue
		}
		s[i].read(r, t)
		next = i + 1
	}
}

// find returns the place of a field, −1 where there is none of that name. It is mostly not far behind the one before.
func (s shape[T]) find(name []byte, next int) int {
	for i := next; i < len(s); i++ {
		if s[i].name == string(name) {
			return i
		}
	}
	return slices.IndexFunc(s[:next], func(f field[T]) bool { return f.name == string(name) })
}

// only is the shape without all other fields: it reads over them.
func (s shape[T]) only(names ...string) shape[T] {
	return slices.DeleteFunc(slices.Clone(s), func(f field[T]) bool { return !slices.Contains(names, f.name) })
}

// kind is that of the structs.
func (s shape[T]) kind() kind[T] { return kind[T]{s.empty, s.write, s.read} }

// plain is of values whose zero is empty.
func plain[V comparable](write func([]byte, V) []byte, read func(*pack.Reader) V) kind[V] {
	return kind[V]{
		empty: func(v *V) bool { return *v == *new(V) },
		write: func(w *writer, v *V) { w.b = write(w.b, *v) },
		read:  func(r *pack.Reader, v *V) { *v = read(r) },
	}
}

func text[S ~string]() kind[S] {
	return plain(func(b []byte, s S) []byte { return pack.AppendText(b, string(s)) }, func(r *pack.Reader) S { return S(r.Text()) })
}

// whole is of whole numbers: those of the type int take as few bytes as they can, all others nine.
func whole[N ~int | ~int64](write func([]byte, int64) []byte) kind[N] {
	return plain(func(b []byte, n N) []byte { return write(b, int64(n)) }, func(r *pack.Reader) N { return N(r.Int()) })
}

// list is nil where it is empty.
func list[S ~[]V, V any](k kind[V]) kind[S] {
	return kind[S]{
		empty: func(s *S) bool { return len(*s) == 0 },
		write: func(w *writer, s *S) {
			w.b = pack.AppendArray(w.b, len(*s))
			for i := range *s {
				k.write(w, &(*s)[i])
			}
		},
		read: func(r *pack.Reader, s *S) {
			if *s = nil; r.Nil() {
				return
			}
			*s = make(S, r.Array())
			for i := range *s {
				k.read(r, &(*s)[i])
			}
		},
	}
}

// dict is written in the order of its keys.
func dict[M ~map[string]V, V any](k kind[V]) kind[M] {
	return kind[M]{
		empty: func(m *M) bool { return len(*m) == 0 },
		write: func(w *writer, m *M) {
			w.b = pack.AppendMap(w.b, len(*m))
			var few [16]string
			var v V
			for _, name := range pack.Keys(few[:0], *m) {
				w.b = pack.AppendText(w.b, name)
				v = (*m)[name]
				k.write(w, &v)
			}
		},
		read: func(r *pack.Reader, m *M) {
			if *m = nil; r.Nil() {
				return
			}
			n := r.Map()
			*m = make(M, n)
			var v, zero V
			for range n {
				name := r.Text()
				v = zero
				k.read(r, &v)
				(*m)[name] = v
			}
		},
	}
}

// pointer is nil where it is empty.
func pointer[V any](k kind[V]) kind[*V] {
	return kind[*V]{
		empty: func(p **V) bool { return *p == nil },
		write: func(w *writer, p **V) { k.write(w, *p) },
		read: func(r *pack.Reader, p **V) {
			if *p = nil; !r.Nil() {
				*p = new(V)
				k.read(r, *p)
			}
		},
	}
}

// own is of types that have a form of their own: it is the library's to ask for.
func own[V any](empty func(*V) bool) kind[V] {
	return kind[V]{
		empty: empty,
		write: func(w *writer, v *V) { w.b = w.other(w.b, v) },
		read: func(r *pack.Reader, v *V) {
			if err := msgpack.Unmarshal(r.Value(), v); err != nil {
				r.Fail(err)
			}
		},
	}
}

// other writes a value by the library, behind b: less what is empty, and maps in order.
func (w *writer) other(b []byte, v any) []byte {
	enc := msgpack.GetEncoder()
	defer msgpack.PutEncoder(enc)
	w.b = b
	enc.Reset(w)
	enc.SetSortMapKeys(true)
	enc.SetOmitEmpty(true)
	if err := enc.Encode(v); err != nil && w.err == nil {
		w.err = err
	}
	return w.b
}

// Write is for the library.
func (w *writer) Write(data []byte) (int, error) {
	w.b = append(w.b, data...)
	return len(data), nil
}

// WriteByte is for the library.
func (w *writer) WriteByte(c byte) error {
	w.b = append(w.b, c)
	return nil
}
