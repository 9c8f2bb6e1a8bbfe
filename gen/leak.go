package gen

import (
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// Certify answers in writing whether t's training could see its test period, and returns a clone of t with the answer in
// Leak. The task leaks where index(end of train or valid) + reach ≥ index(start of test), or where the fit window ends at or
// after the test start. The check needs segments named train and test, a closed end of train and valid, and a known reach;
// without one of them nothing can be shown, which is a fault too. Train labels that reach into valid are a note.
//
// Errors: Leak under Refuse, the zero Policy, where there is a fault, with the certificate beside it all the same; Invalid for an unknown policy, no calendar or another
// than t's, and segments off the calendar.
func Certify(t foldstream.Template, cal *calendar.Calendar, policy foldstream.Policy) (foldstream.Template, error) {
	policy = orElse(policy, foldstream.Refuse)
	if policy != foldstream.Refuse && policy != foldstream.Warn {
		return t, foldstream.Errorf(foldstream.Invalid, "certify", "policy %q: it is %q or %q", policy, foldstream.Refuse, foldstream.Warn)
	}
	t = t.Clone()
	if err := on(&t, cal, "certify"); err != nil {
		return t, err
	}
	c, err := inspect(t, cal)
	if err != nil {
		return t, foldstream.E(foldstream.KindOf(err), "certify", err)
	}
	c.Policy = policy
	t.Leak = c
	if policy == foldstream.Refuse && !c.Certified {
		return t, leak(t, c.Faults)
	}
	return t, nil
}

// Check is what a consumer asks before it runs a task: the id is that of the content, the calendar is the task's, there is a
// certificate for it, and the inequality holds when computed anew. A task certified under Warn with its faults written down
// passes: whoever collects its results sees them. Errors: Invalid where the id or the calendar is another, or the segments are
// off the calendar; Leak where there is no certificate, or it says less than what is found.
func Check(t foldstream.Task, cal *calendar.Calendar) error {
	id, err := ID(t.Template)
	if err != nil {
		return foldstream.E(foldstream.KindOf(err), "check", err)
	}
	c := t.Leak
	switch {
	case id != t.ID:
		return foldstream.Errorf(foldstream.Invalid, "check", "task %s: its content has the id %s", t.ID, id)
	case cal == nil || t.Calendar != cal.Version():
		return foldstream.Errorf(foldstream.Invalid, "check", "task %s is on calendar %q, which is not the one here", t.ID, short(t.Calendar))
	case c.Policy != foldstream.Refuse && c.Policy != foldstream.Warn:
		return foldstream.Errorf(foldstream.Leak, "check", "task %s has no leak certificate", t.ID)
	case c.Calendar != t.Calendar:
		return foldstream.Errorf(foldstream.Leak, "check", "task %s was certified on calendar %q", t.ID, short(c.Calendar))
	}
	found, err := inspect(t.Template, cal)
	if err != nil {
		return foldstream.E(foldstream.KindOf(err), "check", fmt.Errorf("task %s: %w", t.ID, err))
	}
	if !found.Certified && (c.Policy == foldstream.Refuse || c.Certified) {
		return foldstream.E(foldstream.Leak, "check", fmt.Errorf("task %s: %w", t.ID, leak(t.Template, found.Faults)))
	}
	return nil
}

// leak is the error of a template with faults.
func leak(t foldstream.Template, faults []string) error {
	where := ""
	if test, ok := t.Segments[testName]; ok {
		where = " before the test from " + test.Start.String()
	}
	return foldstream.Errorf(foldstream.Leak, "leak", "training%s is not safe: %s", where, strings.Join(faults, "; "))
}

// inspect makes the certificate, less its policy. A label that reads further than the reach somebody declared is believed.
func inspect(t foldstream.Template, cal *calendar.Calendar) (foldstream.Certificate, error) {
	c := foldstream.Certificate{Calendar: cal.Version(), Reach: ReachOf(t)}
	if !c.Reach.Known {
		c.Faults = append(c.Faults, "the label's reach is unknown: declare it")
	}
	if said := LabelOf(t); c.Reach.Known && said.Known && said.Sessions > c.Reach.Sessions {
		c.Faults = append(c.Faults, fmt.Sprintf("the label reads %s sessions ahead, more than the declared reach %s", said, c.Reach))
		c.Reach = said
	}
	segments, err := cal.AlignSegments(t.Segments)
	if err != nil {
		return c, err
	}
	test, there := segments[testName]
	if !there || test.Start.IsOpen() {
		c.Faults = append(c.Faults, "there is no segment test with a start")
		return c, nil
	}
	start, err := cal.Index(test.Start, calendar.Start)
	if err != nil {
		return c, err
	}
	if err := ends(&c, segments, start, cal); err != nil {
		return c, err
	}
	fitWindow(&c, t.Handler(), segments)
	c.Certified = len(c.Faults) == 0
	return c, nil
}

// ends applies the inequality to the ends of train and valid. start is the test start's index.
func ends(c *foldstream.Certificate, segments foldstream.Segments, start int, cal *calendar.Calendar) error {
	if _, there := segments[trainName]; !there {
		c.Faults = append(c.Faults, "there is no segment train")
	}
	c.Gap = start - c.Reach.Sessions
	for _, name := range []string{trainName, validName} {
		s, there := segments[name]
		if !there {
			continue
		}
		if s.End.IsOpen() {
			c.Faults = append(c.Faults, fmt.Sprintf("segment %s has an open end", name))
			continue
		}
		end, err := cal.Index(s.End, calendar.End)
		if err != nil {
			return err
		}
		gap := start - (end + c.Reach.Sessions)
		c.Gap = min(c.Gap, gap)
		if gap <= 0 {
			c.Faults = append(c.Faults, fmt.Sprintf("%s ends at %s and its labels reach %d sessions ahead, to the test start or past it", name, s.End, c.Reach.Sessions))
		}
	}
	return overlap(c, segments, cal)
}

// overlap notes train labels that reach into valid.
func overlap(c *foldstream.Certificate, segments foldstream.Segments, cal *calendar.Calendar) error {
	train, valid := segments[trainName], segments[validName]
	if train.End.IsOpen() || valid.Start.IsOpen() || valid.Start.Before(train.Start) {
		return nil
	}
	end, err := cal.Index(train.End, calendar.End)
	if err != nil {
		return err
	}
	start, err := cal.Index(valid.Start, calendar.Start)
	if err != nil {
		return err
	}
	if over := end + c.Reach.Sessions - start; over >= 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("train labels reach %d sessions into valid", over+1))
	}
	return nil
}

// fitWindow faults a fit window that ends at or after the test start, or not at all.
func fitWindow(c *foldstream.Certificate, handler map[string]any, segments foldstream.Segments) {
	from, hasFrom := handler["fit_start_time"]
	to, hasTo := handler["fit_end_time"]
	if !hasFrom && !hasTo {
		return
	}
	switch end := fitEnd(to, segments); {
	case end.IsOpen():
		c.Faults = append(c.Faults, fmt.Sprintf("the fit window from %v has no end that can be read: %v", from, to))
	case !end.Before(segments[testName].Start):
		c.Faults = append(c.Faults, fmt.Sprintf("the fit window ends at %s, at or after the test start", end))
	}
}

// fitEnd reads a fit window's end: a date, or Qlib's placeholder of a segment's end, "<dataset.kwargs.segments.train.1>" or
// with a 0 its start. Open where it is neither.
func fitEnd(v any, segments foldstream.Segments) foldstream.Time {
	text, _ := v.(string)
	path, isPlaceholder := strings.CutPrefix(text, "<dataset.kwargs.segments.")
	if !isPlaceholder {
		end, _ := foldstream.ParseTime(text)
		return end
	}
	if name, ok := strings.CutSuffix(path, ".0>"); ok {
		return segments[name].Start
	}
	name, _ := strings.CutSuffix(path, ".1>")
	return segments[name].End
}
