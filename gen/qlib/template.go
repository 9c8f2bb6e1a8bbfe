package qlib

import (
	"fmt"

	"github.com/foldstream/foldstream"
	"go.yaml.in/yaml/v3"
)

// handlerTimes are the handler's arguments that are times.
var handlerTimes = []string{"start_time", "end_time", "fit_start_time", "fit_end_time"}

// readTemplate makes a template of Qlib's task dict. It checks what Foldstream owns, segments and the handler's times, and
// keeps all else as it stands, placeholders such as <MODEL> included: they are filled in when the task runs.
func readTemplate(v value) foldstream.Template {
	if v.fields(); !v.is(yaml.MappingNode) {
		return foldstream.Template{}
	}
	before := len(v.doc.faults)
	for _, s := range v.get("dataset", "kwargs", "segments").fields() {
		checkSegment(s)
	}
	dict, _ := v.plain().(map[string]any)
	for _, key := range handlerTimes {
		checkHandlerTime(v.get("dataset", "kwargs", "handler", "kwargs", key), dict)
	}
	if len(v.doc.faults) > before {
		return foldstream.Template{}
	}
	t, err := foldstream.TemplateOf(dict)
	if err != nil {
		v.faultf("%v", unwrapped(err))
	}
	return t
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

// checkHandlerTime sees that a handler's time is one, or a placeholder that leads to one. A placeholder of a segment follows
// the segment when it rolls.
func checkHandlerTime(h value, dict map[string]any) {
	text, ok := h.plain().(string)
	if !ok || !placeholder.MatchString(text) {
		h.time()
		return
	}
	end, found := lookUp(dict, text)
	date, _ := end.(string)
	if _, err := foldstream.ParseTime(date); !found || end != nil && err != nil {
		h.faultf("%s leads to no date of this template", text)
	}
}

// labels returns a name for each template: its model's class, numbered where it stands more than once.
func labels(templates []foldstream.Template) []string {
	names, seen := make([]string, len(templates)), map[string]int{}
	for i, t := range templates {
		model, _ := t.Task["model"].(map[string]any)
		if names[i], _ = model["class"].(string); names[i] == "" {
			names[i] = "template"
		}
		if seen[names[i]]++; seen[names[i]] > 1 {
			names[i] = fmt.Sprintf("%s-%d", names[i], seen[names[i]])
		}
	}
	return names
}
