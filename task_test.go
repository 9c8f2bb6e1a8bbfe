package foldstream_test

import (
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
)

func TestBand(t *testing.T) {
	for p, want := range map[int]int{-9: 1, 0: 10, 9: 19} {
		if got, err := (foldstream.Task{Priority: &p}).Band(); err != nil || got != want {
			t.Errorf("priority %d: band %d, %v; want %d", p, got, err, want)
		}
	}
	if got, err := (foldstream.Task{}).Band(); err != nil || got != 0 {
		t.Errorf("no priority: band %d, %v", got, err)
	}
	for _, p := range []int{-10, 10} {
		if _, err := (foldstream.Task{Priority: &p}).Band(); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("priority %d: %v", p, err)
		}
	}
}

func TestValidName(t *testing.T) {
	for _, ok := range []string{"a", "dow30", "A-b_9", strings.Repeat("x", 64)} {
		if err := foldstream.ValidName("pool", ok); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "-a", "_a", "a.b", "a b", "a*", "é", "a/b", "a>", strings.Repeat("x", 65)} {
		if err := foldstream.ValidName("pool", bad); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestLastStage(t *testing.T) {
	task := foldstream.Task{Template: foldstream.Template{Stages: []string{"prepare", "fit"}}, Stage: "prepare"}
	if task.LastStage() {
		t.Error("prepare is not the last")
	}
	if task.Stage = "fit"; !task.LastStage() {
		t.Error("fit is the last")
	}
	if !(foldstream.Task{}).LastStage() {
		t.Error("a task without stages has one step")
	}
}

func TestCounts(t *testing.T) {
	c := foldstream.Counts{foldstream.Waiting: 2, foldstream.PartDone: 1, foldstream.Done: 4, foldstream.Dead: 1}
	if c.Total() != 8 || c.Open() != 3 {
		t.Errorf("total %d, open %d", c.Total(), c.Open())
	}
}
