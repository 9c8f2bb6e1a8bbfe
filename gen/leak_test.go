package gen_test

import (
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen"
	"pgregory.net/rapid"
)

// trained is a template on a calendar of 40 weekdays: train ends on session 19, valid is 21 to 24, the test starts on session 30.
func trained(t testing.TB) foldstream.Template {
	c := weekdays(t, 40)
	return handled(map[string]any{"fit_start_time": at(t, c, 0).String(), "fit_end_time": at(t, c, 19).String()}, foldstream.Segments{
		"train": span(t, c, 0, 19), "valid": span(t, c, 21, 24), "test": span(t, c, 30, 39),
	})
}

func TestCertify(t *testing.T) {
	c := weekdays(t, 40)
	for _, test := range []struct {
		name   string
		change func(t *foldstream.Template)
		gap    int
		fault  string // "" where it is certified
	}{
		{"the longest safe reach", func(t *foldstream.Template) { t.Reach = foldstream.Ahead(5) }, 1, ""},
		{"one more", func(t *foldstream.Template) { t.Reach = foldstream.Ahead(6) }, 0, "valid ends at"},
		{"train alone", func(t *foldstream.Template) { t.Reach = foldstream.Ahead(10); delete(t.Segments, "valid") }, 1, ""},
		{"train alone, one more", func(t *foldstream.Template) { t.Reach = foldstream.Ahead(11); delete(t.Segments, "valid") }, 0, "train ends at"},
		{"train into test", func(x *foldstream.Template) { x.Reach = foldstream.Ahead(0); x.Segments["train"] = span(t, c, 0, 30) }, 0, "train ends at"},
		{"unknown reach", func(t *foldstream.Template) {}, 6, "unknown"},
		{"negative reach", func(t *foldstream.Template) { t.Reach = foldstream.Ahead(-7) }, 6, "unknown"},
		{"endless reach", func(t *foldstream.Template) { t.Reach = foldstream.Ahead(1 << 62) }, 6, "unknown"},
		{"reach of the label", func(t *foldstream.Template) { t.Handler()["label"] = []any{"Ref($close, -3) / $close"} }, 3, ""},
		{"label beyond the declared reach", func(t *foldstream.Template) {
			t.Reach = foldstream.Ahead(1)
			t.Handler()["label"] = "Ref($close, -4)"
		}, 2, "more than the declared reach 1"},
		{"open train", func(x *foldstream.Template) {
			x.Reach = foldstream.Ahead(1)
			x.Segments["train"] = foldstream.Segment{Start: at(t, c, 0)}
		}, 5, "train has an open end"},
		{"no train", func(t *foldstream.Template) { t.Reach = foldstream.Ahead(1); delete(t.Segments, "train") }, 5, "no segment train"},
		{"no test", func(t *foldstream.Template) { t.Reach = foldstream.Ahead(1); delete(t.Segments, "test") }, 0, "no segment test"},
		{"fit to the day before the test", fitTo(at(t, c, 29).String()), 5, ""},
		{"fit to the test", fitTo(at(t, c, 30).String()), 5, "fit window ends at"},
		{"fit without end", fitTo(nil), 5, "fit window from"},
		{"fit to the train end", fitTo("<dataset.kwargs.segments.train.1>"), 5, ""},
		{"fit to the test start", fitTo("<dataset.kwargs.segments.test.0>"), 5, "fit window ends at"},
		{"fit to who knows", fitTo("<config.end>"), 5, "fit window from"},
	} {
		t.Run(test.name, func(t *testing.T) {
			template := trained(t)
			test.change(&template)
			got, err := gen.Certify(template, c, foldstream.Warn)
			if err != nil {
				t.Fatal(err)
			}
			faults := strings.Join(got.Leak.Faults, "; ")
			if got.Leak.Certified != (test.fault == "") || !strings.Contains(faults, test.fault) || got.Leak.Gap != test.gap {
				t.Errorf("certificate %+v; want gap %d and a fault with %q", got.Leak, test.gap, test.fault)
			}
			if got.Calendar != c.Version() || got.Leak.Calendar != c.Version() || got.Leak.Policy != foldstream.Warn {
				t.Errorf("certificate %+v: want the calendar and the policy on it", got.Leak)
			}
			strict, err := gen.Certify(template, c, "")
			if test.fault == "" && (err != nil || strict.Leak.Policy != foldstream.Refuse) {
				t.Errorf("refused: %v", err)
			}
			if test.fault != "" {
				wantErr(t, err, foldstream.Leak)
			}
			if template.Calendar != "" || template.Leak.Policy != "" {
				t.Error("the template was changed")
			}
		})
	}
}

func fitTo(end any) func(t *foldstream.Template) {
	return func(t *foldstream.Template) {
		t.Reach = foldstream.Ahead(1)
		t.Handler()["fit_end_time"] = end
	}
}

func TestCertifyNotesTrainInValid(t *testing.T) {
	c := weekdays(t, 40)
	template := trained(t)
	for reach, want := range []string{"", "", "reach 1 sessions into valid", "reach 2 sessions into valid"} {
		template.Reach = foldstream.Ahead(reach)
		got, err := gen.Certify(template, c, "")
		if notes := strings.Join(got.Leak.Notes, ";"); err != nil || !strings.HasSuffix(notes, want) || (want == "") != (notes == "") {
			t.Errorf("reach %d: notes %q, error %v; want %q", reach, notes, err, want)
		}
	}
}

func TestCertifyErrInvalid(t *testing.T) {
	c := weekdays(t, 40)
	template := trained(t)
	template.Reach = foldstream.Ahead(1)
	_, err := gen.Certify(template, c, "perhaps")
	wantErr(t, err, foldstream.Invalid)
	_, err = gen.Certify(template, nil, "")
	wantErr(t, err, foldstream.Invalid)
	_, err = gen.Certify(template, weekdays(t, 20), "")
	wantErr(t, err, foldstream.Invalid)
	template.Calendar = weekdays(t, 41).Version()
	_, err = gen.Certify(template, c, "")
	wantErr(t, err, foldstream.Invalid)
}

// TestCertifyAgreesWithTheDays: for any segments, the certificate says what reading day by day shows.
func TestCertifyAgreesWithTheDays(t *testing.T) {
	certified, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := worlds.Draw(t, "world")
		template := w.template
		for _, s := range template.Segments {
			if len(w.in(s)) == 0 {
				return // nothing to train or to test on: an error of its own
			}
		}
		if rapid.Bool().Draw(t, "fit on the test") {
			template.Handler()["fit_end_time"] = template.Segments["test"].Start.String()
		}
		leak := w.leaks(template)
		_, err := gen.Certify(template, w.rolling.Calendar, foldstream.Refuse)
		switch {
		case err == nil && leak == "":
			certified++
		case err != nil && leak != "" && foldstream.Is(err, foldstream.Leak):
			refused++
		default:
			t.Fatalf("certify says %v, the days say %q", err, leak)
		}
	})
	if certified == 0 || refused == 0 {
		t.Errorf("%d certified, %d refused: the worlds show only one side", certified, refused)
	}
}

func TestCheck(t *testing.T) {
	c := weekdays(t, 40)
	made := func(policy foldstream.Policy, change func(t *foldstream.Template)) foldstream.Task {
		template := trained(t)
		template.Reach = foldstream.Ahead(2)
		change(&template)
		certified, err := gen.Certify(template, c, policy)
		if err != nil {
			t.Fatal(err)
		}
		tasks, err := gen.Tasks([]foldstream.Template{certified})
		if err != nil {
			t.Fatal(err)
		}
		return tasks[0]
	}
	fine := func(*foldstream.Template) {}
	leaking := func(t *foldstream.Template) { t.Reach = foldstream.Ahead(20) }
	for _, task := range []foldstream.Task{made("", fine), made(foldstream.Warn, fine), made(foldstream.Warn, leaking)} {
		if err := gen.Check(task, c); err != nil {
			t.Errorf("a task certified under %s with faults %q: %v", task.Leak.Policy, task.Leak.Faults, err)
		}
	}
	for _, test := range []struct {
		name   string
		kind   foldstream.Kind
		change func(t *foldstream.Task)
	}{
		{"no certificate", foldstream.Leak, func(t *foldstream.Task) { t.Leak = foldstream.Certificate{} }},
		{"a policy that is none", foldstream.Leak, func(t *foldstream.Task) { t.Leak.Policy = "perhaps" }},
		{"certified elsewhere", foldstream.Leak, func(t *foldstream.Task) { t.Leak.Calendar = "00" }},
		{"a longer reach than certified", foldstream.Leak, func(t *foldstream.Task) { t.Reach = foldstream.Ahead(6) }},
		{"a reach that is forgotten", foldstream.Leak, func(t *foldstream.Task) { t.Reach = foldstream.Reach{} }},
		{"faults rubbed out", foldstream.Leak, func(t *foldstream.Task) {
			*t = made(foldstream.Warn, leaking)
			t.Leak.Faults, t.Leak.Certified = nil, true
		}},
		{"another content", foldstream.Invalid, func(t *foldstream.Task) { t.Worker = "other" }},
		{"another id", foldstream.Invalid, func(t *foldstream.Task) { t.ID = "a" }},
		{"no calendar", foldstream.Invalid, func(x *foldstream.Task) { x.Calendar = ""; x.ID = id(t, x.Template) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			task := made("", fine)
			test.change(&task)
			wantErr(t, gen.Check(task, c), test.kind)
		})
	}
	wantErr(t, gen.Check(made("", fine), nil), foldstream.Invalid)
	wantErr(t, gen.Check(made("", fine), weekdays(t, 41)), foldstream.Invalid)
}
