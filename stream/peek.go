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
		err := s.retry(ctx, "DIRECT.GET."+stream, func(ctx context.Context) (err error) {
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
			err := s.retry(ctx, "DIRECT.GET."+stream, func(ctx context.Context) (err error) {
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

// pick reads messages by their sequences, all asked for at once by direct gets. What a replica does not have is asked of the leader: a
// message never changes, so an old answer is no wrong one. What is not there any more is left out.
func (s *Store) pick(ctx context.Context, stream string, seqs []uint64) (map[uint64]*stored, error) {
	found := make(map[uint64]*stored, len(seqs))
	if err := s.pickDirect(ctx, stream, seqs, found); err != nil && verdictOf(err) != unsure {
		return nil, err
	}
	for _, seq := range seqs {
		if found[seq] != nil {
			continue
		}
		m, err := s.at(ctx, stream, seq)
		if err != nil {
			return nil, err
		}
		if m != nil {
			found[seq] = m
		}
	}
	return found, nil
}

func (s *Store) pickDirect(ctx context.Context, stream string, seqs []uint64, found map[uint64]*stored) error {
	ctx, cancel := context.WithTimeout(ctx, s.tryTime())
	defer cancel()
	sub, err := s.nc.SubscribeSync(s.nc.NewInbox())
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	for _, seq := range seqs {
		query := []byte(`{"seq":` + strconv.FormatUint(seq, 10) + `}`)
		if err := s.nc.PublishRequest(jetstream.DefaultAPIPrefix+"DIRECT.GET."+stream, sub.Subject, query); err != nil {
			return err
		}
	}
	for range seqs {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return err
		}
		if m.Header.Get("Status") != "" {
			continue // a replica that does not have it, or none that answers
		}
		one, err := readDirect(m)
		if err != nil {
			return err
		}
		found[one.seq] = one
	}
	return nil
}
