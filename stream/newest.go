package stream

import (
	"context"
	"encoding/base64"
	"iter"
	"slices"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Newest = (*Store)(nil)

// headerBrief has a result without its frames and series, so that it can be read where the server leaves bodies out. A result that
// has neither stands there alone, and its event has no body.
const headerBrief = "Fold-Brief"

// maxBrief is how long that header gets; of a larger result it is left out.
const maxBrief = 8 << 10

// setResult gives a link a result: as a brief, a body, or both. Errors: Invalid.
func (l *link) setResult(r foldstream.Result) error {
	whole, err := encodeResult(&r)
	if err != nil {
		return err
	}
	short := whole
	if len(r.Frames) > 0 || len(r.Series) > 0 {
		l.body, r.Frames, r.Series = whole, nil, nil
		if short, err = encodeResult(&r); err != nil {
			return err
		}
	}
	if base64.RawStdEncoding.EncodedLen(len(short)) > maxBrief {
		l.body = whole
		return nil
	}
	l.brief = base64.RawStdEncoding.EncodeToString(short)
	return nil
}

// result reads what setResult wrote.
func (l *link) result() (*foldstream.Result, error) {
	if len(l.body) > 0 {
		return decodeResult(l.body)
	}
	return l.readBrief()
}

func (l *link) readBrief() (*foldstream.Result, error) {
	if l.brief == "" {
		return nil, foldstream.E(foldstream.Invalid, "decode", errNoBody)
	}
	data, err := base64.RawStdEncoding.DecodeString(l.brief)
	if err != nil {
		return nil, foldstream.E(foldstream.Invalid, "decode", err)
	}
	return decodeResult(data)
}

// Newest reads the headers of the tasks' last events; the server sends no bodies. Only for a result whose brief was too long for
// a header, or that an older program stored, the whole is read.
func (s *Store) Newest(ctx context.Context, pool string, ids ...foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
	return func(yield func(foldstream.Event, error) bool) {
		p := s.pool(pool)
		err := p.usable(ctx, "newest")
		if err == nil {
			err = p.newest(ctx, ids, yield)
		}
		if err == nil {
			err = stopped(ctx, "newest")
		}
		if err != nil {
			yield(foldstream.Event{}, s.door(ctx, "newest", err))
		}
	}
}

// newest yields the tasks' last events until it is told that this is enough; then it returns nil.
func (p *Pool) newest(ctx context.Context, ids []foldstream.TaskID, yield func(foldstream.Event, error) bool) error {
	wanted := once(ids)
	if len(ids) == 0 {
		return p.newestOf(ctx, []string{p.s.lay.event(p.name, "*")}, nil, yield)
	}
	if len(wanted) > manyIDs {
		among := make(map[foldstream.TaskID]bool, len(wanted))
		for _, id := range wanted {
			among[id] = true
		}
		return p.newestOf(ctx, []string{p.s.lay.event(p.name, "*")}, among, yield)
	}
	enough := false
	for some := range slices.Chunk(wanted, filtersAtOnce) {
		subjects := make([]string, len(some))
		for i, id := range some {
			subjects[i] = p.s.lay.event(p.name, id)
		}
		err := p.newestOf(ctx, subjects, nil, func(e foldstream.Event, err error) bool {
			enough = !yield(e, err)
			return !enough
		})
		if err != nil || enough {
			return err
		}
	}
	return nil
}

// newestOf yields the last event of each of the subjects, of the tasks among these; nil is all.
func (p *Pool) newestOf(ctx context.Context, subjects []string, among map[foldstream.TaskID]bool, yield func(foldstream.Event, error) bool) error {
	for l, err := range p.s.links(ctx, query{filters: subjects, last: true, headers: true}) {
		if err != nil {
			return err
		}
		if among != nil && !among[l.Task] {
			continue
		}
		there, err := p.s.fillBrief(ctx, &l)
		if err != nil {
			return err
		}
		if there && !yield(l.Event, nil) {
			return nil
		}
	}
	return nil
}

// fillBrief sets in an event what the bodies say that were not read; false where it is not there any more.
func (s *Store) fillBrief(ctx context.Context, l *link) (there bool, err error) {
	switch l.Kind {
	case foldstream.EventEnd:
		l.Error = l.trouble
		return true, nil
	case foldstream.EventClaim:
		return true, nil
	}
	if l.brief != "" {
		l.Result, err = l.readBrief()
		return true, foldstream.E(foldstream.Invalid, "newest", err)
	}
	m, err := s.at(ctx, s.lay.events(), uint64(l.Seq))
	if err != nil || m == nil {
		return false, err
	}
	if l.Result, err = decodeResult(m.data); err == nil {
		l.Result.Frames, l.Result.Series = nil, nil
	}
	return true, err
}
