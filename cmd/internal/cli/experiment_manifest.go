package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
)

// manifestVersion is that of the manifest's form.
const manifestVersion = 1

// manifest is all that a complete experiment is, by digests: what its members are, what each of their tasks came to, and what was folded of
// that. Equal experiments of one life have equal manifests.
type manifest struct {
	Version    int                                     `json:"version"`
	Experiment string                                  `json:"experiment"`
	ID         string                                  `json:"id"`
	Pool       string                                  `json:"pool"`
	Calendar   string                                  `json:"calendar"`
	Members    foldstream.Digest                       `json:"members"`
	Expected   int                                     `json:"expected"`
	Leaks      foldstream.Policy                       `json:"leaks"`
	Source     string                                  `json:"source"`
	Results    map[foldstream.TaskID]foldstream.Digest `json:"results"` // SHA-256 of each task's winning result, see resultDigest
	Values     map[string]foldstream.Digest            `json:"values"`  // SHA-256 of the values of its collection, by key
}

// manifestOf makes the manifest of an experiment as it stands. Errors: NotFound, Incomplete.
func manifestOf(ctx context.Context, a administered, name string) (manifest, error) {
	e, err := record.ReadExperiment(ctx, a, name)
	if err != nil {
		return manifest{}, err
	}
	col, err := loadCollection(ctx, a, name)
	if err != nil {
		return manifest{}, err
	}
	if err := refuseIncomplete(col); err != nil {
		return manifest{}, err
	}
	m := manifest{
		Version: manifestVersion, Experiment: e.Name, ID: e.ID, Pool: e.Pool, Calendar: e.Calendar, Members: e.Members, Expected: e.Expected,
		Leaks: e.Policy, Source: e.Source, Results: map[foldstream.TaskID]foldstream.Digest{}, Values: map[string]foldstream.Digest{},
	}
	for r, err := range (collect.Results{Store: a}).List(ctx, name) {
		if err != nil {
			return m, err
		}
		result, ok := r.Handle().(*foldstream.Result)
		if !ok {
			return m, foldstream.Errorf(foldstream.Incomplete, "", "%s is incomplete: task %s is %s", name, r.ID, r.Status)
		}
		if m.Results[foldstream.TaskID(r.ID)], err = resultDigest(*result); err != nil {
			return m, err
		}
	}
	for v, err := range a.Values(foldstream.Collections).List(ctx, name) {
		if err != nil {
			return m, err
		}
		if v.Key == name || strings.HasPrefix(v.Key, name+".") {
			m.Values[v.Key] = sha256Of(v.Data)
		}
	}
	return m, nil
}

// resultDigest is the SHA-256 of the JSON of a result, keys in order: numbers as texts, so that there is NaN; frames and series by the SHA-256 of
// their stored form; artifacts as they are named. When and how long it was worked does not count.
func resultDigest(r foldstream.Result) (foldstream.Digest, error) {
	type blob struct {
		Name   string
		Digest foldstream.Digest
		Type   string
	}
	form := struct {
		Metrics, Params, Tags map[string]string
		Frames                map[string]foldstream.Digest
		Artifacts             []blob
		Series                foldstream.Digest
		Code, Worker          string
	}{Metrics: map[string]string{}, Params: r.Params, Tags: r.Tags, Frames: map[string]foldstream.Digest{}, Code: r.Code, Worker: r.Worker}
	for name, v := range r.Metrics {
		form.Metrics[name] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	for name, f := range r.Frames {
		data, err := f.MarshalBinary()
		if err != nil {
			return "", err
		}
		form.Frames[name] = sha256Of(data)
	}
	for _, one := range r.Artifacts {
		form.Artifacts = append(form.Artifacts, blob{one.Name, one.Digest, one.Type})
	}
	if len(r.Series) > 0 {
		data, err := r.Series.MarshalBinary()
		if err != nil {
			return "", err
		}
		form.Series = sha256Of(data)
	}
	text, err := json.Marshal(form)
	return sha256Of(text), err
}

func sha256Of(data []byte) foldstream.Digest {
	sum := sha256.Sum256(data)
	return foldstream.Digest(hex.EncodeToString(sum[:]))
}

// same reports what the store holds otherwise than was signed. Errors: Differs.
func (m manifest) same(now manifest) error {
	differs := func(what string) error {
		return foldstream.Errorf(foldstream.Differs, "", "%s: the store does not hold what was signed: %s", m.Experiment, what)
	}
	for _, id := range slices.Sorted(maps.Keys(m.Results)) {
		if now.Results[id] != m.Results[id] {
			return differs("the result of task " + string(id))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Values)) {
		if now.Values[key] != m.Values[key] {
			return differs("the value " + key + " of its collection")
		}
	}
	want, err := m.canonical()
	if err != nil {
		return err
	}
	got, err := now.canonical()
	if err == nil && string(got) != string(want) {
		err = differs("the experiment itself, or what belongs to it")
	}
	return err
}
