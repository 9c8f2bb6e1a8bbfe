package gen_test

import (
	"fmt"
	"log"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
)

// sessions is a calendar of the first n days of 2024: an exchange that never rests.
func sessions(n int) *calendar.Calendar {
	var days []foldstream.Time
	for i := range n {
		days = append(days, foldstream.DateOf(2024, 1, 1+i))
	}
	c, err := calendar.New(days)
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// template trains on January and tests on February.
func template() foldstream.Template {
	t, err := foldstream.TemplateOf(map[string]any{
		"model": map[string]any{"class": "Ridge", "kwargs": map[string]any{"alpha": 1}},
		"dataset": map[string]any{"kwargs": map[string]any{"segments": map[string]any{
			"train": []any{"2024-01-01", "2024-01-31"},
			"test":  []any{"2024-02-01", "2024-02-20"},
		}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	t.Reach = foldstream.Ahead(2)
	return t
}

// Two penalties in two windows each are four tasks; every one is certified before it gets its id.
func ExampleAll() {
	c := sessions(60)
	templates, err := gen.All([]foldstream.Template{template()},
		gen.Grid{Axes: []gen.Axis{{Path: "model.kwargs.alpha", Values: []any{0.5, 2}}}},
		gen.Rolling{Calendar: c, Step: 10, TruncReach: true},
	)
	if err != nil {
		log.Fatal(err)
	}
	for i, t := range templates {
		if templates[i], err = gen.Certify(t, c, foldstream.Refuse); err != nil {
			log.Fatal(err)
		}
	}
	tasks, err := gen.Tasks(templates)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range tasks {
		fmt.Println(t.Key, t.Window.Index+1, "of", t.Window.Of, "gap", t.Leak.Gap)
	}
	// Output:
	// alpha=0.5,rolling=expanding 1 of 2 gap 1
	// alpha=0.5,rolling=expanding 2 of 2 gap 1
	// alpha=2,rolling=expanding 1 of 2 gap 1
	// alpha=2,rolling=expanding 2 of 2 gap 1
}

// The train window slides with the test, and no label that looks two sessions ahead sees it.
func ExampleRolling() {
	r := gen.Rolling{Calendar: sessions(60), Step: 8, Type: calendar.Sliding, TruncReach: true, Last: gen.Clip}
	windows, err := r.Generate(template())
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range windows {
		train, test := w.Segments["train"], w.Segments["test"]
		fmt.Println("train", train.Start, "to", train.End, "test", test.Start, "to", test.End)
	}
	// Output:
	// train 2024-01-01 to 2024-01-29 test 2024-02-01 to 2024-02-08
	// train 2024-01-09 to 2024-02-06 test 2024-02-09 to 2024-02-16
	// train 2024-01-17 to 2024-02-14 test 2024-02-17 to 2024-02-20
}

// The last axis varies fastest.
func ExampleGrid() {
	depths, err := gen.Range(2, 6, 2)
	if err != nil {
		log.Fatal(err)
	}
	g := gen.Grid{Axes: []gen.Axis{
		{Path: "model.class", Values: []any{"Forest"}},
		{Path: "model.kwargs.depth", Values: depths},
		{Path: "seed", Values: []any{1, 2}},
	}}
	out, err := g.Generate(template())
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range out {
		fmt.Println(t.Key)
	}
	// Output:
	// class="Forest",depth=2,seed=1
	// class="Forest",depth=2,seed=2
	// class="Forest",depth=4,seed=1
	// class="Forest",depth=4,seed=2
	// class="Forest",depth=6,seed=1
	// class="Forest",depth=6,seed=2
}
