package gen_test

import (
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
)

func TestCertified(t *testing.T) {
	days := make([]foldstream.Time, 10)
	for i := range days {
		days[i] = foldstream.DateOf(2020, 1, 6+i)
	}
	cal, err := calendar.New(days)
	if err != nil {
		t.Fatal(err)
	}
	template := func(reach int) foldstream.Template {
		return foldstream.Template{Task: map[string]any{}, Reach: foldstream.Ahead(reach), Segments: foldstream.Segments{
			"train": {Start: days[0], End: days[4]}, "test": {Start: days[7], End: days[9]},
		}}
	}
	made, err := gen.All([]foldstream.Template{template(2)}, gen.Certified{Calendar: cal})
	if err != nil || len(made) != 1 || !made[0].Leak.Certified {
		t.Fatalf("%v, %v", made, err)
	}
	if _, err := gen.All([]foldstream.Template{template(3)}, gen.Certified{Calendar: cal}); !foldstream.Is(err, foldstream.Leak) {
		t.Errorf("a label that reaches the test start: %v", err)
	}
	tasks, err := gen.Tasks(made)
	if err != nil {
		t.Fatal(err)
	}
	if m := gen.Expectations(tasks); len(m) != 1 || m[0].Task != tasks[0].ID || m[0].Test != made[0].Segments["test"] {
		t.Errorf("members %v", m)
	}
}
