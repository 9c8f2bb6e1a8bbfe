package stream

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// scheduleState reads how one schedule stands. Errors: NotFound.
func (s *Store) scheduleState(ctx context.Context, name string) (foldstream.ScheduleState, error) {
	var state foldstream.ScheduleState
	found := map[string]*stored{}
	for _, part := range []string{planPart, duePart, lastPart} {
		if foldstream.ValidName("schedule", name) != nil {
			break
		}
		m, err := s.newest(ctx, s.lay.schedules(), s.lay.schedule(name, part))
		if err != nil {
			return state, err
		}
		if m != nil {
			found[part] = m
		}
	}
	newest := cmp.Or(found[planPart], found[duePart], found[lastPart])
	if newest == nil {
		return state, noSchedule("schedule", name)
	}
	var last firing
	var err error
	if m := found[lastPart]; m != nil {
		if last, err = readFiring(m); err != nil {
			return state, err
		}
		state.Last, state.Schedule = last.told(), last.Of
	}
	if m := found[duePart]; m != nil && m.seq > last.endedSeq() {
		state.Due = m.at
	}
	if m := cmp.Or(found[planPart], found[duePart]); m != nil {
		if state.Schedule, err = readSchedule(m); err != nil {
			return state, err
		}
	}
	if plan := found[planPart]; plan != nil {
		state.Active, state.Next = true, nextTime(state.Schedule, plan, found[duePart], last)
	}
	return state, nil
}

func readSchedule(m *stored) (foldstream.Schedule, error) {
	var sch foldstream.Schedule
	err := decode(m.data, &sch)
	return sch, err
}

// nextTime is when a schedule comes due next: what the server said of it with the newest order since it was made, or else what follows from its
// pattern; zero where that is a cron, whose times the server alone knows.
func nextTime(sch foldstream.Schedule, plan, due *stored, last firing) time.Time {
	told := last.Next
	if due != nil && due.seq > max(last.Seq, plan.seq) {
		told = timeOf(due.header)
	}
	if at, once := strings.CutPrefix(sch.When, "@at "); once {
		t, _ := time.Parse(time.RFC3339Nano, at) // Validate did
		return t
	}
	if told.After(plan.at) {
		return told
	}
	if every, ok := strings.CutPrefix(sch.When, "@every "); ok {
		d, _ := time.ParseDuration(every) // Validate did
		return plan.at.Round(time.Second).Add(d)
	}
	return time.Time{}
}

// timeOf reads when the schedule of an order comes due next; zero where it does not say.
func timeOf(h nats.Header) time.Time {
	t, err := time.Parse(time.RFC3339Nano, cmp.Or(h.Get(scheduleNextHeader), h.Get(headerNextTime)))
	if err != nil {
		return time.Time{}
	}
	return t
}
