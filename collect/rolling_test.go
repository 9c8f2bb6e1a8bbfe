package collect_test

import (
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

func frameOf(column string, instruments []string, days ...int) foldstream.Frame {
	f := foldstream.Frame{Instruments: instruments, Columns: []foldstream.Column{{Name: column, Values: make([]float64, len(days))}}}
	for _, d := range days {
		f.Times = append(f.Times, day(d))
	}
	return f
}

func TestRollingErrors(t *testing.T) {
	expected := []foldstream.Expectation{{Task: "a"}, {Window: foldstream.Window{Index: 1}, Task: "b"}}
	member := func(window int, task foldstream.TaskID, f foldstream.Frame) foldstream.Member {
		return foldstream.Member{Expectation: foldstream.Expectation{Window: foldstream.Window{Index: window}, Task: task}, Frame: f}
	}
	good := frameOf("score", []string{"A"}, 0)
	short := frameOf("score", []string{"A"}, 0, 1)
	for name, c := range map[string]struct {
		m    foldstream.Member
		kind foldstream.Kind
	}{
		"ErrNotExpected": {member(2, "c", good), foldstream.Invalid},
		"ErrOtherTask":   {member(1, "a", good), foldstream.Conflict},
		"ErrFrame":       {member(1, "b", short), foldstream.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			if err := collect.NewRolling(expected, nil).Add(c.m); !foldstream.Is(err, c.kind) {
				t.Errorf("%v", err)
			}
		})
	}
	for name, other := range map[string]foldstream.Frame{
		"ErrColumns":     frameOf("pred", []string{"A"}, 5),
		"ErrInstruments": frameOf("score", nil, 5),
	} {
		t.Run(name, func(t *testing.T) {
			r := collect.NewRolling(expected, nil)
			for _, m := range []foldstream.Member{member(1, "b", other), member(0, "a", good)} {
				if err := r.Add(m); err != nil {
					t.Fatal(err)
				}
			}
			if f, cover, err := r.Value(); !foldstream.Is(err, foldstream.Invalid) || f.Len() != 0 || cover.Present != 2 {
				t.Errorf("%v %+v %v", f, cover, err)
			}
		})
	}
}
