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
	query, err := json.Marshal(map[string]any{"multi_last": filters})
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
		switch status := m.Header.Get("Status"); status {
		case "":
		case "204", "404": // the end; nothing at all
			return found, nil
		case "503":
			return nil, nats.ErrNoResponders
		default:
			return nil, errors.New("direct get of " + stream + ": " + status + " " + m.Header.Get("Description"))
		}
		one, err := readDirect(m)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
}

// readDirect reads a message as a direct get wraps it.
func readDirect(m *nats.Msg) (*stored, error) {
	seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
	if err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get(jetstream.TimeStampHeaer))
	return &stored{subject: m.Header.Get(jetstream.SubjectHeader), seq: seq, at: at, header: m.Header, data: m.Data}, err
}
