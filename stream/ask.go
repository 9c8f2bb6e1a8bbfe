package stream

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// How long an answer of an index is waited for, and for how long none is asked after one did not come.
const (
	askTime  = 2 * answerTime
	muteTime = 10 * time.Second
)

// askIndex puts a question to whoever keeps an index. False: nobody does, it is not filled yet, or the answer is of no use; then the streams
// are to be read.
func (s *Store) askIndex(ctx context.Context, endpoint string, q question, reply any) bool {
	if !s.nc.IsConnected() || clock.Tick().UnixNano() < s.muted.Load() {
		return false
	}
	q.Version = serviceVersion
	body, err := json.Marshal(q)
	if err != nil {
		return false
	}
	waiting, cancel := context.WithTimeout(ctx, min(askTime, s.tryTime()))
	defer cancel()
	var m *nats.Msg
	err = s.heeding(waiting, s.lay.index(endpoint), func(ctx context.Context) (err error) {
		m, err = s.nc.RequestWithContext(ctx, s.lay.index(endpoint), body)
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		s.muted.Store(clock.Tick().Add(muteTime).UnixNano())
	}
	if err != nil || m.Header.Get(micro.ErrorCodeHeader) != "" {
		return false
	}
	return json.Unmarshal(m.Data, reply) == nil
}

// askStat counts the tasks of a pool, or of all for "".
func (s *Store) askStat(ctx context.Context, pool string) (map[string]foldstream.Counts, bool) {
	var r statReply
	ok := s.askIndex(ctx, "stat", question{Pool: pool}, &r) && r.Version == serviceVersion && r.Pools != nil
	return r.Pools, ok
}

// askTasks reads a page of a pool's tasks.
func (s *Store) askTasks(ctx context.Context, q question) (pageReply, bool) {
	var r pageReply
	ok := s.askIndex(ctx, "tasks", q, &r) && r.Version == serviceVersion
	return r, ok
}

// refusesIndex reports whether a permission was refused that only questions to an index need: those who lack it read the streams.
func (s *Store) refusesIndex(err error) bool {
	return errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), `"`+s.lay.index("")+".")
}
