package stream

import (
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/pack"
)

// The kinds of values that tasks and results are made of.
var (
	word    = text[string]()
	texts   = list[[]string](word)
	labels  = dict[map[string]string](word)
	digest  = text[foldstream.Digest]()
	integer = whole[int](pack.AppendInt)
	size    = whole[int64](pack.AppendInt64)
	span    = whole[time.Duration](pack.AppendInt64)
	float   = plain(pack.AppendFloat, (*pack.Reader).Float)
	truth   = plain(pack.AppendBool, (*pack.Reader).Bool)
	instant = own(func(t *time.Time) bool { return t.IsZero() })
	frames  = own[foldstream.Frame](nil)
	series  = own(func(s *foldstream.Series) bool { return len(*s) == 0 })
	// moment is a time's text, in the form of bytes.
	moment = kind[foldstream.Time]{
		empty: (*foldstream.Time).IsZero,
		write: func(w *writer, t *foldstream.Time) {
			text := t.String()
			w.b = append(pack.AppendBin(w.b, len(text)), text...)
		},
		read: func(r *pack.Reader, t *foldstream.Time) {
			text, _ := r.Bin()
			if err := t.UnmarshalText(text); err != nil {
				r.Fail(err)
			}
		},
	}
	// tree is Qlib's task dict. What is none of the types of its contract is written by the library, or refused by it.
	tree = kind[map[string]any]{
		empty: func(m *map[string]any) bool { return len(*m) == 0 },
		write: func(w *writer, m *map[string]any) { w.b = pack.AppendAny(w.b, *m, w.other) },
		read:  func(r *pack.Reader, m *map[string]any) { *m = r.Tree() },
	}
)

var segmentShape = shape[foldstream.Segment]{
	at("Start", moment, func(s *foldstream.Segment) *foldstream.Time { return &s.Start }),
	at("End", moment, func(s *foldstream.Segment) *foldstream.Time { return &s.End }),
}

var choiceShape = shape[foldstream.Choice]{
	at("Name", word, func(c *foldstream.Choice) *string { return &c.Name }),
	at("Value", word, func(c *foldstream.Choice) *string { return &c.Value }),
}

var windowShape = shape[foldstream.Window]{
	at("Index", integer, func(w *foldstream.Window) *int { return &w.Index }),
	at("Of", integer, func(w *foldstream.Window) *int { return &w.Of }),
}

var reachShape = shape[foldstream.Reach]{
	at("Sessions", integer, func(r *foldstream.Reach) *int { return &r.Sessions }),
	at("Known", truth, func(r *foldstream.Reach) *bool { return &r.Known }),
}

var leakShape = shape[foldstream.Certificate]{
	at("Policy", text[foldstream.Policy](), func(c *foldstream.Certificate) *foldstream.Policy { return &c.Policy }),
	at("Calendar", word, func(c *foldstream.Certificate) *string { return &c.Calendar }),
	at("Reach", reachShape.kind(), func(c *foldstream.Certificate) *foldstream.Reach { return &c.Reach }),
	at("Gap", integer, func(c *foldstream.Certificate) *int { return &c.Gap }),
	at("Certified", truth, func(c *foldstream.Certificate) *bool { return &c.Certified }),
	at("Faults", texts, func(c *foldstream.Certificate) *[]string { return &c.Faults }),
	at("Notes", texts, func(c *foldstream.Certificate) *[]string { return &c.Notes }),
}

var dataShape = shape[foldstream.Data]{
	at("Name", word, func(d *foldstream.Data) *string { return &d.Name }),
	at("Path", word, func(d *foldstream.Data) *string { return &d.Path }),
	at("Digest", digest, func(d *foldstream.Data) *foldstream.Digest { return &d.Digest }),
	at("Size", size, func(d *foldstream.Data) *int64 { return &d.Size }),
	at("Upload", truth, func(d *foldstream.Data) *bool { return &d.Upload }),
}

var retryShape = shape[foldstream.Retry]{
	at("Attempts", integer, func(r *foldstream.Retry) *int { return &r.Attempts }),
	at("Backoff", span, func(r *foldstream.Retry) *time.Duration { return &r.Backoff }),
	at("Ceiling", span, func(r *foldstream.Retry) *time.Duration { return &r.Ceiling }),
	at("Never", texts, func(r *foldstream.Retry) *[]string { return &r.Never }),
	at("Always", texts, func(r *foldstream.Retry) *[]string { return &r.Always }),
}

// taskShape is a definition: a task without its place in life.
var taskShape = shape[foldstream.Task]{
	at("ID", text[foldstream.TaskID](), func(t *foldstream.Task) *foldstream.TaskID { return &t.ID }),
	at("Task", tree, func(t *foldstream.Task) *map[string]any { return &t.Task }),
	at("Segments", dict[foldstream.Segments](segmentShape.kind()), func(t *foldstream.Task) *foldstream.Segments { return &t.Segments }),
	at("Horizon", integer, func(t *foldstream.Task) *int { return &t.Horizon }),
	at("Seed", pointer(size), func(t *foldstream.Task) **int64 { return &t.Seed }),
	at("Stages", texts, func(t *foldstream.Task) *[]string { return &t.Stages }),
	at("Worker", word, func(t *foldstream.Task) *string { return &t.Worker }),
	at("Calendar", word, func(t *foldstream.Task) *string { return &t.Calendar }),
	at("Key", list[foldstream.Key](choiceShape.kind()), func(t *foldstream.Task) *foldstream.Key { return &t.Key }),
	at("Window", windowShape.kind(), func(t *foldstream.Task) *foldstream.Window { return &t.Window }),
	at("Reach", reachShape.kind(), func(t *foldstream.Task) *foldstream.Reach { return &t.Reach }),
	at("Leak", leakShape.kind(), func(t *foldstream.Task) *foldstream.Certificate { return &t.Leak }),
	at("Experiment", word, func(t *foldstream.Task) *string { return &t.Experiment }),
	at("Priority", pointer(integer), func(t *foldstream.Task) **int { return &t.Priority }),
	at("Tags", labels, func(t *foldstream.Task) *map[string]string { return &t.Tags }),
	at("Data", list[[]foldstream.Data](dataShape.kind()), func(t *foldstream.Task) *[]foldstream.Data { return &t.Data }),
	at("Retry", retryShape.kind(), func(t *foldstream.Task) *foldstream.Retry { return &t.Retry }),
	at("Deadline", span, func(t *foldstream.Task) *time.Duration { return &t.Deadline }),
	at("Silence", span, func(t *foldstream.Task) *time.Duration { return &t.Silence }),
	at("Keys", texts, func(t *foldstream.Task) *[]string { return &t.Keys }),
	at("NotBefore", instant, func(t *foldstream.Task) *time.Time { return &t.NotBefore }),
	at("Replaces", text[foldstream.TaskID](), func(t *foldstream.Task) *foldstream.TaskID { return &t.Replaces }),
}

// headingShape is what Create looks at in a definition.
var headingShape = taskShape.only("ID", "Stages", "Priority", "NotBefore")

var artifactShape = shape[foldstream.Artifact]{
	at("Name", word, func(a *foldstream.Artifact) *string { return &a.Name }),
	at("Digest", digest, func(a *foldstream.Artifact) *foldstream.Digest { return &a.Digest }),
	at("Size", size, func(a *foldstream.Artifact) *int64 { return &a.Size }),
	at("Type", word, func(a *foldstream.Artifact) *string { return &a.Type }),
}

var resultShape = shape[foldstream.Result]{
	at("Metrics", dict[map[string]float64](float), func(r *foldstream.Result) *map[string]float64 { return &r.Metrics }),
	at("Params", labels, func(r *foldstream.Result) *map[string]string { return &r.Params }),
	at("Tags", labels, func(r *foldstream.Result) *map[string]string { return &r.Tags }),
	at("Frames", dict[map[string]foldstream.Frame](frames), func(r *foldstream.Result) *map[string]foldstream.Frame { return &r.Frames }),
	at("Artifacts", list[[]foldstream.Artifact](artifactShape.kind()), func(r *foldstream.Result) *[]foldstream.Artifact { return &r.Artifacts }),
	at("Series", series, func(r *foldstream.Result) *foldstream.Series { return &r.Series }),
	at("Code", word, func(r *foldstream.Result) *string { return &r.Code }),
	at("Worker", word, func(r *foldstream.Result) *string { return &r.Worker }),
	at("Duration", span, func(r *foldstream.Result) *time.Duration { return &r.Duration }),
	at("Data", digest, func(r *foldstream.Result) *foldstream.Digest { return &r.Data }),
	at("Environment", word, func(r *foldstream.Result) *string { return &r.Environment }),
}
