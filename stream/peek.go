package stream

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// peek reads the last message of each subject that matches a filter, by a direct get in the form of ADR-31: without a consumer, which a
// work queue has no room for. Any replica may answer, and be behind. At most 1000 subjects may match.
func (s *Store) peek(ctx context.Context, stream string, filters []string) iter.Seq2[*stored, error] {
	return func(yield func(*stored, error) bool) {
		var found []*stored
		err := s.retry(ctx, func(ctx context.Context) (err error) {
			found, err = s.peekOnce(ctx, stream, filters)
			return err
		})
		for _, m := range found {
			if err != nil || !yield(m, nil) {
				break
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func (s *Store) peekOnce(ctx context.Context, stream string, filters []string) ([]*stored, error) {
	return s.direct(ctx, stream, map[string]any{"multi_last": filters})
}

// walkBatch is how many messages a walk asks for at once.
const walkBatch = 256

// walk reads the messages of a stream in order, as peek without a consumer.
func (s *Store) walk(ctx context.Context, stream string) iter.Seq2[*stored, error] {
	return func(yield func(*stored, error) bool) {
		for from := uint64(1); ctx.Err() == nil; {
			var found []*stored
			err := s.retry(ctx, func(ctx context.Context) (err error) {
				found, err = s.direct(ctx, stream, map[string]any{"seq": from, "batch": walkBatch, "next_by_subj": ">"})
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, m := range found {
				if from = m.seq + 1; !yield(m, nil) {
					return
				}
			}
			if len(found) == 0 {
				return
			}
		}
	}
}

// direct makes one direct get of many messages.
func (s *Store) direct(ctx context.Context, stream string, which map[string]any) ([]*stored, error) {
	query, err := json.Marshal(which)
	if err != nil {
		return nil, err
	}
	sub, err := s.nc.SubscribeSync(s.nc.NewInbox())
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := s.nc.PublishRequest(jetstream.DefaultAPIPrefix+"DIRECT.GET."+stream, sub.Subject, query); err != nil {
		return nil, err
	}
	var found []*stored
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		if m.Header.Get(jetstream.SequenceHeader) == "" { // a status of the server's, and not of a message that is called so
			switch status := m.Header.Get("Status"); status {
			case "204", "404": // the end; nothing at all
				return found, nil
			case "503":
				return nil, nats.ErrNoResponders
			default:
				return nil, errors.New("direct get of " + stream + ": " + status + " " + m.Header.Get("Description"))
			}
		}
		one, err := readDirect(m)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
}

// readDirect reads a message as a direct get wraps it. What the server says comes last: a stranger may have written the same before.
func readDirect(m *nats.Msg) (*stored, error) {
	said := func(key string) (last string) {
		for _, v := range m.Header.Values(key) {
			last = v
		}
		return last
	}
	seq, err := strconv.ParseUint(said(jetstream.SequenceHeader), 10, 64)
	if err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, said(jetstream.TimeStampHeaer))
	return &stored{subject: said(jetstream.SubjectHeader), seq: seq, at: at, header: m.Header, data: m.Data}, err
}
