package qlib

import (
	"fmt"
	"regexp"

	"github.com/foldstream/foldstream"
	"go.yaml.in/yaml/v3"
)

// template is a template and what the dict said beyond it.
type template struct {
	foldstream.Template
	label string // what names it among several: its model's class
	// follow says that the fit times were written as placeholders of the train segment: they follow it when it rolls.
	follow bool
}

// handlerTimes are the handler's arguments that are times.
var handlerTimes = []string{"start_time", "end_time", "fit_start_time", "fit_end_time"}

// readTemplate makes a template of Qlib's task dict. It checks what Foldstream owns, segments and the handler's times, and
// keeps all else as it stands, placeholders such as <MODEL> included. A placeholder for a handler time is filled in at
// once, because what a task reads must be known when it is made (Qlib fills it in at run time: utils/__init__.py,
// fill_placeholder).
func readTemplate(v value) template {
	if v.fields(); !v.is(yaml.MappingNode) {
		return template{}
	}
	for _, s := range v.get("dataset", "kwargs", "segments").fields() {
		checkSegment(s)
	}
	dict, _ := v.plain().(map[string]any)
	follow := fillTimes(v, dict)
	faults := len(v.doc.faults)
	if faults > 0 {
		return template{}
	}
	t, err := foldstream.TemplateOf(dict)
	if err != nil {
		v.faultf("%v", unwrapped(err))
	}
	class, _ := v.get("model", "class").plain().(string)
	return template{t, class, follow}
}

func checkSegment(s value) {
	if !s.is(yaml.SequenceNode) || len(s.node.list) != 2 {
		s.faultf("must be a pair [start, end] of dates, null for an open end (%s)", s.show())
		return
	}
	ends := s.items()
	if seg := (foldstream.Segment{Start: ends[0].time(), End: ends[1].time()}); seg.Reversed() {
		s.faultf("starts at %s, after its end %s", seg.Start, seg.End)
	}
}

var fitOf = regexp.MustCompile(`^<dataset\.kwargs\.segments\.train\.[01]>$`)

// fillTimes checks the handler's times and fills in the placeholders among them. It reports whether the fit times are
// those of the train segment.
func fillTimes(v value, dict map[string]any) (follow bool) {
	handler := v.get("dataset", "kwargs", "handler", "kwargs")
	if !handler.is(yaml.MappingNode) {
		return false
	}
	full, err := FillPlaceholders(dict, nil)
	if err != nil {
		v.faultf("%v", unwrapped(err))
		return false
	}
	kwargs, from := handlerOf(dict), handlerOf(full.(map[string]any))
	for _, key := range handlerTimes {
		h := handler.get(key)
		text, ok := h.plain().(string)
		if !ok || !placeholder.MatchString(text) {
			h.time()
			continue
		}
		kwargs[key] = from[key]
		if t, ok := from[key].(string); from[key] != nil && (!ok || t == text) {
			h.faultf("%s leads to no date of this template", text)
		}
		follow = follow || key[:3] == "fit" && fitOf.MatchString(text)
	}
	return follow
}

func handlerOf(dict map[string]any) map[string]any {
	return foldstream.Template{Task: dict}.Handler()
}

// labels returns a name for each template: its model's class, numbered where it stands more than once.
func labels(templates []template) []string {
	names, seen := make([]string, len(templates)), map[string]int{}
	for i, t := range templates {
		names[i] = t.label
		if names[i] == "" {
			names[i] = "template"
		}
		if seen[names[i]]++; seen[names[i]] > 1 {
			names[i] = fmt.Sprintf("%s-%d", names[i], seen[names[i]])
		}
	}
	return names
}
