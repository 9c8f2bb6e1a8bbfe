package stream

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream/internal/clock"
)

// What is denied to one who publishes does not cut short the wait of others, who publish to something else.
func TestDenial_ConcernsItsSubjectAlone(t *testing.T) {
	of := func(subject string, at time.Time) *denial {
		return &denial{at: at, err: fmt.Errorf("%w: Permissions Violation for Publish to %q", nats.ErrPermissionViolation, subject)}
	}
	now := clock.Tick()
	for _, c := range []struct {
		denial *denial
		told   bool
		err    error
	}{
		{noDenial(), false, nil},
		{of("fold.event.p.a", now), true, nats.ErrPermissionViolation},
		{of("fold.event.p.b", now), true, nats.ErrTimeout},
		{of("fold.event.q.a", now), false, nil},
		{of("fold.metric.e.r", now), false, nil},
		{of("fold.event.p.a", now.Add(-time.Hour)), false, nil},
	} {
		wait, err := c.denial.patience("fold.event.p.a")
		if wait != nil != c.told || !errors.Is(err, c.err) {
			t.Errorf("%v: %v, %v", c.denial.err, wait != nil, err)
		}
	}
}
