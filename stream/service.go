package stream

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/foldstream/foldstream"
)

// The service that answers from an index is a NATS micro service: PREFIX.index.stat and PREFIX.index.tasks take and give JSON, so
// that the answer to `nats request fold.index.stat "{}"` is read by people, too. All who have an index serve; a queue group shares the questions out.
const (
	serviceQueue  = "index"
	answerTime    = time.Second
	answersAtOnce = 64
)

// answerer makes an answer from an index that is up to date.
type answerer func(x *indexer, q question) (any, error)

// serve answers questions until ctx ends or the index is of no use any more.
func (x *indexer) serve(ctx context.Context) error {
	svc, err := micro.AddService(x.s.nc, micro.Config{
		Name: x.s.lay.prefix + "-index", Version: "1.0.0", Description: "Where Foldstream's tasks stand", QueueGroup: serviceQueue,
	})
	if err != nil {
		return err
	}
	group, slots := svc.AddGroup(x.s.lay.index("")), make(chan struct{}, answersAtOnce)
	for name, answer := range map[string]answerer{"stat": (*indexer).stat, "tasks": (*indexer).tasks} {
		err = errors.Join(err, group.AddEndpoint(name, micro.HandlerFunc(func(r micro.Request) { x.handle(ctx, r, answer, slots) })))
	}
	if err == nil {
		err = x.watch(ctx)
	}
	return errors.Join(err, svc.Stop())
}

// watch waits until the index is of no use any more or ctx ends. Now and then it asks itself whether it is, should nobody else ask: tasks
// that were deleted take room until it is known.
func (x *indexer) watch(ctx context.Context) error {
	tick := time.NewTicker(soundAfter / 2)
	defer tick.Stop()
	for {
		select {
		case err := <-x.torn:
			return err
		case <-tick.C:
			asking, cancel := context.WithTimeout(ctx, answerTime)
			if err := x.sync(asking); err != nil && ctx.Err() == nil {
				x.s.log.Debug("the index cannot tell whether it is up to date", "err", err)
			}
			cancel()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// handle answers one question beside the others. A micro.Request belongs to the service again once its handler has returned, so
// nothing but its reply subject leaves this call.
func (x *indexer) handle(ctx context.Context, r micro.Request, answer answerer, slots chan struct{}) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		_ = r.Error("503", errLate.Error(), nil)
		return
	}
	to, body := r.Reply(), r.Data()
	x.s.background(func(life context.Context) {
		defer func() { <-slots }()
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		m := nats.NewMsg(to)
		data, err := x.reply(ctx, body, answer)
		if err != nil {
			m.Header.Set(micro.ErrorCodeHeader, serviceCode(err))
			m.Header.Set(micro.ErrorHeader, err.Error())
		}
		if m.Data = data; life.Err() == nil {
			_ = x.s.nc.PublishMsg(m) // who gets no answer reads the streams, or asks again
		}
	})
}

func (x *indexer) reply(ctx context.Context, body []byte, answer answerer) ([]byte, error) {
	q, err := readQuestion(body)
	if err != nil {
		return nil, err
	}
	if err := x.sync(ctx); err != nil {
		return nil, foldstream.E(foldstream.Unavailable, "index", err)
	}
	reply, err := answer(x, q)
	if err != nil {
		return nil, err
	}
	return json.Marshal(reply)
}

// serviceCode is the code that an error has in a NATS micro service.
func serviceCode(err error) string {
	switch foldstream.KindOf(err) {
	case foldstream.Invalid:
		return "400"
	case foldstream.NotFound:
		return "404"
	}
	return "503"
}

// stat counts the tasks of one pool, or of all.
func (x *indexer) stat(q question) (any, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	reply := statReply{Version: serviceVersion, Pools: map[string]foldstream.Counts{}}
	for name, r := range x.rolls {
		if q.Pool != "" && q.Pool != name {
			continue
		}
		if r.foreign {
			return nil, foreign(name)
		}
		if len(r.at) > 0 {
			reply.Pools[name] = r.counts.told()
		}
	}
	return reply, nil
}

func foreign(pool string) error {
	return foldstream.Errorf(foldstream.Unavailable, "index", "there is something in pool %s that this program does not understand", pool)
}

// tasks tells of a page of a pool's tasks.
func (x *indexer) tasks(q question) (any, error) {
	if q.Pool == "" {
		return nil, foldstream.Errorf(foldstream.Invalid, "index", "tasks of no pool")
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.rolls[q.Pool]
	if r == nil {
		r = &roll{}
	}
	if r.foreign {
		return nil, foreign(q.Pool)
	}
	if q.After != "" && q.Past == 0 {
		k, ok := keyOf(q.After)
		place, known := r.at[k]
		if !ok || !known {
			return nil, foldstream.Errorf(foldstream.NotFound, "index", "no task %s in pool %s", q.After, q.Pool)
		}
		q.Past = r.entry(place).def
	}
	if q.Limit == 0 {
		q.Limit = pageSize
	}
	want, _ := wanting(q.Statuses) // it was checked
	found, more := r.page(q.Past, want, min(q.Limit, pageSize))
	reply := pageReply{Version: serviceVersion, Tasks: make([]row, len(found)), More: more}
	for i, e := range found {
		reply.Tasks[i] = x.row(e)
	}
	return reply, nil
}
