package gen_test

import (
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

func day(y int, m time.Month, d int) foldstream.Time { return foldstream.DateOf(y, m, d) }

// weekdays is a calendar of n weekdays from Monday, 2024-01-01.
func weekdays(t testing.TB, n int) *calendar.Calendar {
	t.Helper()
	var days []foldstream.Time
	for d := day(2024, 1, 1).Std(); len(days) < n; d = d.AddDate(0, 0, 1) {
		if d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			days = append(days, foldstream.TimeOf(d))
		}
	}
	c, err := calendar.New(days)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// at is session i of a calendar.
func at(t testing.TB, c *calendar.Calendar, i int) foldstream.Time {
	t.Helper()
	d, err := c.At(i)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// span is the segment from session i to session j.
func span(t testing.TB, c *calendar.Calendar, i, j int) foldstream.Segment {
	t.Helper()
	return foldstream.Segment{Start: at(t, c, i), End: at(t, c, j)}
}

// handled is a template with a handler that has arguments, and with segments.
func handled(args map[string]any, segments foldstream.Segments) foldstream.Template {
	return foldstream.Template{
		Task: map[string]any{
			"model":   map[string]any{"class": "Ridge", "kwargs": map[string]any{"alpha": 0.5}},
			"dataset": map[string]any{"kwargs": map[string]any{"handler": map[string]any{"class": "Prices", "kwargs": args}}},
		},
		Segments: segments,
	}
}

// wantErr checks an error's kind.
func wantErr(t testing.TB, err error, kind foldstream.Kind) {
	t.Helper()
	if err == nil || foldstream.KindOf(err) != kind {
		t.Errorf("error %v, want one of kind %v", err, kind)
	}
}
