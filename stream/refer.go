package stream

import (
	"context"
	"encoding/base64"
	"errors"
	"iter"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// source is a stream that has references: tickets are copies of definitions, and metrics, locks and workers have none.
type source struct {
	name   string // one of foldstream.Sources
	stream string
	root   string // what all subjects begin with; the rest is the key, or ends with it
	queue  bool   // no consumer can be made for it
}

func (s *Store) sources() []source {
	all := []source{
		{foldstream.FromDefinitions, s.lay.defs(), "", false}, {foldstream.FromEvents, s.lay.events(), "", false},
		{foldstream.FromLetters, s.lay.dlq(), "", false}, {foldstream.FromSchedules, s.lay.schedules(), "", true},
	}
	for _, bucket := range []string{foldstream.Experiments, foldstream.Collections, foldstream.Pools} {
		all = append(all, source{bucket, s.lay.kvStream(bucket), s.lay.kvPrefix(bucket), false})
	}
	return all
}

// Referred reads the bodies and headers of all messages, as they are.
func (s *Store) Referred(ctx context.Context) iter.Seq2[foldstream.Reference, error] {
	return func(yield func(foldstream.Reference, error) bool) {
		for _, from := range s.sources() {
			enough, err := s.refer(ctx, from, func(r foldstream.Reference) bool { return yield(r, nil) })
			if err == nil {
				err = stopped(ctx, "referred")
			}
			if enough {
				return
			}
			if err != nil {
				yield(foldstream.Reference{}, s.door(ctx, "referred", err))
				return
			}
		}
	}
}

// refer gives what one source refers to, until it is told that this is enough.
func (s *Store) refer(ctx context.Context, from source, give func(foldstream.Reference) bool) (enough bool, err error) {
	var at foldstream.Reference
	find := &wire.Digests{Found: func(d foldstream.Digest) {
		at.Digest = d
		enough = enough || !give(at)
	}}
	messages := s.scan(ctx, query{stream: from.stream})
	if from.queue {
		if _, err := s.js.Stream(ctx, from.stream); errors.Is(err, jetstream.ErrStreamNotFound) {
			return false, nil // it comes to be with the first schedule
		}
		messages = s.walk(ctx, from.stream)
	}
	for m, err := range messages {
		if err != nil {
			return false, err
		}
		at = foldstream.Reference{From: from.name, Key: from.key(m.subject)}
		if read(m, find); enough {
			break
		}
	}
	return enough, nil
}

func (f source) key(subject string) string {
	if f.root == "" {
		return lastToken(strings.TrimSuffix(strings.TrimSuffix(subject, "."+planPart), "."+lastPart))
	}
	return strings.TrimPrefix(subject, f.root)
}

// read looks through a message: what stands in base64 in a header as well.
func read(m *stored, find *wire.Digests) {
	find.End()
	_, _ = find.Write(m.data)
	for _, values := range m.header {
		for _, v := range values {
			find.End()
			_, _ = find.Write([]byte(v))
			if plain, err := base64.RawStdEncoding.DecodeString(v); err == nil {
				find.End()
				_, _ = find.Write(plain)
			}
		}
	}
}
