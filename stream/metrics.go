package stream

import (
	"context"
	"encoding/json"
	"iter"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// The headers of points, beside headerRun. The body is the series as CSV.
const headerFirst = "Fold-First"

// headerRun names the attempt that points belong to; an event has it as its nonce.
const headerRun = "Fold-Run"

// metrics is the stream METRICS: the newest points of each recorder, for a week.
type metrics struct{ s *Store }

var _ foldstream.Metrics = metrics{}

// Metrics returns the metrics with steps of running work.
func (s *Store) Metrics() foldstream.Metrics { return metrics{s} }

// Publish adds points to the recorder's subject.
func (m metrics) Publish(ctx context.Context, p foldstream.Points) error {
	if err := validPoints(ctx, "publish", p.Experiment, p.Recorder); err != nil {
		return err
	}
	if !validKey(p.Run) || p.Recorder == "" {
		return foldstream.Errorf(foldstream.Invalid, "publish", "points of run %q of recorder %q: both need a name", p.Run, p.Recorder)
	}
	data, err := p.Series.MarshalBinary()
	if err != nil {
		return err
	}
	msg := &nats.Msg{Subject: m.s.lay.metric(p.Experiment, p.Recorder), Data: data, Header: nats.Header{
		headerRun: {p.Run}, headerFirst: {strconv.Itoa(p.First)},
	}}
	if err := m.s.fits("publish", msg); err != nil {
		return err
	}
	_, err = m.s.publish(ctx, msg)
	return m.s.door(ctx, "publish", err)
}

// Read reads points in the order of the stream.
func (m metrics) Read(ctx context.Context, f foldstream.MetricFilter) iter.Seq2[foldstream.Points, error] {
	return func(yield func(foldstream.Points, error) bool) {
		err := validPoints(ctx, "read", f.Experiment, f.Recorder)
		if err != nil {
			if ctx.Err() == nil || !f.Follow {
				yield(foldstream.Points{}, err)
			}
			return
		}
		q := query{stream: m.s.lay.metrics(), filters: []string{m.s.lay.metric(f.Experiment, f.Recorder)}, follow: f.Follow}
		for msg, err := range m.s.scan(ctx, q) {
			var p foldstream.Points
			if err == nil {
				p, err = readPoints(msg)
			}
			if !yield(p, m.s.door(ctx, "read", err)) || err != nil {
				return
			}
		}
		if err := stopped(ctx, "read"); err != nil && !f.Follow {
			yield(foldstream.Points{}, err)
		}
	}
}

func readPoints(m *stored) (foldstream.Points, error) {
	tokens := strings.Split(m.subject, ".")
	p := foldstream.Points{Experiment: tokens[len(tokens)-2], Recorder: tokens[len(tokens)-1], Run: m.header.Get(headerRun)}
	p.First, _ = strconv.Atoi(m.header.Get(headerFirst)) // absent is 0
	if err := p.Series.UnmarshalBinary(m.data); err != nil {
		return p, foldstream.Errorf(foldstream.Invalid, "read", "message %d of %s: %w", m.seq, m.subject, err)
	}
	return p, nil
}

// Delete purges the subject of a recorder, or those of the experiment.
func (m metrics) Delete(ctx context.Context, experiment, recorder string) error {
	if err := validPoints(ctx, "delete", experiment, recorder); err != nil {
		return err
	}
	return m.s.door(ctx, "delete", m.s.purge(ctx, m.s.lay.metrics(), purgeRequest{Filter: m.s.lay.metric(experiment, recorder)}))
}

// validPoints checks the names; that of a recorder may be empty. Errors: Cancelled, Invalid.
func validPoints(ctx context.Context, op, experiment, recorder string) error {
	err := stopped(ctx, op)
	if err == nil {
		err = foldstream.ValidName("experiment", experiment)
	}
	if err == nil && recorder != "" {
		err = foldstream.ValidName("recorder", recorder)
	}
	return err
}

// purgeRequest says which messages of a stream to delete.
type purgeRequest struct {
	Filter string `json:"filter"`
	Before uint64 `json:"seq,omitempty"` // only those below this sequence; 0 is all
}

// purge deletes messages of a stream.
func (s *Store) purge(ctx context.Context, stream string, p purgeRequest) error {
	query, err := json.Marshal(p)
	if err != nil {
		return err
	}
	var reply leaderReply
	err = s.retry(ctx, "STREAM.PURGE."+stream, func(ctx context.Context) error { return s.api(ctx, "STREAM.PURGE."+stream, query, &reply) })
	if err == nil && reply.Error != nil {
		err = reply.Error
	}
	return err
}
