package collect

import (
	"bytes"
	"maps"
	"math"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream"
)

// version is the first of the two things in every stored value; the second is its body. It changes when a name or a
// meaning below does.
const version = 1

// The bodies, in msgpack: maps with the names below in this order.
type (
	wireSummary struct {
		Members   string             `msgpack:"members"`
		Spec      wireSpec           `msgpack:"spec"`
		Certified bool               `msgpack:"certified"`
		Settled   bool               `msgpack:"settled"`
		Expected  int                `msgpack:"expected"`
		Present   int                `msgpack:"present"`
		Failed    int                `msgpack:"failed"`
		Groups    []wireGroupSummary `msgpack:"groups"`
		Ensemble  bool               `msgpack:"ensemble"`
	}
	wireGroupSummary struct {
		Key      []string `msgpack:"key"`
		Expected int      `msgpack:"expected"`
		Present  int      `msgpack:"present"`
		Failed   int      `msgpack:"failed"`
	}
	wireSpec struct {
		Frame    string  `msgpack:"frame"`
		Score    string  `msgpack:"score"`
		Label    string  `msgpack:"label"`
		Return   string  `msgpack:"return"`
		Ensemble string  `msgpack:"ensemble"`
		TopK     int     `msgpack:"top_k"`
		Cost     float64 `msgpack:"cost"`
		NDrop    int     `msgpack:"n_drop,omitempty"`

		Weights []wireWeight `msgpack:"weights,omitempty"`
	}
	wireWeight struct {
		Key    []string `msgpack:"key"`
		Weight float64  `msgpack:"weight"`
	}
	wireGroup struct {
		Key      []string       `msgpack:"key"`
		Basis    string         `msgpack:"basis"`
		Expected int            `msgpack:"expected"`
		Present  int            `msgpack:"present"`
		Failed   []string       `msgpack:"failed"`
		Missing  []string       `msgpack:"missing"`
		Gaps     [][2]string    `msgpack:"gaps"`
		Overlaps [][2]string    `msgpack:"overlaps"`
		Windows  []wireWindow   `msgpack:"windows"`
		Metrics  map[string]any `msgpack:"metrics"`
		Faults   []string       `msgpack:"faults"`
		Daily    wireBlob       `msgpack:"daily"`
		Frame    wireBlob       `msgpack:"frame"`
	}
	wireBlob struct {
		Inline []byte `msgpack:"inline"`
		Digest string `msgpack:"digest"`
	}
	wireWindow struct {
		Index   int            `msgpack:"index"`
		Test    [2]string      `msgpack:"test"`
		Task    string         `msgpack:"task"`
		Status  string         `msgpack:"status"`
		Metrics map[string]any `msgpack:"metrics"`
		Fault   string         `msgpack:"fault"`
	}
	wireExperiment struct {
		Name     string    `msgpack:"name"`
		Pool     string    `msgpack:"pool"`
		Calendar string    `msgpack:"calendar"`
		Members  string    `msgpack:"members"`
		Expected int       `msgpack:"expected"`
		Spec     wireSpec  `msgpack:"collection"`
		Policy   string    `msgpack:"policy"`
		Source   string    `msgpack:"source"`
		Created  time.Time `msgpack:"created"`
	}
	wireMembers struct {
		Members  []wireMember `msgpack:"members"`
		Sessions []string     `msgpack:"sessions"`
	}
	wireMember struct {
		Key   []string  `msgpack:"key"`
		Index int       `msgpack:"index"`
		Of    int       `msgpack:"of"`
		Test  [2]string `msgpack:"test"`
		Task  string    `msgpack:"task"`
	}
)

// encode writes [version, body] with the keys of maps in order: equal bodies give equal bytes.
func encode(body any) ([]byte, error) {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	e.SetSortMapKeys(true)
	e.UseCompactInts(true)
	if err := e.EncodeArrayLen(2); err != nil {
		return nil, err
	}
	if err := e.EncodeInt(version); err != nil {
		return nil, err
	}
	err := e.Encode(body)
	return b.Bytes(), err
}

// decode reads what encode wrote. what names the thing in the error. Errors: Invalid.
func decode(what string, data []byte, body any) error {
	d := msgpack.NewDecoder(bytes.NewReader(data))
	n, err := d.DecodeArrayLen()
	if err != nil || n != 2 {
		return foldstream.Errorf(foldstream.Invalid, "collect", "%s: not a stored value (%d bytes)", what, len(data))
	}
	v, err := d.DecodeInt()
	if err == nil && v != version {
		return foldstream.Errorf(foldstream.Invalid, "collect", "%s: version %d is not known here; this program reads version %d", what, v, version)
	}
	if err == nil {
		err = d.Decode(body)
	}
	if err != nil {
		return foldstream.Errorf(foldstream.Invalid, "collect", "%s cannot be read: %w", what, err)
	}
	return nil
}

func packKey(key foldstream.Key) []string {
	flat := make([]string, 0, 2*len(key))
	for _, c := range key {
		flat = append(flat, c.Name, c.Value)
	}
	return flat
}

func unpackKey(flat []string) foldstream.Key {
	var key foldstream.Key
	for i := 0; i+1 < len(flat); i += 2 {
		key = append(key, foldstream.Choice{Name: flat[i], Value: flat[i+1]})
	}
	return key
}

func packSegment(s foldstream.Segment) [2]string { return [2]string{s.Start.String(), s.End.String()} }

func unpackSegment(w [2]string) (s foldstream.Segment, err error) {
	if err = s.Start.UnmarshalText([]byte(w[0])); err == nil {
		err = s.End.UnmarshalText([]byte(w[1]))
	}
	return s, err
}

func unpackSegments(w [][2]string) ([]foldstream.Segment, error) { return mapErr(w, unpackSegment) }

// packMetrics gives every NaN the same bits. Nil stays nil.
func packMetrics(m Metrics) map[string]any {
	if m == nil {
		return nil
	}
	w := make(map[string]any, len(m))
	for name, v := range m {
		if math.IsNaN(v) {
			v = math.NaN()
		}
		w[name] = v
	}
	return w
}

func unpackMetrics(w map[string]any) Metrics {
	if w == nil {
		return nil
	}
	m := make(Metrics, len(w))
	for name, v := range w {
		if f, ok := v.(float64); ok {
			m[name] = f
		}
	}
	return m
}

func packSpec(s foldstream.CollectionSpec) wireSpec {
	return wireSpec{
		Frame: s.Frame, Score: s.Score, Label: s.Label, Return: s.Return, Ensemble: s.Ensemble,
		TopK: s.Portfolio.TopK, NDrop: s.Portfolio.NDrop, Cost: s.Portfolio.Cost,
		Weights: mapEach(s.SortedWeights(), func(w foldstream.Weight) wireWeight { return wireWeight{packKey(w.Key), w.Weight} }),
	}
}

func (w wireSpec) unpack() foldstream.CollectionSpec {
	return foldstream.CollectionSpec{
		Frame: w.Frame, Score: w.Score, Label: w.Label, Return: w.Return, Ensemble: w.Ensemble,
		Portfolio: foldstream.PortfolioSpec{TopK: w.TopK, NDrop: w.NDrop, Cost: w.Cost},
		Weights: mapEach(w.Weights, func(w wireWeight) foldstream.Weight {
			return foldstream.Weight{Key: unpackKey(w.Key), Weight: w.Weight}
		}),
	}
}

func mapEach[T, U any](from []T, one func(T) U) []U {
	if from == nil {
		return nil
	}
	to := make([]U, len(from))
	for i, v := range from {
		to[i] = one(v)
	}
	return to
}

func mapErr[T, U any](from []T, one func(T) (U, error)) ([]U, error) {
	if len(from) == 0 {
		return nil, nil
	}
	to := make([]U, len(from))
	for i, v := range from {
		var err error
		if to[i], err = one(v); err != nil {
			return nil, err
		}
	}
	return to, nil
}

func packIDs(ids []foldstream.TaskID) []string {
	return mapEach(ids, func(id foldstream.TaskID) string { return string(id) })
}

func unpackIDs(w []string) []foldstream.TaskID {
	if len(w) == 0 {
		return nil
	}
	return mapEach(w, func(s string) foldstream.TaskID { return foldstream.TaskID(s) })
}

func cloneMetrics(m map[string]float64) Metrics { return maps.Clone(Metrics(m)) }
