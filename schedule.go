package foldstream

import (
	"context"
	"iter"
	"strings"
	"time"
)

// Schedule is an order that comes due by itself, once or again and again. The store keeps the time: no process of ours has to run for
// an order to come due, one has to for it to be executed.
type Schedule struct {
	Name string // a ValidName
	// When it comes due: "@at 2026-03-02T18:00:00Z" (RFC 3339), "@every 1h30m" (1 s at least), or six fields of cron: second, minute, hour,
	// day (of the month), month, weekday; or one of @yearly, @monthly, @weekly, @daily and @hourly. What a store keeps of them is NATS
	// ADR-51; one in memory keeps no cron.
	When  string
	Zone  string // of a cron: an IANA name; "" is UTC
	Kind  string // of the order, a ValidName: who executes orders knows kinds
	Order []byte // what is to be done, in the kind's own words
}

// Validate reports what cannot be a schedule. Errors: Invalid, naming the field and the value.
func (s Schedule) Validate() error {
	if err := ValidName("schedule", s.Name); err != nil {
		return err
	}
	if err := ValidName("kind of order", s.Kind); err != nil {
		return err
	}
	at, once := strings.CutPrefix(s.When, "@at ")
	every, repeated := strings.CutPrefix(s.When, "@every ")
	switch {
	case (once || repeated) && s.Zone != "":
		return Errorf(Invalid, "schedule", "%s: zone: %q stands beside %q: only a cron has a zone", s.Name, s.Zone, s.When)
	case once:
		if _, err := time.Parse(time.RFC3339Nano, at); err != nil {
			return Errorf(Invalid, "schedule", "%s: when: %q is no time as 2026-03-02T18:00:00Z", s.Name, at)
		}
	case repeated:
		if d, err := time.ParseDuration(every); err != nil || d < time.Second {
			return Errorf(Invalid, "schedule", "%s: when: %q is no period of 1s or more", s.Name, every)
		}
	case !strings.HasPrefix(s.When, "@") && len(strings.Fields(s.When)) != 6:
		return Errorf(Invalid, "schedule", "%s: when: %q has not the six fields of a cron: second, minute, hour, day, month, weekday", s.Name, s.When)
	}
	return nil
}

// Scheduler keeps schedules and hands out their orders.
//
// Every method may fail with Unavailable, Denied, Full or Cancelled besides the kinds it names.
type Scheduler interface {
	// Schedule keeps a schedule; one of the same name with another content only if replace is set. Keeping the same again changes
	// nothing, a period does not begin anew. Errors: Invalid, TooLarge, Conflict (there is another of the name).
	Schedule(ctx context.Context, s Schedule, replace bool) error
	// Unschedule forgets a schedule, an order of it that waits, and how the last one went. Errors: NotFound.
	Unschedule(ctx context.Context, name string) error
	// Schedules reads all schedules in order of their names, also those that will not come due again.
	Schedules(ctx context.Context) iter.Seq2[ScheduleState, error]
	// OrderNow makes an order due beside its time. Errors: NotFound.
	OrderNow(ctx context.Context, name string) error
	// NextOrder leases one due order; with none there it waits up to wait. One order of a schedule waits at most: one that comes due takes
	// the place of one that nobody took. Errors: NotFound, which promises only that nothing was seen.
	NextOrder(ctx context.Context, wait time.Duration) (Order, error)
}

// Order is the right to execute an order that came due. Its owner's process keeps it alive in the background until Done or Return, or
// until it dies: then another process gets it. So an order may be executed twice, in part or whole, and must be one that can be.
// Exactly one of Done and Return takes effect, once; after that, and after the order was lost to another process, both fail with Conflict.
type Order interface {
	// Schedule returns the schedule as it was when the order came due.
	Schedule() Schedule
	// Due returns when it came due: the same time whoever executes it.
	Due() time.Time
	// Done ends the order. An outcome with an Error is one that failed; it is not tried again. Errors: Conflict.
	Done(ctx context.Context, o Outcome) error
	// Return gives the order back, to come again after the pause. why is for people. Errors: Conflict.
	Return(ctx context.Context, why error, after time.Duration) error
}

// Outcome is what came of an order.
type Outcome struct {
	Text  string // for people; "" where there is nothing to tell
	Error string // why it failed; "" where it did not
}

// ScheduleState is a schedule and how it stands.
type ScheduleState struct {
	Schedule
	Active bool      // it comes due again; false for one that came due for the only time
	Next   time.Time // when; zero where that is not known: before the first time of a cron
	Due    time.Time // since when an order waits, or is executed; zero where there is none
	Last   Firing    // the newest order that somebody took; zero where nobody did
}

// Firing is an order that somebody took.
type Firing struct {
	Due    time.Time
	Worker string    // who took it
	Taken  time.Time // when
	Ended  time.Time // zero while it is executed, and after it was given back
	Outcome
}
