package foldstream_test

import (
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
)

func TestRetryValidate(t *testing.T) {
	good := foldstream.Retry{Never: []string{"exit:2", "signal:9", "kind:too large", "/no such (column|file)/"}, Always: []string{"deadline", "silence", "panic", "exit:255"}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	if err := (foldstream.Retry{}).Validate(); err != nil {
		t.Error(err)
	}
	for want, r := range map[string]foldstream.Retry{
		"attempts: -1":                       {Attempts: -1},
		"backoff: -1ns":                      {Backoff: -1},
		"ceiling: -1ns":                      {Ceiling: -1},
		`never: "exit:"`:                     {Never: []string{"exit:"}},
		`never: "exit:0"`:                    {Never: []string{"exit:0"}},
		`never: "exit:02"`:                   {Never: []string{"exit:02"}},
		`always: "signal:KILL"`:              {Always: []string{"panic", "signal:KILL"}},
		`the kinds: internal, invalid, leak`: {Never: []string{"kind:bad"}},
		`never: "exit" names`:                {Never: []string{"exit"}},
		`never: "Deadline" is no class`:      {Never: []string{"Deadline"}},
		"missing closing":                    {Always: []string{"/(/"}},
		`always: "//" is no class`:           {Always: []string{"//"}},
		`always: "" is no class`:             {Always: []string{""}},
		`always: "panic" is also`:            {Never: []string{"panic"}, Always: []string{"panic"}},
	} {
		if err := r.Validate(); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", r, err, want)
		}
	}
}

func TestCloneSharesNoClasses(t *testing.T) {
	a := foldstream.Task{Retry: foldstream.Retry{Never: []string{"panic"}, Always: []string{"silence"}}}
	b := a.Clone()
	b.Retry.Never[0], b.Retry.Always[0] = "x", "y"
	if a.Retry.Never[0] != "panic" || a.Retry.Always[0] != "silence" {
		t.Error(a.Retry)
	}
}

func TestRetry_PausesDouble(t *testing.T) {
	if r := (foldstream.Retry{}); r.Tries() != 3 || r.Pause(1) != time.Second || r.Pause(3) != 4*time.Second || r.Pause(100) != 5*time.Minute {
		t.Errorf("the zero Retry has %d attempts and pauses %v, %v, %v", r.Tries(), r.Pause(1), r.Pause(3), r.Pause(100))
	}
	if r := (foldstream.Retry{Attempts: 7, Backoff: time.Minute, Ceiling: 90 * time.Second}); r.Tries() != 7 || r.Pause(1) != time.Minute || r.Pause(2) != 90*time.Second {
		t.Errorf("%d attempts, pauses %v, %v", r.Tries(), r.Pause(1), r.Pause(2))
	}
}
