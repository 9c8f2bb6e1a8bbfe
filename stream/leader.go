package stream

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// stored is a message as a stream holds it.
type stored struct {
	subject string
	seq     uint64
	at      time.Time
	header  nats.Header
	data    []byte
}

// leaderReply is the reply of the stream message API.
type leaderReply struct {
	Message *struct {
		Subject string    `json:"subject"`
		Seq     uint64    `json:"seq"`
		Header  []byte    `json:"hdrs"`
		Data    []byte    `json:"data"`
		Time    time.Time `json:"time"`
	} `json:"message"`
	Error *jetstream.APIError `json:"error"`
}

// newest reads the last message of a subject or filter from the stream's leader: what it says decides something, and a direct get
// may be answered by a replica that is behind. It tries again while the leader does not answer. nil is none.
func (s *Store) newest(ctx context.Context, stream, subject string) (*stored, error) {
	return s.lookup(ctx, stream, map[string]any{"last_by_subj": subject})
}

// at is newest for one sequence.
func (s *Store) at(ctx context.Context, stream string, seq uint64) (*stored, error) {
	return s.lookup(ctx, stream, map[string]any{"seq": seq})
}

// oldest is newest for the first message.
func (s *Store) oldest(ctx context.Context, stream, subject string) (*stored, error) {
	return s.oldestFrom(ctx, stream, subject, 1)
}

// oldestFrom is oldest from a sequence on.
func (s *Store) oldestFrom(ctx context.Context, stream, subject string, seq uint64) (*stored, error) {
	return s.lookup(ctx, stream, map[string]any{"seq": seq, "next_by_subj": subject})
}

func (s *Store) lookup(ctx context.Context, stream string, which map[string]any) (*stored, error) {
	query, err := json.Marshal(which)
	if err != nil {
		return nil, err
	}
	var m *stored
	err = s.retry(ctx, "STREAM.MSG.GET."+stream, func(ctx context.Context) (err error) {
		m, err = s.get(ctx, stream, query)
		return err
	})
	return m, err
}

// mark asks a stream's leader, once, what it holds.
func (s *Store) mark(ctx context.Context, stream string) (mark, error) {
	var r struct {
		State struct {
			LastSeq  uint64    `json:"last_seq"`
			LastTime time.Time `json:"last_ts"`
			Subjects int       `json:"num_subjects"`
		} `json:"state"`
		Error *jetstream.APIError `json:"error"`
	}
	ctx, cancel := context.WithTimeout(ctx, s.tryTime())
	defer cancel()
	call := "STREAM.INFO." + stream
	err := s.calling(ctx, call, func(ctx context.Context) error { return s.api(ctx, call, nil, &r) })
	if err == nil && r.Error != nil {
		err = r.Error
	}
	return mark{point{r.State.LastSeq, r.State.LastTime}, r.State.Subjects}, err
}

// subjects asks a stream's leader which subjects of a filter it has messages of, and how many of each.
func (s *Store) subjects(ctx context.Context, stream, filter string) (messages map[string]uint64, err error) {
	err = s.retry(ctx, "STREAM.INFO."+stream, func(ctx context.Context) error {
		st, err := s.js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		info, err := st.Info(ctx, jetstream.WithSubjectFilter(filter))
		if err == nil {
			messages = info.State.Subjects
		}
		return err
	})
	return messages, err
}

// retry makes a call of the JetStream API again while it is not answered. Each try has a time of its own, however long the caller's
// context lasts: the reply to a request that a killed server took never comes.
func (s *Store) retry(ctx context.Context, call string, request func(ctx context.Context) error) error {
	return s.untilAnswered(ctx, func(ctx context.Context) error { return s.calling(ctx, call, request) })
}

// untilAnswered makes a request, and makes it again while its answer is lost and the store has patience.
func (s *Store) untilAnswered(ctx context.Context, request func(ctx context.Context) error) error {
	try := func() error {
		ctx, cancel := context.WithTimeout(ctx, s.tryTime())
		defer cancel()
		return request(ctx)
	}
	for t := s.trial(); ; {
		err := try()
		if verdictOf(err) != unsure || ctx.Err() != nil || !t.again(ctx) {
			return err
		}
	}
}

// getLeader is how a Store gets a message.
func (s *Store) getLeader(ctx context.Context, stream string, query []byte) (*stored, error) {
	var r leaderReply
	if err := s.api(ctx, "STREAM.MSG.GET."+stream, query, &r); err != nil {
		return nil, err
	}
	switch {
	case r.Error != nil && r.Error.ErrorCode == codeMessageNotFound:
		return nil, nil
	case r.Error != nil:
		return nil, r.Error
	case r.Message == nil:
		return nil, jetstream.ErrInvalidJetStreamResponse
	}
	s.clock.least(r.Message.Time)
	m := &stored{subject: r.Message.Subject, seq: r.Message.Seq, at: r.Message.Time, data: r.Message.Data}
	var err error
	if len(r.Message.Header) > 0 {
		m.header, err = nats.DecodeHeadersMsg(r.Message.Header)
	}
	return m, err
}

// api makes one call of the JetStream API.
func (s *Store) api(ctx context.Context, call string, query []byte, reply any) error {
	m, err := s.nc.RequestWithContext(ctx, jetstream.DefaultAPIPrefix+call, query)
	if err != nil {
		return err
	}
	return json.Unmarshal(m.Data, reply)
}

// remove deletes one message of a stream; one that is not there is no error.
func (s *Store) remove(ctx context.Context, stream string, seq uint64) error {
	query, err := json.Marshal(map[string]any{"seq": seq, "no_erase": true})
	if err != nil {
		return err
	}
	var r struct {
		Error *jetstream.APIError `json:"error"`
	}
	err = s.retry(ctx, "STREAM.MSG.DELETE."+stream, func(ctx context.Context) error { return s.api(ctx, "STREAM.MSG.DELETE."+stream, query, &r) })
	if err != nil || r.Error == nil {
		return err
	}
	if left, err := s.at(ctx, stream, seq); err != nil || left == nil {
		return err // the server has more than one way to say that it is not there
	}
	return r.Error
}
