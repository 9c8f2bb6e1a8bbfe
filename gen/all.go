package gen

import (
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// All puts each template through the generators, each one working on what the one before it made. The order is
// template-major and the last generator varies fastest; nothing is left out, not even repetitions. Without generators it
// returns clones of the templates. It is Qlib's task_generator (workflow/task/gen.py).
//
// One bad template fails the call: the error has the kind of the generator's error and names the template by its place,
// from 1. Errors: Invalid also for a nil generator; those of the generators.
func All(templates []foldstream.Template, generators ...foldstream.Generator) ([]foldstream.Template, error) {
	for i, g := range generators {
		if g == nil {
			return nil, foldstream.Errorf(foldstream.Invalid, "generate", "generator %d is nil", i+1)
		}
	}
	out := []foldstream.Template{}
	for i, t := range templates {
		made, err := chain(t, generators)
		if err != nil {
			return nil, foldstream.E(foldstream.KindOf(err), "generate", fmt.Errorf("template %d: %w", i+1, err))
		}
		out = append(out, made...)
	}
	return out, nil
}

// chain puts one template through the generators. The clones keep a careless generator from sharing memory.
func chain(t foldstream.Template, generators []foldstream.Generator) ([]foldstream.Template, error) {
	list := []foldstream.Template{t.Clone()}
	for _, g := range generators {
		var next []foldstream.Template
		for _, t := range list {
			made, err := g.Generate(t)
			if err != nil {
				return nil, err
			}
			for _, m := range made {
				next = append(next, m.Clone())
			}
		}
		list = next
	}
	return list, nil
}

// Either is a generator that hands its template to each of the generators and joins what they make, in their order: the
// alternatives of one experiment, as expanding and sliding windows. Without generators it makes nothing.
// Errors: Invalid for a nil generator; those of the generators.
func Either(generators ...foldstream.Generator) foldstream.Generator {
	return foldstream.GeneratorFunc(func(t foldstream.Template) ([]foldstream.Template, error) {
		var out []foldstream.Template
		for i, g := range generators {
			if g == nil {
				return nil, foldstream.Errorf(foldstream.Invalid, "either", "generator %d is nil", i+1)
			}
			made, err := g.Generate(t.Clone())
			if err != nil {
				return nil, err
			}
			out = append(out, made...)
		}
		return out, nil
	})
}

// on puts t on a calendar. Errors: Invalid where there is no calendar or t is on another.
func on(t *foldstream.Template, cal *calendar.Calendar, op string) error {
	switch {
	case cal == nil:
		return foldstream.Errorf(foldstream.Invalid, op, "there is no calendar")
	case t.Calendar != "" && t.Calendar != cal.Version():
		return foldstream.Errorf(foldstream.Invalid, op, "the template is on calendar %s, not on %s", short(t.Calendar), short(cal.Version()))
	}
	t.Calendar = cal.Version()
	return nil
}

// short is enough of a version to tell it from others in a message.
func short(version string) string { return version[:min(12, len(version))] }

// segment returns the segment of a name. Errors: Invalid where there is none.
func segment(t foldstream.Template, name, op string) (foldstream.Segment, error) {
	s, ok := t.Segments[name]
	if !ok {
		return s, foldstream.Errorf(foldstream.Invalid, op, "the template has no segment %q: its segments are %q", name, t.Segments.Names())
	}
	return s, nil
}
