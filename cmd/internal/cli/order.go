package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// orderKind is what this program can do when a schedule comes due.
type orderKind struct {
	// run executes an order. It may be told twice, and have been told before and died on the way. What it returns is for people; a
	// foldstream.Snooze puts the order off.
	run func(ctx context.Context, store foldstream.Store, o foldstream.Order) (string, error)
	// describe tells what the order is, by name and value.
	describe func(order []byte) ([][2]string, error)
}

// orderKinds are the kinds of orders by name.
var orderKinds = map[string]orderKind{
	submitKind:  {runSubmit, describeSubmit},
	routineKind: {runRoutine, describeRoutine},
}

// How those who execute orders wait.
const (
	orderPoll  = 5 * time.Second
	orderPause = 10 * time.Second // after an error that may pass
	orderLater = time.Minute      // for an order of a kind that only others know
)

// executor executes the orders of a store, one after the other.
type executor struct {
	store foldstream.Store
	log   *slog.Logger
	told  func(foldstream.Order, foldstream.Outcome) // hears of each order that ended; nil hears nothing
}

// run executes until ctx ends; being told to stop is no error. While the store is away it tries again. Errors: Invalid, Denied.
func (e executor) run(ctx context.Context) error {
	scheduler, ok := e.store.(foldstream.Scheduler)
	if !ok {
		return foldstream.Errorf(foldstream.Internal, "", "this store (%T) keeps no schedules", e.store)
	}
	for away := false; ctx.Err() == nil; {
		o, err := scheduler.NextOrder(ctx, orderPoll)
		switch {
		case err == nil:
			away = false
			e.execute(ctx, o)
		case foldstream.Is(err, foldstream.NotFound):
			away = false
		case foldstream.Is(err, foldstream.Invalid), foldstream.Is(err, foldstream.Denied):
			return err
		case ctx.Err() == nil:
			if !away {
				e.log.Warn("no order can be had; trying again until one can", "err", err)
			}
			away = true
			pause(ctx, time.Second)
		}
	}
	return nil
}

// execute executes one order and ends it: what failed for good is kept with its error, what may pass and what was interrupted goes
// back. An end that cannot be stored leaves the order to run out and to be executed again.
func (e executor) execute(ctx context.Context, o foldstream.Order) {
	log := e.log.With("schedule", o.Schedule().Name, "due", o.Due())
	out, again, err := e.perform(ctx, o)
	end := context.WithoutCancel(ctx)
	switch {
	case err == nil:
		err = o.Done(end, out)
	case ctx.Err() != nil:
		log.Info("order given back because of the stop")
		err = o.Return(end, nil, 0)
	case again > 0:
		level := slog.LevelWarn
		if _, waits := foldstream.IsSnooze(err); waits {
			level = slog.LevelInfo
		}
		log.Log(end, level, "an order is put off", "err", err)
		err = o.Return(end, err, again)
	default:
		log.Warn("an order failed", "err", err)
		out.Error = err.Error()
		err = o.Done(end, out)
	}
	if err != nil {
		log.Warn("the end of an order was not stored", "err", err)
	} else if e.told != nil && again == 0 && ctx.Err() == nil {
		e.told(o, out)
	}
}

// perform executes one order. again is the pause after which an error is worth another try; 0 is never.
func (e executor) perform(ctx context.Context, o foldstream.Order) (out foldstream.Outcome, again time.Duration, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = foldstream.Errorf(foldstream.Internal, "", "the order panicked: %v", v)
		}
	}()
	kind, known := orderKinds[o.Schedule().Kind]
	if !known {
		return out, orderLater, foldstream.Errorf(foldstream.Invalid, "", "this program knows no orders of kind %q but %s",
			o.Schedule().Kind, strings.Join(slices.Sorted(maps.Keys(orderKinds)), ", "))
	}
	out.Text, err = kind.run(ctx, e.store, o)
	if after, ok := foldstream.IsSnooze(err); ok {
		return out, after, err
	}
	if err != nil {
		switch foldstream.KindOf(err) {
		case foldstream.Unavailable, foldstream.Timeout, foldstream.Full:
			again = orderPause
		}
	}
	return out, again, err
}

// tellOrders returns what tells of ended orders, a line each.
func tellOrders(w io.Writer, asJSON bool) func(foldstream.Order, foldstream.Outcome) {
	return func(o foldstream.Order, out foldstream.Outcome) {
		if asJSON {
			_ = json.NewEncoder(w).Encode(map[string]any{"schedule": o.Schedule().Name, "due": o.Due().UTC(), "text": out.Text, "error": out.Error})
			return
		}
		what := out.Text
		if out.Error != "" {
			what = "failed: " + out.Error
		}
		fmt.Fprintf(w, "%s %s: %s\n", instant(o.Due()), o.Schedule().Name, what)
	}
}

// pause waits for a while, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
