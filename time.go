package foldstream

import (
	"encoding/json"
	"strings"
	"time"
)

// Time is a point on a calendar, without a zone: a date, or a date with a time of day. Two Times are equal with ==.
// The zero Time is an open end.
type Time struct{ t time.Time }

// DateOf returns midnight of a date.
func DateOf(year int, month time.Month, day int) Time {
	return Time{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// TimeOf takes the wall clock of t and drops its zone.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	y, m, d := t.Date()
	return Time{time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)}
}

// timeLayouts are the accepted spellings, the most frequent first. A fraction of a second is accepted after the seconds.
var timeLayouts = []string{"2006-01-02", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "20060102"}

// ParseTime reads "2006-01-02", "2006-01-02 15:04[:05[.999]]", the same with a T, or "20060102". The empty text is not
// an open end but an error, as is a zone ("Z", "+08:00"), NaT, and anything else. Errors: Invalid.
func ParseTime(s string) (Time, error) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil && !t.IsZero() { // the zero is our open end, which has no text
			return Time{t}, nil
		}
	}
	if hasZone(s) {
		return Time{}, Errorf(Invalid, "time", "%.80q has a time zone; calendars are zone-less: write the local time alone", s)
	}
	return Time{}, Errorf(Invalid, "time", "%.80q is not a date (2006-01-02) or a time (2006-01-02T15:04:05)", s)
}

func hasZone(s string) bool {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02 15:04Z07:00"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return len(s) > 10 && strings.Contains(s, "UTC")
}

// IsOpen reports whether t is the open end.
func (t Time) IsOpen() bool { return t.t.IsZero() }

// IsZero is IsOpen: by this name encoders know what may be left out.
func (t Time) IsZero() bool { return t.IsOpen() }

// IsDate reports whether t is a date: midnight.
func (t Time) IsDate() bool {
	return !t.IsOpen() && t.t.Equal(t.t.Truncate(24*time.Hour))
}

// Compare orders times; the open end comes before every other time.
func (t Time) Compare(u Time) int { return t.t.Compare(u.t) }

// Before reports whether t is earlier than u.
func (t Time) Before(u Time) bool { return t.t.Before(u.t) }

// After reports whether t is later than u.
func (t Time) After(u Time) bool { return t.t.After(u.t) }

// Std returns t as a time.Time in UTC, for arithmetic and formatting; the zero time.Time where t is open.
func (t Time) Std() time.Time { return t.t }

// String returns the one canonical text of t: "2006-01-02" at midnight, else "2006-01-02T15:04:05" with a fraction where
// there is one; "" where t is open.
func (t Time) String() string {
	switch {
	case t.IsOpen():
		return ""
	case t.IsDate():
		return t.t.Format("2006-01-02")
	}
	return t.t.Format("2006-01-02T15:04:05.999999999")
}

// MarshalText writes the canonical text.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what ParseTime reads; the empty text is the open end.
func (t *Time) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*t = Time{}
		return nil
	}
	u, err := ParseTime(string(text))
	if err == nil {
		*t = u
	}
	return err
}

// MarshalJSON writes the canonical text, null where t is open.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsOpen() {
		return []byte("null"), nil
	}
	return json.Marshal(t.String())
}

// UnmarshalJSON reads a text or null.
func (t *Time) UnmarshalJSON(data []byte) error {
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return Errorf(Invalid, "time", "%s is not a text or null", data)
	}
	if s == nil {
		*t = Time{}
		return nil
	}
	return t.UnmarshalText([]byte(*s))
}
