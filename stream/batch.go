package stream

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// bulk decides how Create publishes much. Where each acknowledgement costs the server a flush to disk or a round of its peers, an atomic
// batch (ADR-50) costs no more than one message; everywhere else it is the slower way, and a flow the faster one. So the first tasks show how it
// is here, until they were quick once: it is the same server for good.
type bulk struct {
	first int           // how many tasks go before a batch or a flow
	slow  time.Duration // a task: what takes longer is worth a batch
	quick atomic.Bool   // they were
	least int           // how many tasks are worth a flow
	flows atomic.Bool   // the server's streams take them
}

// How a store decides, unless a test says otherwise.
const (
	firstOfBulk = 64
	slowInBulk  = 250 * time.Microsecond
)

const batchSize = 500

// inBatches makes tasks by atomic batches, as long as all of a batch are new, and returns those that are left. What a batch did whose reply
// was lost is found out when its tasks are made one by one.
func (p *Pool) inBatches(ctx context.Context, orders []*order) ([]*order, error) {
	for part := range slices.Chunk(orders, batchSize) {
		if slices.ContainsFunc(part, func(o *order) bool { return p.s.until(o.ticket.at) > 0 }) || !p.batch(ctx, part, definitionOf) {
			break
		}
		if err := p.s.point("create: defined"); err != nil {
			return nil, err
		}
		for _, o := range part {
			o.isNew()
		}
		if !p.batch(ctx, part, p.firstTicket) {
			if err := p.issue(ctx, part); err != nil {
				return nil, err
			}
		}
		orders = orders[len(part):]
	}
	return orders, nil
}

func definitionOf(o *order) *nats.Msg { return &o.def }

// batch publishes a copy of a message of each order, all or none, and reports whether it is known that all were taken.
func (p *Pool) batch(ctx context.Context, orders []*order, message func(*order) *nats.Msg) bool {
	messages := make([]*nats.Msg, len(orders))
	for i, o := range orders {
		m := *message(o)
		m.Header = maps.Clone(m.Header)
		messages[i] = &m
	}
	ctx, cancel := context.WithTimeout(ctx, p.s.cfg.Patience)
	defer cancel()
	_, err := jetstreamext.PublishMsgBatch(ctx, p.s.js, messages)
	if err == nil {
		return true
	}
	p.s.log.Debug("a batch was not taken; its messages go one by one", "pool", p.name, "err", err)
	for _, o := range orders {
		o.doubtful = true
	}
	return false
}
