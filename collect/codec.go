package collect

import (
	"maps"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// version is the first of the two things in every stored value; the second is its body. It changes when a name or a
// meaning below does.
const version = 1

// The bodies, in msgpack: maps with the names below in this order.
type (
	wireSummary struct {
		Members   string             `msgpack:"members"`
		Round     int                `msgpack:"round,omitempty"`
		Spec      wire.Spec          `msgpack:"spec"`
		Certified bool               `msgpack:"certified"`
		Settled   bool               `msgpack:"settled"`
		Expected  int                `msgpack:"expected"`
		Present   int                `msgpack:"present"`
		Failed    int                `msgpack:"failed"`
		Groups    []wireGroupSummary `msgpack:"groups"`
		Ensemble  bool               `msgpack:"ensemble"`

		Gaps       int        `msgpack:"gaps,omitempty"`
		Overlaps   int        `msgpack:"overlaps,omitempty"`
		Duplicates int        `msgpack:"duplicates,omitempty"`
		Codes      []wireCode `msgpack:"codes,omitempty"` // in order
	}
	wireCode struct {
		Code    string `msgpack:"code"`
		Results int    `msgpack:"results"`
	}
	wireGroupSummary struct {
		Key      []string `msgpack:"key"`
		Expected int      `msgpack:"expected"`
		Present  int      `msgpack:"present"`
		Failed   int      `msgpack:"failed"`
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

		Duplicates [][2]string `msgpack:"duplicates,omitempty"`
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
		Code    string         `msgpack:"code,omitempty"`
	}
)

// encode writes a body. Equal bodies give equal bytes.
func encode(body any) ([]byte, error) { return wire.Encode(version, body) }

// decode reads what encode wrote. what names the thing in the error. Errors: Invalid.
func decode(what string, data []byte, body any) error { return wire.Decode(what, version, data, body) }

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

func packCodes(codes Codes) []wireCode {
	return wire.Each(slices.Sorted(maps.Keys(codes)), func(code string) wireCode { return wireCode{code, codes[code]} })
}

func unpackCodes(w []wireCode) Codes {
	codes := make(Codes, len(w))
	for _, c := range w {
		codes[c.Code] += c.Results
	}
	return codes
}

func packIDs(ids []foldstream.TaskID) []string {
	return wire.Each(ids, func(id foldstream.TaskID) string { return string(id) })
}

func unpackIDs(w []string) []foldstream.TaskID {
	if len(w) == 0 {
		return nil
	}
	return wire.Each(w, func(s string) foldstream.TaskID { return foldstream.TaskID(s) })
}

func cloneMetrics(m map[string]float64) Metrics { return maps.Clone(Metrics(m)) }
