package stream

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Scheduler = (*Store)(nil)

// The stream SCHEDULES holds all there is of a schedule, on three subjects, each of one message:
//
//	fold.schedule.<name>.plan   the schedule, a message schedule of the server (NATS ADR-51)
//	fold.schedule.<name>.due    the order that the server made of it last, until it is acknowledged
//	fold.schedule.<name>.last   who took the newest order, and what came of it: the fence
//
// It is a work queue, as a schedule can only target its own stream; its one consumer takes what is due. A newer message of a
// subject rolls the older one up, which leaves a tombstone: what the per-subject limit removes may return after the server is killed.
const (
	planPart = "plan"
	duePart  = "due"
	lastPart = "last"
)

func (l layout) schedules() string { return l.streams + "SCHEDULES" }

func (l layout) schedule(name, part string) string {
	return l.prefix + ".schedule." + name + "." + part
}

// nameOfSchedule returns the name in a subject of the stream.
func nameOfSchedule(subject string) string {
	tokens := strings.Split(subject, ".")
	if len(tokens) != 4 {
		return ""
	}
	return tokens[2]
}

func (s *Store) schedulesConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: s.lay.schedules(), Subjects: []string{s.lay.prefix + ".schedule.>"}, Retention: jetstream.WorkQueuePolicy,
		AllowMsgSchedules: true, AllowRollup: true, AllowDirect: true,
	}
}

// The headers of schedules, beside those of the server, and of what came of their orders.
const (
	scheduleZoneHeader   = "Nats-Schedule-Time-Zone"
	scheduleRollupHeader = "Nats-Schedule-Rollup"
	scheduleNextHeader   = "Nats-Schedule-Next"
	headerNextTime       = "Fold-Next" // the same in an order that somebody asked for
)

// Schedule publishes a message schedule.
func (s *Store) Schedule(ctx context.Context, sch foldstream.Schedule, replace bool) error {
	if err := sch.Validate(); err != nil {
		return foldstream.E(foldstream.Invalid, "schedule", err)
	}
	m, err := s.plan(sch)
	if err != nil {
		return err
	}
	if err := s.openSchedules(ctx, "schedule"); err != nil {
		return err
	}
	for t := s.trial(); ; {
		old, err := s.newest(ctx, s.lay.schedules(), m.Subject)
		if err != nil {
			return s.door(ctx, "schedule", err)
		}
		if done, err := standing(sch, old, replace); done || err != nil {
			return err
		}
		expect(m, seqOf(old))
		_, err = s.publish(ctx, m)
		switch v := verdictOf(err); {
		case v == accepted:
			return nil
		case v == broken:
			return s.door(ctx, "schedule", badSchedule(sch, err))
		case !t.again(ctx):
			return s.door(ctx, "schedule", errors.Join(err, nats.ErrTimeout))
		}
	}
}

// plan writes a schedule. Errors: TooLarge.
func (s *Store) plan(sch foldstream.Schedule) (*nats.Msg, error) {
	body, err := encode(&sch)
	if err != nil {
		return nil, err
	}
	h := nats.Header{
		jetstream.ScheduleHeader:       {sch.When},
		jetstream.ScheduleTargetHeader: {s.lay.schedule(sch.Name, duePart)},
		scheduleRollupHeader:           {jetstream.MsgRollupSubject},
	}
	setText(h, scheduleZoneHeader, sch.Zone)
	m := &nats.Msg{Subject: s.lay.schedule(sch.Name, planPart), Header: h, Data: body}
	return m, s.fits("schedule", m)
}

// standing reports whether a schedule stands as it should. Errors: Conflict.
func standing(sch foldstream.Schedule, old *stored, replace bool) (bool, error) {
	if old == nil {
		return false, nil
	}
	is, err := readSchedule(old)
	switch {
	case err != nil:
		return false, err
	case is.When == sch.When && is.Zone == sch.Zone && is.Kind == sch.Kind && string(is.Order) == string(sch.Order):
		return true, nil
	case !replace:
		return false, foldstream.Errorf(foldstream.Conflict, "schedule", "there is another schedule %s, %s", sch.Name, is.When)
	}
	return false, nil
}

func seqOf(m *stored) uint64 {
	if m == nil {
		return 0
	}
	return m.seq
}

// badSchedule says which field the server does not take.
func badSchedule(sch foldstream.Schedule, err error) error {
	api, ok := errors.AsType[*jetstream.APIError](err)
	switch {
	case !ok:
		return err
	case api.ErrorCode == jetstream.JSErrCodeSchedulePatternInvalid:
		return foldstream.Errorf(foldstream.Invalid, "schedule", "%s: when: the server knows no %q", sch.Name, sch.When)
	case sch.Zone != "" && strings.Contains(api.Description, "time zone"):
		return foldstream.Errorf(foldstream.Invalid, "schedule", "%s: zone: the server knows no time zone %q", sch.Name, sch.Zone)
	}
	return err
}

// openSchedules makes the stream, if it is not there: who has no schedules has none.
func (s *Store) openSchedules(ctx context.Context, op string) error {
	if err := s.going(ctx, op); err != nil || s.scheduling.Load() {
		return err
	}
	if err := s.ensureStream(ctx, s.schedulesConfig()); err != nil {
		return err
	}
	s.scheduling.Store(true)
	return nil
}

// haveSchedules reports whether there is the stream: to look one need not be able to make it.
func (s *Store) haveSchedules(ctx context.Context, op string) (bool, error) {
	if err := s.going(ctx, op); err != nil || s.scheduling.Load() {
		return err == nil, err
	}
	_, err := s.stream(ctx, s.lay.schedules())
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, nil
	}
	return err == nil, err
}

// going reports why nothing more is done. Errors: Cancelled, Unavailable.
func (s *Store) going(ctx context.Context, op string) error {
	if err := stopped(ctx, op); err != nil {
		return err
	}
	if s.life().Err() != nil {
		return foldstream.Errorf(foldstream.Unavailable, op, "the store is closed")
	}
	return nil
}

// Unschedule deletes all there is of a schedule. What is executed goes on; nobody hears of its end.
func (s *Store) Unschedule(ctx context.Context, name string) error {
	there, err := false, s.openSchedules(ctx, "unschedule")
	for _, part := range []string{planPart, duePart, lastPart} { // the plan first, so that no new order comes
		for err == nil && foldstream.ValidName("schedule", name) == nil {
			var m *stored
			if m, err = s.newest(ctx, s.lay.schedules(), s.lay.schedule(name, part)); err != nil || m == nil {
				break
			}
			there = true
			err = s.remove(ctx, s.lay.schedules(), m.seq)
		}
	}
	if err == nil && !there {
		err = noSchedule("unschedule", name)
	}
	return s.door(ctx, "unschedule", err)
}

func noSchedule(op, name string) error {
	return foldstream.Errorf(foldstream.NotFound, op, "there is no schedule %q", name)
}

// OrderNow publishes an order as the server does.
func (s *Store) OrderNow(ctx context.Context, name string) error {
	if err := s.openSchedules(ctx, "order"); err != nil {
		return err
	}
	state, err := s.scheduleState(ctx, name)
	if err != nil {
		return s.door(ctx, "order", err)
	}
	body, err := encode(&state.Schedule)
	if err != nil {
		return err
	}
	h := nats.Header{jetstream.MsgRollup: {jetstream.MsgRollupSubject}}
	if !state.Next.IsZero() {
		h.Set(headerNextTime, state.Next.UTC().Format(time.RFC3339Nano))
	}
	return s.door(ctx, "order", s.deliver(ctx, &nats.Msg{Subject: s.lay.schedule(name, duePart), Header: h, Data: body}))
}

// Schedules asks the leader for each schedule there is: a work queue takes no second consumer.
func (s *Store) Schedules(ctx context.Context) iter.Seq2[foldstream.ScheduleState, error] {
	return func(yield func(foldstream.ScheduleState, error) bool) {
		names, err := s.scheduleNames(ctx)
		for _, name := range names {
			var state foldstream.ScheduleState
			state, err = s.scheduleState(ctx, name)
			if foldstream.Is(err, foldstream.NotFound) {
				err = nil
				continue
			}
			if err != nil || !yield(state, nil) {
				break
			}
		}
		if err != nil {
			yield(foldstream.ScheduleState{}, s.door(ctx, "schedules", err))
		}
	}
}

func (s *Store) scheduleNames(ctx context.Context) ([]string, error) {
	if there, err := s.haveSchedules(ctx, "schedules"); !there {
		return nil, err
	}
	names := map[string]bool{}
	subjects, err := s.subjects(ctx, s.lay.schedules(), ">")
	for subject := range subjects {
		names[nameOfSchedule(subject)] = true
	}
	return slices.Sorted(maps.Keys(names)), err
}
