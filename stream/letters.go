package stream

import (
	"context"
	"iter"

	"github.com/foldstream/foldstream"
)

var _ foldstream.DeadLetters = (*Store)(nil)

// Letters reads the stream DLQ. A letter whose task is not failed by it any more does not count.
func (s *Store) Letters(ctx context.Context, pool string) iter.Seq2[foldstream.DeadLetter, error] {
	return func(yield func(foldstream.DeadLetter, error) bool) {
		p := s.pool(pool)
		if err := p.usable(ctx, "letters"); err != nil {
			yield(foldstream.DeadLetter{}, err)
			return
		}
		told := map[string]bool{} // a letter may stand twice
		for m, err := range s.scan(ctx, query{stream: s.lay.dlq(), filters: []string{s.lay.letters(pool, "*")}, headers: true}) {
			var l foldstream.DeadLetter
			mark := ""
			if err == nil {
				if mark = runOf(m); told[mark] {
					continue
				}
				l, err = p.letter(ctx, foldstream.TaskID(lastToken(m.subject)), mark)
			}
			if s.passes(err) {
				continue
			}
			told[mark] = true
			if err == nil && l.Task.ID == "" {
				continue
			}
			if !yield(l, s.door(ctx, "letters", err)) || err != nil {
				return
			}
		}
	}
}

// letter tells of a task that failed by the end with this nonce; the zero letter where it is not failed by it any more.
func (p *Pool) letter(ctx context.Context, id foldstream.TaskID, mark string) (foldstream.DeadLetter, error) {
	life, last, err := p.life(ctx, id)
	if err != nil || last.Status != foldstream.Dead || last.nonce != mark {
		return foldstream.DeadLetter{}, err
	}
	def, err := p.definition(ctx, id)
	if err != nil || def.ID == "" {
		return foldstream.DeadLetter{}, err
	}
	place(&def, last)
	return foldstream.DeadLetter{Task: def, At: last.At, Worker: last.Worker, Error: last.Error, Events: life}, nil
}

// life reads the events of a task's present life, without results, and the last of them as it is stored.
func (p *Pool) life(ctx context.Context, id foldstream.TaskID) (events []foldstream.Event, last link, err error) {
	for l, err := range p.s.links(ctx, query{filters: []string{p.s.lay.event(p.name, id)}}) {
		if err != nil {
			return nil, link{}, err
		}
		if l.Kind == foldstream.EventEnd {
			l.open()
		}
		if l.Status == foldstream.Removed {
			events = nil
		} else {
			events = append(events, l.Event)
		}
		l.body, last = nil, l
	}
	return events, last, nil
}

// Drop removes dead letters.
func (s *Store) Drop(ctx context.Context, pool string, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "drop", pool, ids, func(ctx context.Context, p *Pool, id foldstream.TaskID) (bool, error) {
		return p.dropLetters(ctx, id)
	})
}

// dropLetters deletes every dead letter of a task and reports whether there was one.
func (p *Pool) dropLetters(ctx context.Context, id foldstream.TaskID) (there bool, err error) {
	for {
		m, err := p.s.newest(ctx, p.s.lay.dlq(), p.s.lay.letters(p.name, id))
		if err != nil || m == nil {
			return there, err
		}
		there = true
		if err := p.s.remove(ctx, p.s.lay.dlq(), m.seq); err != nil {
			return there, err
		}
	}
}
