package foldstream

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxInt is the largest integer that JSON numbers hold exactly (RFC 8785).
const maxInt = 1<<53 - 1

// handlerTimes are the keys of dataset.kwargs.handler.kwargs whose values are times.
var handlerTimes = []string{"start_time", "end_time", "fit_start_time", "fit_end_time"}

// TemplateOf makes a Template of Qlib's task dict: it takes dataset.kwargs.segments out into Segments and writes the
// handler's times in their canonical text; placeholders, <…>, stay. All else stays as it is. dict is not changed. Numbers of any Go type become
// int64 or float64. Errors: Invalid, naming the path and value: integers beyond ±(2^53−1), NaN, infinities, types that JSON does
// not have, segments that are not pairs of dates, handler times that are not dates, zones.
func TemplateOf(dict map[string]any) (Template, error) {
	v, err := plain("", dict)
	if err != nil {
		return Template{}, err
	}
	t := Template{Task: v.(map[string]any)}
	if t.Segments, err = takeSegments(t.Task); err != nil {
		return Template{}, err
	}
	return t, canonTimes(t.Handler())
}

// Dict returns the task dict as Qlib has it, with the segments back in dataset.kwargs.segments as pairs of canonical texts,
// nil for an open end. It shares nothing with t.
func (t Template) Dict() map[string]any {
	d := t.Clone().Task
	if t.Segments == nil {
		return d
	}
	if d == nil {
		d = map[string]any{}
	}
	segments := make(map[string]any, len(t.Segments))
	for name, s := range t.Segments {
		segments[name] = []any{textOrNil(s.Start), textOrNil(s.End)}
	}
	child(child(d, "dataset"), "kwargs")["segments"] = segments
	return d
}

// Handler returns dataset.kwargs.handler.kwargs of the task dict itself, not a copy; nil where there is none.
func (t Template) Handler() map[string]any {
	m := t.Task
	for _, k := range []string{"dataset", "kwargs", "handler", "kwargs"} {
		m, _ = m[k].(map[string]any)
	}
	return m
}

func textOrNil(t Time) any {
	if t.IsOpen() {
		return nil
	}
	return t.String()
}

// child returns m[key] as a map, making an empty one where there is none.
func child(m map[string]any, key string) map[string]any {
	c, ok := m[key].(map[string]any)
	if !ok {
		c = map[string]any{}
		m[key] = c
	}
	return c
}

func takeSegments(dict map[string]any) (Segments, error) {
	dataset, _ := dict["dataset"].(map[string]any)
	kwargs, _ := dataset["kwargs"].(map[string]any)
	v, there := kwargs["segments"]
	if !there {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, Errorf(Invalid, "template", "dataset.kwargs.segments: %v is not a map of name → [start, end]", v)
	}
	segments := make(Segments, len(m))
	for name, v := range m {
		s, err := segmentOf(v)
		if err != nil {
			return nil, Errorf(Invalid, "template", "dataset.kwargs.segments.%s: %w", name, err)
		}
		segments[name] = s
	}
	delete(kwargs, "segments")
	return segments, nil
}

func segmentOf(v any) (Segment, error) {
	pair, ok := v.([]any)
	if !ok || len(pair) != 2 {
		return Segment{}, fmt.Errorf("%v is not a pair [start, end]", v)
	}
	start, err := timeOf(pair[0])
	if err != nil {
		return Segment{}, err
	}
	end, err := timeOf(pair[1])
	if err != nil {
		return Segment{}, err
	}
	s := Segment{start, end}
	if s.Reversed() {
		return s, fmt.Errorf("the start %s is after the end %s", start, end)
	}
	return s, nil
}

func timeOf(v any) (Time, error) {
	switch v := v.(type) {
	case nil:
		return Time{}, nil
	case string:
		return ParseTime(v)
	}
	return Time{}, fmt.Errorf("%v is neither a date nor null", v)
}

func canonTimes(handler map[string]any) error {
	for _, key := range handlerTimes {
		s, ok := handler[key].(string)
		if !ok || strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") { // a placeholder is filled when the task runs
			continue
		}
		t, err := ParseTime(s)
		if err != nil {
			return Errorf(Invalid, "template", "dataset.kwargs.handler.kwargs.%s: %w", key, err)
		}
		handler[key] = t.String()
	}
	return nil
}

// Lookup returns what is at a path of a dict: keys of maps and, counted from 0, places in lists.
func Lookup(v any, path []string) (any, bool) {
	for _, key := range path {
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[key]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// Plain returns a deep copy of a value in the types that a Template's Task holds. Errors: Invalid, as TemplateOf.
func Plain(v any) (any, error) { return plain("", v) }

func plain(path string, v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, string:
		return v, nil
	case map[string]any:
		return plainMap(path, v)
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			p, err := plain(fmt.Sprintf("%s[%d]", path, i), e)
			if err != nil {
				return nil, err
			}
			c[i] = p
		}
		return c, nil
	}
	return plainNumber(path, v)
}

func plainMap(path string, m map[string]any) (any, error) {
	if path != "" {
		path += "."
	}
	c := make(map[string]any, len(m))
	for k, e := range m {
		p, err := plain(path+k, e)
		if err != nil {
			return nil, err
		}
		c[k] = p
	}
	return c, nil
}

func plainNumber(path string, v any) (any, error) {
	var f float64
	switch v := v.(type) {
	case int:
		return plainInt(path, int64(v))
	case int8:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case int64:
		return plainInt(path, v)
	case uint8:
		return int64(v), nil
	case uint16:
		return int64(v), nil
	case uint32:
		return int64(v), nil
	case uint64:
		return plainInt(path, int64(min(v, math.MaxInt64)))
	case uint:
		return plainInt(path, int64(min(uint64(v), math.MaxInt64)))
	case float32:
		f = float64(v)
	case float64:
		f = v
	default:
		return nil, Errorf(Invalid, "template", "%s: a value of type %T cannot be in a task", path, v)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, Errorf(Invalid, "template", "%s: %v cannot be in a task", path, f)
	}
	return f, nil
}

func plainInt(path string, i int64) (any, error) {
	if i > maxInt || i < -maxInt {
		return nil, Errorf(Invalid, "template", "%s: the integer %d is beyond ±(2^53−1) and would not survive JSON; write it as text", path, i)
	}
	return i, nil
}
