package cli

import (
	"time"
	_ "time/tzdata" // zones are known on machines without them, too

	"github.com/foldstream/foldstream"
)

// momentLayouts are how people write a moment without a zone.
var momentLayouts = []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"}

// moment reads a moment: RFC 3339, or a date and a time of day in a zone. Errors: Invalid, naming the flag.
func moment(flag, text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, layout := range momentLayouts {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, foldstream.Errorf(foldstream.Invalid, "", "%s %q is no moment: write 2026-03-02T18:00:00Z, or 2026-03-02 18:00", flag, text)
}

// future is moment for one that is still to come.
func future(flag, text string, zone *time.Location) (time.Time, error) {
	t, err := moment(flag, text, zone)
	if err == nil && !t.After(time.Now()) {
		err = foldstream.Errorf(foldstream.Invalid, "", "%s %s is past", flag, t.Format(time.RFC3339))
	}
	return t, err
}

// zoneNamed returns the zone of an IANA name, otherwise where the name is empty. Errors: Invalid.
func zoneNamed(name string, otherwise *time.Location) (*time.Location, error) {
	if name == "" {
		return otherwise, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "--zone %q is no time zone, as Asia/Shanghai or America/New_York", name)
	}
	return zone, nil
}
