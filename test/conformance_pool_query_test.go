package test

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// id returns the task of a label, with or without an @; any other text is an id as it is.
func (s *poolScript) id(label string) foldstream.TaskID {
	for id, l := range s.labels {
		if l == strings.TrimPrefix(label, "@") {
			return id
		}
	}
	return foldstream.TaskID(label)
}

// stat counts the tasks by the original's statuses; what was removed is no more.
func (s *poolScript) stat(ctx context.Context) (map[string]int, error) {
	counts, err := s.store.Pool(scriptPool).Stat(ctx)
	stat := map[string]int{}
	for status, n := range counts {
		stat[string(status)] = n
	}
	delete(stat, string(foldstream.Removed))
	for state, err := range s.store.Tasks(ctx, scriptPool) {
		if err != nil {
			return nil, err
		}
		if status := phaseOf(state); status != string(state.Status) {
			stat[status]++
			if stat[string(state.Status)]--; stat[string(state.Status)] == 0 {
				delete(stat, string(state.Status))
			}
		}
	}
	return stat, err
}

// phaseOf is the original's status of a task: who waits for the second phase again is part_done.
func phaseOf(s foldstream.TaskState) string {
	if s.Status == foldstream.Waiting && s.Stage == secondPhase {
		return string(foldstream.PartDone)
	}
	return string(s.Status)
}

// matching returns the tasks that fit a query, in order of creation. Errors: NotFound (no such id).
func (s *poolScript) matching(ctx context.Context, query map[string]any) ([]foldstream.TaskID, error) {
	if id, one := query["_id"].(string); one {
		if _, err := s.store.Task(ctx, scriptPool, s.id(id)); err != nil {
			return nil, err
		}
	}
	var ids []foldstream.TaskID
	for state, err := range s.store.Tasks(ctx, scriptPool) {
		if err != nil {
			return nil, err
		}
		if state.Status != foldstream.Removed && s.fits(state, query) {
			ids = append(ids, state.ID)
		}
	}
	return ids, nil
}

// fits reports whether a task fits a query of ids, a status and values of the definition.
func (s *poolScript) fits(state foldstream.TaskState, query map[string]any) bool {
	for key, want := range query {
		var ok bool
		switch in, many := want.(map[string]any); {
		case key == "_id" && many:
			ok = slices.ContainsFunc(in["$in"].([]any), func(id any) bool { return s.id(id.(string)) == state.ID })
		case key == "_id":
			ok = s.id(want.(string)) == state.ID
		case key == "status":
			ok = phaseOf(state) == want
		default:
			ok = reflect.DeepEqual(state.Template.Task[strings.TrimPrefix(key, "filter.")], want)
		}
		if !ok {
			return false
		}
	}
	return true
}

func (s *poolScript) query(ctx context.Context, query map[string]any) (any, error) {
	ids, err := s.matching(ctx, query)
	docs := []any{}
	for _, id := range ids {
		doc, err := s.doc(ctx, id)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, err
}

// doc is a task as the original shows it.
func (s *poolScript) doc(ctx context.Context, id foldstream.TaskID) (any, error) {
	state, err := s.store.Task(ctx, scriptPool, id)
	if err != nil {
		return nil, err
	}
	doc := map[string]any{"task": s.labels[id], "def": state.Dict(), "status": phaseOf(state)}
	if state.Priority != nil {
		doc["priority"] = *state.Priority
	}
	for e, err := range s.store.Events(ctx, foldstream.EventFilter{Pool: scriptPool, Task: id}, 0) {
		if err != nil {
			return nil, err
		}
		if res := resOf(e.Result); res != nil {
			doc["res"] = res
		}
	}
	return doc, nil
}

// resOf returns what a commit of a script stored, nil where it stored nothing.
func resOf(r *foldstream.Result) (res any) {
	if r != nil && r.Params["res"] != "" {
		_ = json.Unmarshal([]byte(r.Params["res"]), &res) // it was written by finish
	}
	return res
}

// paramOf is what a phase works on: the definition, or what the phase before handed on.
func paramOf(t foldstream.Task) any {
	if t.Stage == secondPhase {
		return resOf(t.Part)
	}
	return t.Dict()
}

// entry returns a map with one entry more.
func entry(m map[string]any, key string, value any) map[string]any {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]any{}
	}
	m[key] = value
	return m
}
