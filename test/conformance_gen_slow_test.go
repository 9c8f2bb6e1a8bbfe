package test

import (
	"fmt"
	"slices"

	"github.com/foldstream/foldstream"
)

// The notes of rolling_gen.json, gen_following.json and multi_horizon.json that say what to return.
const (
	noteKwargsNull = "kwargs null raises AttributeError, which is not swallowed; leave the handler alone"
	noteHandlerEnd = "the handler ends on Saturday 2020-08-01 and the test on Monday 2020-08-03: both are start-aligned to the same " +
		"session, so the handler is NOT extended and that Monday has no data; align the handler end backwards"
	noteExtraCut = "every segment except the test one is truncated, so an extra segment inside the test period collapses to one " +
		"day before it; truncate train/valid only"
	noteOpenStart     = "TypeError on an open end while truncating; treat open start as calendar start"
	noteOpenStartMH   = "TypeError on an open end; treat open start as the calendar start"
	noteListPairs     = "list pairs (e.g. a task read back from YAML/JSON) are a NotImplementedError here although generate accepts them; one pair type"
	noteStringTestEnd = "a plain date string is a TypeError in the comparison; accept dates"
	noteNullTestEnd   = "null is a TypeError in the comparison; null should mean the last session"
)

// slowTask is a task dict with the parts that rolling changes in reach: segments as pairs of day indices, −1 for an open end.
type slowTask struct {
	days     []foldstream.Time
	task     map[string]any
	segments map[string][2]int
}

func newSlowTask(v *vector) (*slowTask, error) {
	s := &slowTask{days: v.set.days[v.Calendar], segments: map[string][2]int{}}
	if err := v.into("task", &s.task); err != nil {
		return nil, err
	}
	pairs := s.task["dataset"].(map[string]any)["kwargs"].(map[string]any)["segments"].(map[string]any)
	for name, pair := range pairs {
		ends := [2]int{-1, -1}
		for i, end := range pair.([]any) {
			if end == nil {
				continue
			}
			t, err := foldstream.ParseTime(end.(string))
			if err != nil {
				return nil, err
			}
			ends[i] = slowIndex(s.days, t, i == 1)
		}
		s.segments[name] = ends
	}
	return s, nil
}

// cut ends the segments that start before the test n days before it.
func (s *slowTask) cut(n int) {
	start := s.segments["test"][0]
	for name, ends := range s.segments {
		if ends[0] < start {
			s.segments[name] = [2]int{ends[0], min(ends[1], start-n)}
		}
	}
}

// moved is the task with its segments n days later, the train start excepted where it expands; the hook sees to the handler.
func (s *slowTask) moved(n int, expanding, hook bool) map[string]any {
	pairs := map[string]any{}
	var testEnd any
	for name, ends := range s.segments {
		pair := []any{nil, nil}
		for i, end := range ends {
			if end >= 0 && (i == 1 || name != "train" || !expanding) {
				end += n
			}
			if end >= 0 && end < len(s.days) {
				pair[i] = s.days[end].String()
			}
		}
		if name == "test" {
			testEnd = pair[1]
		}
		pairs[name] = pair
	}
	kwargs := with(s.task["dataset"].(map[string]any)["kwargs"], "segments", pairs)
	if hook && kwargs["handler"] != nil {
		kwargs["handler"] = slowHandler(kwargs["handler"], testEnd)
	}
	return with(s.task, "dataset", with(s.task["dataset"], "kwargs", kwargs))
}

// slowHandler is a handler with its end moved to the test end where it is earlier, as text, which sorts as days do, or
// where the test end is open.
func slowHandler(handler, testEnd any) any {
	kwargs, ok := handler.(map[string]any)["kwargs"].(map[string]any)
	end, isText := kwargs["end_time"].(string)
	if ok && (testEnd == nil || isText && end < testEnd.(string)) {
		return with(handler, "kwargs", with(kwargs, "end_time", testEnd))
	}
	return handler
}

// with is a copy of a map with one value changed.
func with(m any, key string, value any) map[string]any {
	c := map[string]any{key: value}
	for k, v := range m.(map[string]any) {
		if k != key {
			c[k] = v
		}
	}
	return c
}

// slowRolling moves the task step by step until the test starts after the last day there is.
func slowRolling(v *vector) (any, error) {
	s, err := newSlowTask(v)
	if err != nil {
		return nil, err
	}
	step, trunc, rtype := 40, -1, ""
	for name, target := range map[string]any{"step": &step, "trunc_days": &trunc, "rtype": &rtype} {
		if err := v.into(name, target); err != nil {
			return nil, err
		}
	}
	limit := slowToday(v, s.days)
	if end := s.segments["test"][1]; end >= 0 {
		limit = min(limit, end)
	}
	start := s.segments["test"][0]
	s.segments["test"] = [2]int{start, start + step - 1}
	if trunc >= 0 {
		s.cut(trunc)
	}
	out := []any{}
	for n := 0; start+n <= limit; n += step {
		out = append(out, s.moved(n, rtype != "sliding", true))
	}
	return out, nil
}

// slowFollowing goes on from the task's own segments, which stay as long as they are.
func slowFollowing(v *vector) (any, error) {
	s, err := newSlowTask(v)
	if err != nil {
		return nil, err
	}
	var step int
	var rtype string
	var until foldstream.Time
	for name, target := range map[string]any{"step": &step, "test_end": &until, "rtype": &rtype} {
		if err := v.into(name, target); err != nil {
			return nil, err
		}
	}
	limit := slowToday(v, s.days)
	if !until.IsOpen() {
		limit = slowIndex(s.days, until, true)
	}
	out := []any{}
	for n := step; s.segments["test"][0]+n <= limit; n += step {
		out = append(out, s.moved(n, rtype != "sliding", true))
	}
	return out, nil
}

// slowHorizon writes the label of the vectors' note and cuts the other segments.
func slowHorizon(v *vector) (any, error) {
	var horizons []int
	leak := 2
	for name, target := range map[string]any{"horizon": &horizons, "label_leak_n": &leak} {
		if err := v.into(name, target); err != nil {
			return nil, err
		}
	}
	var out []any
	for _, h := range horizons {
		s, err := newSlowTask(v)
		if err != nil {
			return nil, err
		}
		s.cut(h + leak)
		handler := s.task["dataset"].(map[string]any)["kwargs"].(map[string]any)["handler"].(map[string]any)
		handler["kwargs"] = with(handler["kwargs"], "label", []any{fmt.Sprintf("return from +1 to +%d", h+1)})
		out = append(out, with(s.moved(0, false, false), "extra", map[string]any{"horizon": h}))
	}
	return out, nil
}

// slowToday is the index of the last day of history.
func slowToday(v *vector, days []foldstream.Time) int {
	if v.Now == "" {
		return len(days) - 1
	}
	return slices.IndexFunc(days, func(d foldstream.Time) bool { return d.String() == v.Now })
}
