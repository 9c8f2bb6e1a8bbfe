package mem_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestStore_Verify plants events that the store itself does not write, after a claim (1) and a result (2).
func TestStore_Verify(t *testing.T) {
	id := streamtest.Task(1).ID
	for name, c := range map[string]struct {
		planted foldstream.Event
		fault   string
	}{
		"a second result": {foldstream.Event{Task: id, Kind: foldstream.EventResult, Status: foldstream.Done, Expected: 2}, "result 2 of one life"},
		"a fork":          {foldstream.Event{Task: id, Kind: foldstream.EventEnd, Status: foldstream.Removed, Expected: 1}, "the one before it is 2"},
		"worked on":       {foldstream.Event{Task: id, Kind: foldstream.EventClaim, Status: foldstream.Running, Expected: 2}, "comes after it was done"},
		"tried again":     {foldstream.Event{Task: id, Kind: foldstream.EventEnd, Status: foldstream.Waiting, Expected: 2}, "comes after it was done"},
		"another status":  {foldstream.Event{Task: id, Kind: foldstream.EventEnd, Status: foldstream.Removed, Expected: 2}, "it is done, its events say removed"},
		"an unknown task": {foldstream.Event{Task: streamtest.Task(2).ID, Kind: foldstream.EventClaim, Status: foldstream.Running}, "never created"},
	} {
		t.Run(name, func(t *testing.T) {
			s := mem.New(mem.Options{})
			if err := start(t, s, streamtest.Task(1)).Commit(t.Context(), foldstream.Result{}); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Verify(t.Context(), "p"); err != nil || len(got.Faults) != 0 {
				t.Fatalf("before: %v, %q", err, got.Faults)
			}
			c.planted.Pool = "p"
			s.Plant(c.planted)
			got, err := s.Verify(t.Context(), "p")
			if err != nil || !strings.Contains(strings.Join(got.Faults, "\n"), c.fault) {
				t.Errorf("verify found %q, %v; want %q", got.Faults, err, c.fault)
			}
		})
	}
}

// TestStore_Letters tells of the life that failed, not of the one before.
func TestStore_Letters(t *testing.T) {
	s := mem.New(mem.Options{})
	if err := start(t, s, streamtest.Task(1)).Commit(t.Context(), foldstream.Result{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), "p", "replaced", streamtest.Task(1).ID); err != nil {
		t.Fatal(err)
	}
	if err := start(t, s, streamtest.Task(1)).Fail(t.Context(), errors.New("no use")); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for l, err := range s.Letters(t.Context(), "p") {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l.Events {
			kinds = append(kinds, string(e.Kind)+" "+string(e.Status))
		}
	}
	if got := strings.Join(kinds, ", "); got != "end waiting, claim running, end failed" {
		t.Errorf("the dead letter tells %s", got)
	}
}

func TestStore_Change(t *testing.T) {
	s := mem.New(mem.Options{Lease: time.Minute})
	before, err := s.Change(t.Context(), "p", func(p *foldstream.PoolSettings) { p.Lease = time.Second })
	if err != nil || before.Lease != time.Second {
		t.Fatalf("before the pool is made: %+v, %v", before, err)
	}
	start(t, s, streamtest.Task(1))
	for what, change := range map[string]func(*foldstream.PoolSettings){
		"another lease":       func(p *foldstream.PoolSettings) { p.Lease = time.Hour },
		"a lease below 0":     func(p *foldstream.PoolSettings) { p.Lease = -1 },
		"a limit below 0":     func(p *foldstream.PoolSettings) { p.Limit = -1 },
		"a key's limit below": func(p *foldstream.PoolSettings) { p.Limits = map[string]int{"k": -1} },
	} {
		if _, err := s.Change(t.Context(), "p", change); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%s: got %v, want an error of kind invalid", what, err)
		}
	}
	limits := map[string]int{"k": 1}
	if _, err := s.Change(t.Context(), "p", func(p *foldstream.PoolSettings) { p.Limits = limits }); err != nil {
		t.Fatal(err)
	}
	limits["k"] = 2
	got, err := s.Settings(t.Context(), "p")
	if err != nil || got.Limits["k"] != 1 || got.Lease != time.Second {
		t.Errorf("the settings are %+v, %v", got, err)
	}
	if _, err := s.Settings(t.Context(), "no pool"); !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("a bad name: got %v, want an error of kind invalid", err)
	}
}
