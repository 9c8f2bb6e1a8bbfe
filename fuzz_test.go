package foldstream_test

import (
	"encoding/json"
	"testing"

	"github.com/foldstream/foldstream"
)

// FuzzTemplateOf: whatever JSON is, it becomes a template whose dict makes the same template again, or is refused as Invalid; a segment of it is
// read from its own JSON.
func FuzzTemplateOf(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"dataset":{"kwargs":{"segments":{"train":["2020-01-01",null],"test":["2020-02-01","2020-02-02T09:30:00.5"]}}}}`,
		`{"dataset":{"kwargs":{"segments":{"x":[1,2]},"handler":{"kwargs":{"start_time":"20200101","fit_end_time":"<X>"}}}}}`,
		`{"a":[[[1e308,-0.0,9007199254740993]]],"b":"\u0000"}`, `{"dataset":{"kwargs":{"segments":{"x":["2020-02-01","2020-01-01"]}}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var dict map[string]any
		if json.Unmarshal(data, &dict) != nil {
			return
		}
		first, err := foldstream.TemplateOf(dict)
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Fatal(err)
			}
			return
		}
		again, err := foldstream.TemplateOf(first.Dict())
		if err != nil {
			t.Fatalf("its own dict is refused: %v", err)
		}
		a, errA := json.Marshal(first.Dict())
		b, errB := json.Marshal(again.Dict())
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s became %s, %v, %v", a, b, errA, errB)
		}
		for name, s := range first.Segments {
			text, err := json.Marshal(s)
			var back foldstream.Segment
			if err == nil {
				err = json.Unmarshal(text, &back)
			}
			if err != nil || back != s {
				t.Errorf("segment %q: %s is read as %v, %v", name, text, back, err)
			}
		}
	})
}

// FuzzSegment: a pair of times, or an error of kind Invalid or of the JSON itself.
func FuzzSegment(f *testing.F) {
	for _, seed := range []string{`["2020-01-01",null]`, `[]`, `[1]`, `["",""]`, `null`, `["2020-01-01T09:30","99999-01-01"]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s foldstream.Segment
		if json.Unmarshal(data, &s) != nil {
			return
		}
		text, err := json.Marshal(s)
		var back foldstream.Segment
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if err != nil || back != s {
			t.Errorf("%s was read as %v, written as %s, read as %v: %v", data, s, text, back, err)
		}
	})
}

// FuzzRetry: a class of errors is one or is refused, and one that was taken decides without harm about any error.
func FuzzRetry(f *testing.F) {
	for _, seed := range []string{"exit:3", "signal:9", "kind:timeout", "deadline", "panic", "/time.?out/", "/(/", "exit:0", "kind:", "//", ""} {
		f.Add(seed, "some error")
	}
	f.Fuzz(func(t *testing.T, class, text string) {
		for _, r := range []foldstream.Retry{{Never: []string{class}}, {Always: []string{class}}} {
			if err := r.Validate(); err != nil && !foldstream.Is(err, foldstream.Invalid) {
				t.Errorf("%q: %v", class, err)
			}
		}
	})
}

// FuzzKey: keys with the same choices have the same text, and no others.
func FuzzKey(f *testing.F) {
	f.Add("a", "1", "b", "2")
	f.Add("a=1,b", "2", "", "")
	f.Add(`a\`, `,b=`, "=", `\\`)
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		one, other := foldstream.Key{{Name: a, Value: b}}, foldstream.Key{{Name: a, Value: b}, {Name: c, Value: d}}
		if one.String() == other.String() {
			t.Errorf("%q and %q have one text: %s", one, other, one)
		}
		if swapped := (foldstream.Key{{Name: b, Value: a}}); (swapped.String() == one.String()) != (a == b) {
			t.Errorf("%q and %q: %s", one, swapped, one)
		}
		if c != a && other.Get(c) != d {
			t.Errorf("%q of %q is %q", c, other, other.Get(c))
		}
		if name := foldstream.ValidName("thing", a); name == nil && one.With(a, c).Get(a) != c {
			t.Errorf("%q set to %q is %q", a, c, one.With(a, c).Get(a))
		}
	})
}
