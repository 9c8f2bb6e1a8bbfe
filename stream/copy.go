package stream

import (
	"context"
	"iter"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/pack"
)

var _ foldstream.Copier = (*Store)(nil)

// copiedAtOnce is how many tasks a copy creates while it reads the next ones.
const copiedAtOnce = 5000

// Copy puts the new experiment's name into the definitions as they are stored, and publishes them. Neither waits for the other: while some
// are created the next are read.
func (s *Store) Copy(ctx context.Context, from, to, experiment string, wanted func(foldstream.TaskID) bool) iter.Seq2[[]foldstream.Created, error] {
	return func(yield func([]foldstream.Created, error) bool) {
		p := s.pool(to)
		err := foldstream.E(foldstream.Invalid, "copy", foldstream.ValidName("pool", from))
		if err == nil {
			err = p.usable(ctx, "copy")
		}
		if err != nil {
			yield(nil, err)
			return
		}
		read := func(ctx context.Context) iter.Seq2[*order, error] { return p.copies(ctx, from, experiment, wanted) }
		for orders, err := range ahead(ctx, copiedAtOnce, read) {
			if err == nil {
				err = p.ensureLanes(ctx, orders)
			}
			if err == nil {
				err = p.define(ctx, orders)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(answers(orders), nil) {
				return
			}
		}
	}
}

// copies reads definitions of a pool as orders of this one.
func (p *Pool) copies(ctx context.Context, from, experiment string, wanted func(foldstream.TaskID) bool) iter.Seq2[*order, error] {
	return func(yield func(*order, error) bool) {
		header := headerOfNew()
		for m, err := range p.s.scan(ctx, query{stream: p.s.lay.defs(), filters: []string{p.s.lay.def(from, "*")}}) {
			var t foldstream.Task
			if err == nil {
				t, err = readHeading(m)
			}
			if p.s.passes(err) || err == nil && !wanted(t.ID) {
				continue
			}
			if err != nil {
				yield(nil, p.s.door(ctx, "copy", err))
				return
			}
			o := new(order)
			if err = foldstream.E(foldstream.Invalid, "create", t.Check()); err == nil {
				err = o.fill(p, &t, rename(m.data, experiment), header)
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// readHeading is readDefinition of no more than what Create looks at.
func readHeading(m *stored) (t foldstream.Task, err error) {
	err = m.asDefinition(func() (foldstream.TaskID, error) {
		data, err := inside(m.data)
		if err != nil {
			return "", err
		}
		r := pack.Reader{B: data}
		headingShape.read(&r, &t)
		return t.ID, foldstream.E(foldstream.Invalid, "decode", r.Err)
	})
	return t, err
}

// rename puts an experiment into the body of a task whose heading was read, and which then replaces no other. What else it says is not
// looked at, and stays.
func rename(body []byte, experiment string) []byte {
	var few [24][]byte
	fields, named := few[:0], pack.AppendText(pack.AppendText(nil, "Experiment"), experiment)
	r, found := pack.Reader{B: body[1:]}, false
	for range r.Map() {
		field := r.B
		name := r.Name()
		r.Value()
		switch string(name) {
		case "Experiment":
			field, found = named, true
		case "Replaces":
			continue
		default:
			field = field[:len(field)-len(r.B)]
		}
		fields = append(fields, field)
	}
	if !found {
		fields = append(fields, named)
	}
	out := append(make([]byte, 0, len(body)+len(named)), codecVersion)
	out = pack.AppendMap(out, len(fields))
	for _, field := range fields {
		out = append(out, field...)
	}
	return out
}
