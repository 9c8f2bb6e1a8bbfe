package qlib

import (
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// TestTooMany: what a step makes is counted over all its templates, and the count starts anew with each plan.
func TestTooMany(t *testing.T) {
	thousand := make([]foldstream.Template, 1000)
	s := step{at: "f.yaml:1:1: generators[0]", build: func(*calendar.Calendar) foldstream.Generator {
		return foldstream.GeneratorFunc(func(foldstream.Template) ([]foldstream.Template, error) { return thousand, nil })
	}}
	for range 2 {
		g := s.generator(nil)
		for i := range maxTasks / len(thousand) {
			if _, err := g.Generate(foldstream.Template{}); err != nil {
				t.Fatalf("after %d thousand: %v", i, err)
			}
		}
		_, err := g.Generate(foldstream.Template{})
		if !foldstream.Is(err, foldstream.Invalid) || !strings.HasPrefix(err.Error(), "f.yaml:1:1: generators[0]: makes more than 250000 tasks") {
			t.Errorf("got %v", err)
		}
	}
}
