package gen

import (
	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// Certified is the last generator of a list: it makes each template one template, with the answer of Certify on it.
type Certified struct {
	Calendar *calendar.Calendar
	Policy   foldstream.Policy // "" is refuse
}

var _ foldstream.Generator = Certified{}

// Generate returns t with its certificate. Errors: as Certify.
func (c Certified) Generate(t foldstream.Template) ([]foldstream.Template, error) {
	t, err := Certify(t, c.Calendar, c.Policy)
	if err != nil {
		return nil, err
	}
	return []foldstream.Template{t}, nil
}

// Expectations returns the members that a collection of the tasks must have: one for each task, in order, with the segment "test"
// as the period it covers.
func Expectations(tasks []foldstream.Task) []foldstream.Expectation {
	members := make([]foldstream.Expectation, len(tasks))
	for i, t := range tasks {
		members[i] = foldstream.Expectation{Key: t.Key, Window: t.Window, Test: t.Segments["test"], Task: t.ID}
	}
	return members
}
