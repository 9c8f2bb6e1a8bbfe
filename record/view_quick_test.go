package record

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
)

// chain makes up the life of a task step by step, and says beside it what its recorder must be, in the words of whoever lived it.
type chain struct {
	t      *rapid.T
	at     time.Time
	events []foldstream.Event
	want   Recorder
	base   Recorder
	there  bool
	run    int
}

func (c *chain) add(e foldstream.Event) {
	c.at = c.at.Add(time.Duration(rapid.IntRange(1, 1000).Draw(c.t, "later")) * time.Millisecond)
	e.Seq, e.At = foldstream.Cursor(7*len(c.events)+3), c.at
	if n := len(c.events); n > 0 {
		e.Expected = c.events[n-1].Seq
	}
	c.events = append(c.events, e)
	c.there = e.Status != foldstream.Removed
}

func (c *chain) result() *foldstream.Result {
	return &foldstream.Result{
		Metrics: map[string]float64{"ic": float64(c.run)}, Params: map[string]string{"by": fmt.Sprint(c.run)}, Tags: map[string]string{"run": fmt.Sprint(c.run)},
		Artifacts: []foldstream.Artifact{{Name: fmt.Sprint("log", c.run)}}, Code: fmt.Sprint("v", c.run), Worker: "w", Duration: time.Duration(c.run),
	}
}

// said is what the recorder has of the result.
func (c *chain) said(r *foldstream.Result) {
	c.want.Metrics, c.want.Artifacts, c.want.Code, c.want.Duration = r.Metrics, r.Artifacts, r.Code, r.Duration
	c.want.Params = map[string]any{"model": "m", "by": r.Params["by"]}
	c.want.Tags = map[string]string{"owner": "ann", "run": r.Tags["run"]}
}

// step makes one more event that may follow.
func (c *chain) step() {
	w := &c.want
	run := func() string { return fmt.Sprint("run", c.run) }
	kinds := map[Status][]string{
		Scheduled: {"claim", "cancel", "remove"}, Running: {"claim", "part", "result", "return", "error", "fail", "crash", "cancel", "reset", "remove"},
		Finished: {"remove"}, Failed: {"retry", "remove"}, Cancelled: {"retry", "remove"},
	}[w.Status]
	if !c.there {
		kinds = []string{"again"}
	}
	kind := rapid.SampledFrom(kinds).Draw(c.t, "step")
	w.Ended, w.Duration = time.Time{}, 0
	switch kind {
	case "claim":
		c.run++
		c.add(foldstream.Event{Kind: foldstream.EventClaim, Status: foldstream.Running, Stage: w.Stage, Attempt: w.Attempt, Worker: "w", Run: run()})
		w.Status, w.Run, w.Started, w.Worker = Running, run(), c.at, "w"
	case "part", "result":
		e := foldstream.Event{Kind: foldstream.EventPart, Status: foldstream.PartDone, Attempt: w.Attempt, Worker: "w", Run: run(), Result: c.result(), Stage: w.Stage}
		if w.Status = Scheduled; kind == "result" {
			e.Kind, e.Status, w.Status = foldstream.EventResult, foldstream.Done, Finished
		}
		c.add(e)
		if c.said(e.Result); kind == "result" {
			w.Ended, w.Error = c.at, ""
		}
	case "return", "error":
		e := foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Waiting, Stage: w.Stage, Attempt: w.Attempt, Worker: "w", Run: run()}
		if kind == "error" {
			e.Error = "broke in " + run()
		}
		c.add(e)
		w.Status, w.Error = Scheduled, e.Error
	case "fail", "crash":
		e := foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Dead, Stage: w.Stage, Attempt: w.Attempt, Worker: "w", Run: run(), Error: "no use in " + run()}
		if kind == "crash" {
			e.Run = "another's"
		}
		c.add(e)
		w.Status, w.Error, w.Ended, w.Duration = Failed, e.Error, c.at, c.at.Sub(w.Started)
	case "cancel":
		c.add(foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Withdrawn, Stage: w.Stage, Attempt: w.Attempt, Run: "outside", Error: "enough"})
		if w.Status, w.Ended = Cancelled, c.at; !w.Started.IsZero() {
			w.Duration = c.at.Sub(w.Started)
		}
	case "reset", "retry":
		c.add(foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Waiting, Stage: w.Stage, Attempt: w.Attempt, Worker: w.Worker, Run: "outside", Error: "once more"})
		w.Status = Scheduled
	case "remove":
		c.add(foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Removed, Attempt: w.Attempt, Run: "outside", Error: "cleared"})
		*w = c.base
	case "again":
		c.add(foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Waiting, Attempt: 1, Run: "outside", Error: "created again"})
	}
}

func newChain(t *rapid.T) *chain {
	task := foldstream.Task{
		ID: "aaaaaaaaaaaaaaaaaaaaaaaaaa", Tags: map[string]string{"owner": "ann"}, Template: foldstream.Template{Task: map[string]any{"model": "m"}},
	}
	c := &chain{t: t, at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), there: true}
	c.base = ofTask(foldstream.Experiment{Name: "e", Pool: "p"}, task, c.at)
	c.want = c.base
	return c
}

// The order in which events come, and how often each comes, makes no difference to a recorder.
func TestViewOfEventsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newChain(t)
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			c.step()
		}
		shuffled := rapid.Permutation(append(slices.Clone(c.events), rapid.SliceOf(rapid.SampledFrom(append(slices.Clone(c.events), foldstream.Event{}))).Draw(t, "again")...)).Draw(t, "order")
		shuffled = slices.DeleteFunc(shuffled, func(e foldstream.Event) bool { return e.Seq == 0 })
		got, there := c.base.lived(shuffled)
		if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(foldstream.Time{})); diff != "" || there != c.there {
			t.Errorf("there: %v, want %v\n%s", there, c.there, diff)
		}
	})
}

// What the newest event tells is what the whole life tells, but for what only events before it know.
func TestListTellsWhatTheLifeTells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newChain(t)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			c.step()
		}
		last := c.events[len(c.events)-1]
		s := foldstream.TaskState{Status: last.Status, Worker: c.want.Worker, Error: c.want.Error, Updated: last.At}
		s.Stage, s.Attempt = last.Stage, last.Attempt
		var result *foldstream.Event
		if last.Result != nil {
			result = &last
		}
		got, there := c.base.standing(s, result)
		if there != c.there {
			t.Fatalf("there: %v, want %v", there, c.there)
		}
		if !there {
			return
		}
		want := c.want
		switch want.Status {
		case Finished:
			want.Started = want.Ended.Add(-want.Duration)
		case Running:
			want.Run = ""
		default:
			want.Run, want.Started, want.Duration = got.Run, time.Time{}, got.Duration
		}
		if result == nil { // a result of a stage before is in an event before
			want.Metrics, want.Artifacts, want.Code, want.Params, want.Tags = nil, nil, "", c.base.Params, maps.Clone(c.base.Tags)
		}
		got.Started = map[bool]time.Time{true: got.Started}[want.Status == Finished || want.Status == Running]
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(foldstream.Time{})); diff != "" {
			t.Error(diff)
		}
	})
}
