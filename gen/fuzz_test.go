package gen_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen"
)

// FuzzLabelReach: no text is too strange, and a known reach is what moving the whole expression shows: one session further
// ahead is one more, and parentheses are nothing.
func FuzzLabelReach(f *testing.F) {
	for _, s := range []string{"Ref($close, -6)/Ref($close,-1)-1", "Mean($a,5)", "Ref(Ref($x,-5),2)", "((", "-~$a**2", "If($a>1e-3,1,0)", "Quantile($a, 5, .8)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		r := gen.LabelReach(expr)
		if !r.Known {
			return
		}
		if r.Sessions < 0 || r.Sessions > 0 && !strings.Contains(expr, "-") {
			t.Fatalf("%q: reach %v", expr, r)
		}
		if again := gen.LabelReach("( " + expr + " )"); again.Known && again != r {
			t.Errorf("%q: reach %v, in parentheses %v", expr, r, again)
		}
		if sum := gen.LabelReach(expr + " + Ref($close, -1)"); sum != foldstream.Ahead(max(1, r.Sessions)) {
			t.Errorf("%q: reach %v, with a look at tomorrow %v", expr, r, sum)
		}
		ahead := gen.LabelReach(fmt.Sprintf("Ref(%s, -3)", expr))
		if ahead.Known && (ahead.Sessions > r.Sessions+3 || r.Sessions > 0 && ahead.Sessions != r.Sessions+3) {
			t.Errorf("%q: reach %v, three sessions on %v", expr, r, ahead)
		}
	})
}

// FuzzID: whatever JSON is a task has one id, the same when it was written and read again and when its numbers are floats, and
// another when something is added.
func FuzzID(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1,"b":[1.5,null,{"c":"é"}]}`, `{"a":1e300,"":-0.0}`, `{"dataset":{"kwargs":{"segments":{"test":["2020-01-01",null]},"handler":{"kwargs":{"end_time":"20200101"}}}}}`, "{\"a\":\"\\ud800\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var dict map[string]any
		if json.Unmarshal(data, &dict) != nil {
			return
		}
		template, err := foldstream.TemplateOf(dict)
		if err != nil {
			return
		}
		first, err := gen.ID(template)
		if err != nil {
			if foldstream.KindOf(err) != foldstream.Invalid {
				t.Fatal(err)
			}
			return
		}
		text, err := json.Marshal(template.Dict())
		if err != nil {
			t.Fatal(err)
		}
		var again map[string]any
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		second, err := foldstream.TemplateOf(again)
		if err != nil {
			t.Fatal(err)
		}
		if got := id(t, second); got != first || len(got) != 26 {
			t.Errorf("%s: id %s, read again %s", text, first, got)
		}
		if got := id(t, foldstream.Template{Task: whole(template.Task).(map[string]any), Segments: template.Segments}); got != first {
			t.Errorf("%s: id %s, with integers for whole floats %s", text, first, got)
		}
		if _, there := template.Task["added"]; !there {
			template.Task["added"] = nil
			if id(t, template) == first {
				t.Errorf("%s: a null more has the same id", text)
			}
		}
	})
}

// whole turns floats that are whole numbers to integers.
func whole(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = whole(v[i])
		}
		return c
	case map[string]any:
		c := map[string]any{}
		for k := range v {
			c[k] = whole(v[k])
		}
		return c
	}
	return v
}
