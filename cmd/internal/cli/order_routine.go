package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/online"
)

// routineKind is the kind of orders that do a strategy's routine.
const routineKind = "online"

// routinePause is how long an order of a routine is put off while its tasks are open.
const routinePause = 2 * time.Second

// routineOrder is such an order.
type routineOrder struct {
	File string `json:"file"`           // absolute, on the machine that executes the order
	Zone string `json:"zone,omitempty"` // in which the order's day is taken; "" is UTC
}

func readRoutine(order []byte) (o routineOrder, err error) {
	if err := json.Unmarshal(order, &o); err != nil {
		return o, foldstream.Errorf(foldstream.Invalid, "", "an order of a routine that cannot be read: %w", err)
	}
	return o, nil
}

// runRoutine does what can be done now of the routine of the day when the order came due. While its tasks are open the order is put off, so
// that those of other schedules are not kept waiting. Errors: Snooze, NotFound (the strategy was not begun).
func runRoutine(ctx context.Context, store foldstream.Store, order foldstream.Order) (string, error) {
	o, err := readRoutine(order.Schedule().Order)
	if err != nil {
		return "", err
	}
	a, err := administration(store)
	if err != nil {
		return "", err
	}
	s, err := loadStrategy(o.File, "")
	if err != nil {
		return "", err
	}
	zone, err := zoneNamed(o.Zone, time.UTC)
	if err != nil {
		return "", err
	}
	session, err := s.session("the day that it is due", "", dateOf(order.Due().In(zone)))
	if err != nil {
		return "", err
	}
	if _, _, err := online.Read(ctx, a, s.name); err != nil {
		return "", err
	}
	if err := s.supply(ctx, a); err != nil {
		return "", err
	}
	p, err := s.step(ctx, a, session)
	if err == nil && !p.Done {
		err = foldstream.Snooze(routinePause, fmt.Sprintf("%s: %s: %d of %d tasks are open", s.name, p.What, p.Open, p.Tasks))
	}
	if err != nil {
		return "", err
	}
	return reached(s.name, p), nil
}

func describeRoutine(order []byte) ([][2]string, error) {
	o, err := readRoutine(order)
	return [][2]string{{"routine of", o.File}, {"zone", o.Zone}}, err
}

// routine returns what writes the order of a routine. Errors: Invalid, also for flags that are about submitting.
func (c *ScheduleAddCmd) routine() (func(context.Context, administered) ([]byte, error), error) {
	if c.As != "" || c.Freeze || c.RetryFailed || c.Again {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "--online: --as, --freeze, --retry-failed and --again are about submitting an experiment")
	}
	s, err := loadStrategy(c.File, "")
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(c.File)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, a administered) ([]byte, error) {
		if _, _, err := online.Read(ctx, a, s.name); err != nil {
			return nil, err
		}
		return json.Marshal(routineOrder{File: path, Zone: c.Zone})
	}, nil
}
