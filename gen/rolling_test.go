package gen_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
)

// period is a template on 60 weekdays: train 0 to 19, valid 20 to 29, test 32 to 49.
func period(t testing.TB, c *calendar.Calendar) foldstream.Template {
	return handled(map[string]any{"end_time": at(t, c, 29).String()}, foldstream.Segments{
		"train": span(t, c, 0, 19), "valid": span(t, c, 20, 29), "test": span(t, c, 32, 49),
	})
}

// places spells the segments of a name as session indices: "32-38 39-45".
func places(t testing.TB, c *calendar.Calendar, name string, templates []foldstream.Template) string {
	t.Helper()
	var all []string
	for _, template := range templates {
		s, text := template.Segments[name], ""
		for i, end := range []foldstream.Time{s.Start, s.End} {
			if i == 1 {
				text += "-"
			}
			if !end.IsOpen() {
				n, err := c.Index(end, calendar.Start)
				if err != nil {
					t.Fatal(err)
				}
				text += fmt.Sprint(n)
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func TestRollingLast(t *testing.T) {
	c := weekdays(t, 60)
	for _, test := range []struct {
		last gen.Last
		step int
		want string
	}{
		{gen.Keep, 7, "32-38 39-45 46-52"},
		{"", 7, "32-38 39-45 46-52"},
		{gen.Clip, 7, "32-38 39-45 46-49"},
		{gen.Merge, 7, "32-38 39-49"},
		{gen.Drop, 7, "32-38 39-45"},
		{gen.Keep, 25, "32-56"},
		{gen.Clip, 25, "32-49"},
		{gen.Merge, 25, "32-49"},
		{gen.Clip, 100, "32-49"},
		{gen.Clip, 9, "32-40 41-49"},
		{gen.Merge, 9, "32-40 41-49"},
		{gen.Drop, 9, "32-40 41-49"},
	} {
		out, err := gen.Rolling{Calendar: c, Step: test.step, Last: test.last}.Generate(period(t, c))
		if got := places(t, c, "test", out); err != nil || got != test.want {
			t.Errorf("%q, step %d: %s, error %v; want %s", test.last, test.step, got, err, test.want)
		}
	}
	for _, last := range []gen.Last{gen.Drop, gen.Keep} {
		_, err := gen.Rolling{Calendar: c, Step: 29, Last: last}.Generate(period(t, c)) // 28 sessions are left
		wantErr(t, err, foldstream.Invalid)
	}
}

func TestRollingSegments(t *testing.T) {
	c := weekdays(t, 60)
	five := 5
	for _, test := range []struct {
		name         string
		r            gen.Rolling
		train, valid string
	}{
		{"expanding", gen.Rolling{}, "0-19 0-28", "20-29 29-38"},
		{"sliding", gen.Rolling{Type: calendar.Sliding}, "0-19 9-28", "20-29 29-38"},
		{"truncated", gen.Rolling{Trunc: &five}, "0-19 0-28", "20-27 29-36"},
		{"by reach", gen.Rolling{TruncReach: true}, "0-19 0-28", "20-28 29-37"},
		{"by the larger", gen.Rolling{TruncReach: true, Trunc: &five}, "0-19 0-28", "20-27 29-36"},
		{"own train length", gen.Rolling{TrainSessions: 6}, "14-19 14-28", "20-29 29-38"},
		{"own train length, sliding", gen.Rolling{TrainSessions: 6, Type: calendar.Sliding}, "14-19 23-28", "20-29 29-38"},
	} {
		template := period(t, c)
		template.Reach = foldstream.Ahead(3)
		test.r.Calendar, test.r.Step = c, 9
		out, err := test.r.Generate(template)
		if train, valid := places(t, c, "train", out), places(t, c, "valid", out); err != nil || train != test.train || valid != test.valid {
			t.Errorf("%s: train %s, valid %s, error %v; want %s and %s", test.name, train, valid, err, test.train, test.valid)
		}
	}
}

func TestRollingKey(t *testing.T) {
	c := weekdays(t, 60)
	template := period(t, c)
	template.Key = foldstream.Key{{Name: "horizon", Value: "5"}}
	for want, r := range map[string]gen.Rolling{
		"horizon=5,rolling=expanding": {},
		"horizon=5,rolling=sliding":   {Type: calendar.Sliding},
		"horizon=5,rolling=sliding 6": {Type: calendar.Sliding, TrainSessions: 6},
		"horizon=5,rolling=weekly":    {Name: "weekly"},
	} {
		r.Calendar, r.Step = c, 7
		out, err := r.Generate(template)
		if err != nil {
			t.Fatal(err)
		}
		if out[0].Key.String() != want || out[0].Calendar != c.Version() {
			t.Errorf("key %s, calendar %s; want %s", out[0].Key, out[0].Calendar, want)
		}
	}
}

func TestRollingErr(t *testing.T) {
	c := weekdays(t, 60)
	negative := -1
	for _, test := range []struct {
		name   string
		kind   foldstream.Kind
		says   string
		r      gen.Rolling
		change func(t *foldstream.Template)
	}{
		{"step", foldstream.Invalid, "step -1", gen.Rolling{Step: -1}, nil},
		{"type", foldstream.Invalid, `"both"`, gen.Rolling{Type: "both"}, nil},
		{"last", foldstream.Invalid, `"most"`, gen.Rolling{Last: "most"}, nil},
		{"truncation", foldstream.Invalid, "-1", gen.Rolling{Trunc: &negative}, nil},
		{"train sessions", foldstream.Invalid, "-1", gen.Rolling{TrainSessions: -1}, nil},
		{"too long a train", foldstream.Invalid, "train", gen.Rolling{TrainSessions: 21}, nil},
		{"no test", foldstream.Invalid, `"oos"`, gen.Rolling{TestKey: "oos"}, nil},
		{"no train", foldstream.Invalid, `"fit"`, gen.Rolling{TrainKey: "fit"}, nil},
		{"no train to fit", foldstream.Invalid, `"fit"`, gen.Rolling{Type: calendar.Sliding, RollFit: true, TrainKey: "fit"}, nil},
		{"another calendar", foldstream.Invalid, "calendar", gen.Rolling{}, func(t *foldstream.Template) { t.Calendar = "00" }},
		{"no handler", foldstream.Invalid, "handler", gen.Rolling{RollFit: true}, func(t *foldstream.Template) { t.Task = nil }},
		{"open train", foldstream.Invalid, "open end", gen.Rolling{}, func(x *foldstream.Template) { x.Segments["train"] = foldstream.Segment{} }},
		{"open test", foldstream.Invalid, "start of segment test", gen.Rolling{}, func(x *foldstream.Template) { x.Segments["test"] = foldstream.Segment{} }},
		{"train in test", foldstream.Leak, "train ends at", gen.Rolling{}, func(x *foldstream.Template) { x.Segments["train"] = span(t, c, 0, 32) }},
		{"reach", foldstream.Leak, "reach", gen.Rolling{TruncReach: true}, func(t *foldstream.Template) {}},
		{"valid after the cut", foldstream.Invalid, "valid", gen.Rolling{TruncReach: true}, func(t *foldstream.Template) { t.Reach = foldstream.Ahead(20) }},
		{"a weekend", foldstream.Invalid, "valid", gen.Rolling{}, func(x *foldstream.Template) {
			x.Segments["valid"] = foldstream.Segment{Start: day(2024, 1, 6), End: day(2024, 1, 7)}
		}},
		{"end_time", foldstream.Invalid, "end_time", gen.Rolling{}, func(t *foldstream.Template) { t.Handler()["end_time"] = "soon" }},
		{"extra runs off", foldstream.Invalid, "later", gen.Rolling{Step: 10}, func(x *foldstream.Template) { x.Segments["later"] = span(t, c, 55, 58) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			template := period(t, c)
			if test.change != nil {
				test.change(&template)
			}
			test.r.Calendar = c
			if test.r.Step == 0 {
				test.r.Step = 7
			}
			out, err := test.r.Generate(template)
			wantErr(t, err, test.kind)
			if out != nil || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%d templates, error %v; want none, and %q in the error", len(out), err, test.says)
			}
		})
	}
	_, err := gen.Rolling{}.Generate(period(t, c))
	wantErr(t, err, foldstream.Invalid)
	past, err := c.WithNow(at(t, c, 31))
	if err != nil {
		t.Fatal(err)
	}
	_, err = gen.Rolling{Calendar: past, Step: 1}.Generate(period(t, c))
	wantErr(t, err, foldstream.Invalid)
}

// TestFollowing: what was generated up to some day goes on, window by window, as if all had been generated at once.
func TestFollowing(t *testing.T) {
	c := weekdays(t, 60)
	r := gen.Rolling{Calendar: c, Step: 6, Type: calendar.Sliding, RollFit: true}
	all, err := r.Generate(period(t, c))
	if err != nil || len(all) != 3 {
		t.Fatalf("%d windows, error %v", len(all), err)
	}
	next, err := r.Following(all[0], at(t, c, 49))
	if err != nil || places(t, c, "test", next) != places(t, c, "test", all[1:]) || places(t, c, "train", next) != places(t, c, "train", all[1:]) {
		t.Fatalf("following test %s, train %s, error %v", places(t, c, "test", next), places(t, c, "train", next), err)
	}
	for i := range next {
		if id(t, next[i]) != id(t, all[i+1]) || next[i].Window != all[i+1].Window || next[i].Key.String() != all[i+1].Key.String() {
			t.Errorf("window %d of following is another task than that of generating", i)
		}
	}
	past, err := c.WithNow(at(t, c, 43))
	if err != nil {
		t.Fatal(err)
	}
	r.Calendar = past
	open, err := r.Following(all[0], foldstream.Time{})
	if got := places(t, c, "test", open); err != nil || got != "38-43" {
		t.Errorf("up to now: %s, error %v; want 38-43", got, err)
	}
	none, err := r.Following(all[0], day(2000, 1, 1))
	if err != nil || none == nil || len(none) != 0 {
		t.Errorf("before all: %v, error %v; want an empty list", none, err)
	}
	r.Calendar = weekdays(t, 70)
	grown, err := r.Following(all[2], at(t, r.Calendar, 69))
	if got := places(t, r.Calendar, "test", grown); err != nil || got != "50-55 56-61 62-67 68-" || grown[0].Calendar != r.Calendar.Version() {
		t.Errorf("on a calendar with new sessions: %s, error %v", got, err)
	}
	_, err = r.Following(foldstream.Template{}, at(t, c, 43))
	wantErr(t, err, foldstream.Invalid)
}
