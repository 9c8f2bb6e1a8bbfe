package gen

import (
	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// Retest returns t with another period in its test segment, on a calendar that may be a newer one than t's: what it takes to have the
// same training predict sessions that came later. All other segments and the window stay; the handler's end is moved as Rolling
// moves it. The certificate is t's no more. Errors: Invalid: no calendar, no test segment, a period that holds no session.
func Retest(t foldstream.Template, cal *calendar.Calendar, test foldstream.Segment) (foldstream.Template, error) {
	t = t.Clone()
	t.Calendar = ""
	if err := on(&t, cal, "retest"); err != nil {
		return t, err
	}
	if _, err := segment(t, testName, "retest"); err != nil {
		return t, err
	}
	test, err := cal.AlignSegment(test)
	if err != nil {
		return t, err
	}
	t.Segments[testName], t.Leak = test, foldstream.Certificate{}
	if handler := t.Handler(); handler != nil {
		err = extendEnd(handler, test.End)
	}
	return t, err
}
