package record

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// plainOf returns a deep copy of a value in the types that params have; what is of another type is what its JSON says. Errors: Invalid.
func plainOf(v any) (any, error) {
	plain, err := foldstream.Plain(v)
	if err == nil {
		return plain, nil
	}
	data, unfit := json.Marshal(v)
	if unfit != nil {
		return nil, unfit
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var loose any
	if err := d.Decode(&loose); err != nil {
		return nil, err
	}
	return foldstream.Plain(numbered(loose))
}

// numbered returns a value with the numbers of its JSON as integers, where they are written so, and floats.
func numbered(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64() // a number of JSON that is too large is infinite, which Plain refuses
		return f
	case []any:
		for i := range v {
			v[i] = numbered(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = numbered(v[name])
		}
	}
	return v
}

// How large params may be in a document.
const (
	largeParam  = 4 << 10   // a larger one becomes an artifact
	largeParams = 256 << 10 // all together; beyond, the largest become artifacts
)

// param is a parameter of free work. Only the run's one goroutine that stores it sets what is stored of it.
type param struct {
	value any
	large *Large // the artifact that has it; nil while it is in none
}

// paramsOf returns the params that are stored of a run.
func paramsOf(w work) map[string]*param {
	params := map[string]*param{}
	for name, v := range w.Params {
		params[name] = &param{value: v}
	}
	for name, l := range w.Large {
		params[name] = &param{large: &l}
	}
	return params
}

// spill parts params into those that stand in the document and those that are too large for it, which are put to the artifacts once.
func spill(ctx context.Context, artifacts foldstream.Artifacts, params map[string]*param) (small map[string]any, large map[string]Large, err error) {
	small, large = map[string]any{}, map[string]Large{}
	encoded, total := map[string][]byte{}, 0
	for name, p := range params {
		if p.large != nil {
			large[name] = *p.large
			continue
		}
		if encoded[name], err = wire.Encode(version, p.value); err != nil {
			return nil, nil, foldstream.Errorf(foldstream.Invalid, "recorder", "param %q: %w", name, err)
		}
		small[name] = p.value
		total += len(name) + len(encoded[name])
	}
	names := slices.SortedFunc(maps.Keys(encoded), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(encoded[b]), len(encoded[a])), cmp.Compare(a, b))
	})
	for _, name := range names {
		data := encoded[name]
		if len(data) <= largeParam && total <= largeParams {
			break
		}
		digest, size, err := artifacts.Put(ctx, bytes.NewReader(data))
		if err != nil {
			return nil, nil, err
		}
		large[name] = Large{digest, size}
		params[name].large = &Large{digest, size}
		delete(small, name)
		total -= len(data)
	}
	return small, large, nil
}
