package clock_test

import (
	"testing"
	"time"

	"github.com/foldstream/foldstream/internal/clock"
)

func TestTick(t *testing.T) {
	began := clock.Tick()
	<-time.After(5 * time.Millisecond)
	took := clock.Since(began)
	if took < 5*time.Millisecond || took > time.Minute || clock.Until(began) > -took {
		t.Errorf("5 ms took %v", took)
	}
	if !began.Before(time.Unix(0, 0).AddDate(1, 0, 0)) || began.IsZero() {
		t.Errorf("%v may be taken for a date", began)
	}
}
