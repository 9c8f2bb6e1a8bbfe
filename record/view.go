package record

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// ofTask returns the recorder of a task that nothing happened to yet.
func ofTask(e foldstream.Experiment, t foldstream.Task, created time.Time) Recorder {
	return Recorder{
		Experiment: e.Name, ID: string(t.ID), Task: true, Status: Scheduled, Created: created, Tags: t.Tags, Params: t.Task,
		Pool: e.Pool, Attempt: 1, Key: t.Key, Window: t.Window, Segments: t.Segments, Horizon: t.Horizon, Seed: t.Seed,
		Runs: t.Worker, Calendar: t.Calendar, Data: t.Data,
	}
}

// lived returns the recorder after events of its task, in whatever order they stand, and however often. The status Running is that of
// a worker who is heard of. there is false where the task was removed.
func (r Recorder) lived(events []foldstream.Event) (_ Recorder, there bool) {
	l := life{base: r, now: r, there: true}
	for _, e := range inOrder(events) {
		l.take(e)
	}
	return l.now, l.there
}

// inOrder returns the events in their order, each once.
func inOrder(events []foldstream.Event) []foldstream.Event {
	sorted := slices.SortedStableFunc(slices.Values(events), func(a, b foldstream.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return slices.CompactFunc(sorted, func(a, b foldstream.Event) bool { return a.Seq == b.Seq })
}

// life is a recorder on its way through the events of its task.
type life struct {
	base, now Recorder
	there     bool
	claimed   string // the run of the last claim
}

func (l *life) take(e foldstream.Event) {
	if e.Status == foldstream.Removed {
		l.now, l.there, l.claimed = l.base, false, ""
		return
	}
	r := &l.now
	l.there, r.Stage, r.Attempt = true, e.Stage, max(e.Attempt, 1)
	r.Ended, r.Duration = time.Time{}, 0
	if e.Worker != "" {
		r.Worker = e.Worker
	}
	switch e.Kind {
	case foldstream.EventClaim:
		r.Status, r.Run, r.Started, l.claimed = Running, e.Run, e.At, e.Run
	case foldstream.EventPart:
		r.Status, r.Run = Scheduled, e.Run
		l.say(e.Result)
	case foldstream.EventResult:
		r.Status, r.Run, r.Ended, r.Error = Finished, e.Run, e.At, ""
		l.say(e.Result)
		if r.Started.IsZero() {
			r.Started = e.At.Add(-r.Duration)
		}
	case foldstream.EventEnd:
		l.end(e)
	}
}

// end takes an end. What it tells is why the attempt failed, unless the end came from outside: that is no failure.
func (l *life) end(e foldstream.Event) {
	r := &l.now
	if ofAttempt := e.Run == l.claimed && e.Run != ""; ofAttempt || e.Status == foldstream.Dead {
		r.Error = e.Error
	}
	switch e.Status {
	case foldstream.Dead:
		r.Status, r.Ended = Failed, e.At
	case foldstream.Withdrawn:
		r.Status, r.Ended = Cancelled, e.At
	default:
		r.Status = Scheduled
		return
	}
	if !r.Started.IsZero() {
		r.Duration = e.At.Sub(r.Started)
	}
}

// say takes over what a worker handed back.
func (l *life) say(result *foldstream.Result) {
	if result == nil {
		return
	}
	r := &l.now
	r.Metrics, r.Artifacts, r.Code, r.Duration = result.Metrics, result.Artifacts, result.Code, result.Duration
	if result.Worker != "" {
		r.Worker = result.Worker
	}
	r.Tags, r.Params = map[string]string{}, map[string]any{}
	maps.Copy(r.Tags, l.base.Tags)
	maps.Copy(r.Tags, result.Tags)
	maps.Copy(r.Params, l.base.Params)
	for name, v := range result.Params {
		r.Params[name] = v
	}
}

// standing returns the recorder as the index and the newest event of its task have it, where that is a result or a part. there is false where the task
// was removed.
func (r Recorder) standing(s foldstream.TaskState, result *foldstream.Event) (_ Recorder, there bool) {
	if result != nil {
		r, there = r.lived([]foldstream.Event{*result})
	} else {
		r, there = r.lived([]foldstream.Event{{
			Seq: 1, At: s.Updated, Kind: kindOf(s.Status), Status: s.Status, Stage: s.Stage, Attempt: s.Attempt, Worker: s.Worker,
		}})
	}
	if r.Status != Finished {
		r.Error = s.Error
	}
	return r, there
}

// kindOf returns the kind of the last event of a task of the status.
func kindOf(s foldstream.Status) foldstream.EventKind {
	switch s {
	case foldstream.Running:
		return foldstream.EventClaim
	case foldstream.PartDone:
		return foldstream.EventPart
	case foldstream.Done:
		return foldstream.EventResult
	}
	return foldstream.EventEnd
}

// added returns the recorder with what people added.
func (r Recorder) added(d *document) Recorder {
	r.Tags = d.tagged(r.Tags)
	if d != nil {
		r.Note = d.Note
	}
	return r
}

// ofFree returns the recorder of free work as of a time.
func ofFree(e foldstream.Experiment, id string, d *document, now time.Time) Recorder {
	w := d.Work
	r := Recorder{
		Experiment: e.Name, ID: id, Name: w.Name, Status: w.Status, Params: w.Params, Metrics: w.Metrics, Tags: w.Tags, Artifacts: w.Artifacts,
		Error: w.Error, Worker: w.Worker, Code: w.Code, Created: w.Created.UTC(), Started: w.Started.UTC(), Run: w.Run,
	}
	if len(w.Large) > 0 {
		r.Params = map[string]any{}
		maps.Copy(r.Params, w.Params)
		for name, l := range w.Large {
			r.Params[name] = l
		}
	}
	if !w.Ended.IsZero() {
		r.Ended, r.Duration = w.Ended.UTC(), w.Ended.Sub(w.Started)
	}
	if w.Status == Running && now.After(w.Expires) {
		r.Status = Lost
	}
	return r.added(d)
}
