package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// RecorderCmd is the commands about the recorders of an experiment.
type RecorderCmd struct {
	List      RecorderListCmd      `cmd:"" aliases:"ls" help:"List the recorders of an experiment in order of their creation."`
	Show      RecorderShowCmd      `cmd:"" aliases:"info,view" help:"Show a recorder: parameters, metrics, tags, artifacts, times."`
	Metrics   RecorderMetricsCmd   `cmd:"" aliases:"metric" help:"Show the metrics of a recorder, and their steps."`
	Artifacts RecorderArtifactsCmd `cmd:"" aliases:"artifact" help:"List the artifacts of a recorder."`
	Get       RecorderGetCmd       `cmd:"" help:"Write an artifact of a recorder to a file or the standard output, and verify it."`
	Tag       RecorderTagCmd       `cmd:"" help:"Set tags of a recorder, or take them away."`
	Note      RecorderNoteCmd      `cmd:"" help:"Set the note of a recorder, or show it."`
}

// OneRecorder is the recorder that a command is about.
type OneRecorder struct {
	ExperimentFlag
	ID string `arg:"" help:"Recorder: a task's id, or that of free work."`
}

// onRecorder does something to a recorder that is there.
func (m Managed) onRecorder(ctx context.Context, env *Env, o OneRecorder, do func(a administered, experiment string, r record.Recorder) error) error {
	experiment, err := chosen(o.Experiment)
	if err != nil {
		return err
	}
	return m.on(ctx, env, func(a administered) error {
		r, err := record.Get(ctx, a, experiment, o.ID)
		if err != nil {
			return err
		}
		return do(a, experiment, r)
	})
}

// recorderJSON is a recorder, for machines. What does not apply to it is left out.
type recorderJSON struct {
	Experiment string              `json:"experiment"`
	ID         string              `json:"id"`
	Name       string              `json:"name,omitempty"`
	Task       bool                `json:"task"`
	Status     record.Status       `json:"status"`
	Params     map[string]any      `json:"params"`
	Metrics    map[string]*float64 `json:"metrics"` // null where undefined
	Tags       map[string]string   `json:"tags"`
	Note       string              `json:"note,omitempty"`
	Frames     []string            `json:"frames,omitempty"` // that the result holds itself; only of one recorder
	Artifacts  []artifactJSON      `json:"artifacts"`
	Error      string              `json:"error,omitempty"`
	Progress   *progressJSON       `json:"progress,omitempty"`
	Worker     string              `json:"worker,omitempty"`
	Code       string              `json:"code,omitempty"`
	Created    time.Time           `json:"created"`
	Started    *time.Time          `json:"started,omitempty"`
	Ended      *time.Time          `json:"ended,omitempty"`
	Seconds    float64             `json:"seconds,omitempty"` // of the attempt that ended
	Pool       string              `json:"pool,omitempty"`
	Stage      string              `json:"stage,omitempty"`
	Attempt    int                 `json:"attempt,omitempty"`
	Key        map[string]string   `json:"key,omitempty"`
	Window     *int                `json:"window,omitempty"`
	Of         int                 `json:"of,omitempty"`
	Segments   foldstream.Segments `json:"segments,omitempty"`
	Horizon    int                 `json:"horizon,omitempty"`
	Seed       *int64              `json:"seed,omitempty"`
	Runs       string              `json:"runs,omitempty"`
	Calendar   string              `json:"calendar,omitempty"`
	Data       []dataJSON          `json:"data,omitempty"`
}

type artifactJSON struct {
	dataJSON
	Type string `json:"type,omitempty"`
}

type progressJSON struct {
	Percent float64 `json:"percent"`
	Step    int64   `json:"step"`
	Message string  `json:"message,omitempty"`
}

func recorderOf(r record.Recorder) recorderJSON {
	out := recorderJSON{
		Experiment: r.Experiment, ID: r.ID, Name: r.Name, Task: r.Task, Status: r.Status, Params: map[string]any{}, Metrics: finite(r.Metrics), Tags: r.Tags,
		Note: r.Note, Frames: r.Frames, Artifacts: []artifactJSON{}, Error: r.Error, Worker: r.Worker, Code: r.Code, Created: r.Created.UTC(), Started: timeOrNil(r.Started),
		Ended: timeOrNil(r.Ended), Seconds: r.Duration.Seconds(), Pool: r.Pool, Stage: r.Stage, Attempt: r.Attempt, Segments: r.Segments, Horizon: r.Horizon,
		Seed: r.Seed, Runs: r.Runs, Calendar: r.Calendar,
	}
	for name, v := range r.Params {
		out.Params[name] = v
		if l, ok := v.(record.Large); ok {
			out.Params[name] = dataJSON{Name: name, Digest: l.Digest, Size: l.Size}
		}
	}
	for _, a := range r.Artifacts {
		out.Artifacts = append(out.Artifacts, artifactJSON{dataJSON{a.Name, a.Digest, a.Size}, a.Type})
	}
	if r.Progress != (foldstream.Progress{}) {
		out.Progress = &progressJSON{r.Progress.Percent, r.Progress.Step, r.Progress.Message}
	}
	if r.Task {
		out.Key = keyMap(r.Key)
	}
	if r.Window.Of > 0 {
		out.Window, out.Of = &r.Window.Index, r.Window.Of
	}
	for _, d := range r.Data {
		out.Data = append(out.Data, dataJSON{d.Name, d.Digest, d.Size})
	}
	return out
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// RecorderListCmd lists the recorders of an experiment.
type RecorderListCmd struct {
	Managed
	ExperimentFlag
	Where   string   `placeholder:"EXPR" help:"Only recorders for which this is true: metrics.ic > 0.03 and params.model.class == \"Ridge\"."`
	Status  []string `enum:"scheduled,running,lost,finished,failed,cancelled" placeholder:"STATUS" help:"Only recorders of these statuses."`
	Order   string   `placeholder:"EXPR" help:"Put them in order of this: metrics.ic, params.alpha, took, ended. Those without it stand last."`
	Desc    bool     `help:"The largest first; with --order."`
	Limit   int      `placeholder:"N" help:"At most so many; default: all."`
	After   string   `placeholder:"ID" help:"Only recorders behind this one: where the last page ended."`
	Metrics []string `placeholder:"NAME" help:"Metrics to show as columns; default: the first four of each page."`
	Names   bool     `short:"n" help:"Print the ids alone."`
}

// query is what the flags ask for. Errors: Invalid.
func (c *RecorderListCmd) query() (q record.Query, err error) {
	if q.Keep, err = keeps(c.Where); err != nil {
		return q, err
	}
	for _, s := range c.Status {
		q.Statuses = append(q.Statuses, record.Status(s))
	}
	switch {
	case c.Limit < 0:
		return q, foldstream.Errorf(foldstream.Invalid, "", "--limit %d is below 0", c.Limit)
	case c.Desc && c.Order == "":
		return q, foldstream.Errorf(foldstream.Invalid, "", "--desc needs an --order")
	case c.Order != "":
		err = ordered(&q, c.Order, c.Desc)
	}
	q.Limit, q.After = c.Limit, c.After
	return q, err
}

// Run lists. With --json it prints one object a line.
func (c *RecorderListCmd) Run(ctx context.Context, env *Env) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	experiment, err := chosen(c.Experiment)
	if err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		enc, pages := json.NewEncoder(env.Stdout), &recorderPages{env: env, metrics: c.Metrics}
		for r, err := range record.List(ctx, a, experiment, q) {
			switch {
			case err != nil:
			case c.JSON:
				err = enc.Encode(recorderOf(r))
			case c.Names:
				_, err = fmt.Fprintln(env.Stdout, r.ID)
			default:
				pages.add(r)
			}
			if err != nil {
				return err
			}
		}
		pages.flush()
		return nil
	})
}

// recorderPages prints a table of recorders in pages.
type recorderPages struct {
	env     *Env
	metrics []string // columns; nil is the first of each page
	page    []record.Recorder
}

func (p *recorderPages) add(r record.Recorder) {
	if p.page = append(p.page, r); len(p.page) == pageRows {
		p.flush()
	}
}

// firstMetrics is how many metrics a page shows that is told none.
const firstMetrics = 4

func (p *recorderPages) flush() {
	if len(p.page) == 0 {
		return
	}
	metrics := p.metrics
	if metrics == nil {
		named := map[string]bool{}
		for _, r := range p.page {
			for name := range r.Metrics {
				named[name] = true
			}
		}
		metrics = slices.Sorted(maps.Keys(named))
		metrics = metrics[:min(len(metrics), firstMetrics)]
	}
	header := []any{"recorder", "what", "status"}
	for _, name := range metrics {
		header = append(header, name)
	}
	t := newTable(p.env.Stdout, append(header, "took", "worker", "ended", "error")...)
	for _, r := range p.page {
		row := table.Row{r.ID, whatOf(r), statusOf(r)}
		for _, name := range metrics {
			row = append(row, metricOf(r, name))
		}
		t.AppendRow(append(row, took(r.Duration), r.Worker, instant(r.Ended), brief(r.Error)))
	}
	rightFrom(t, 4, 4+len(metrics))
	t.Render()
	p.page = p.page[:0]
}

// whatOf writes what a recorder is of: a task's configuration and window, or the name of free work.
func whatOf(r record.Recorder) string {
	if !r.Task {
		return r.Name
	}
	return placeOf(foldstream.Task{Template: foldstream.Template{Key: r.Key, Window: r.Window}})
}

// statusOf writes the status, of what runs with how far it is.
func statusOf(r record.Recorder) string {
	if r.Status == record.Running && r.Progress.Percent > 0 {
		return fmt.Sprintf("%s %.0f %%", r.Status, r.Progress.Percent)
	}
	return string(r.Status)
}

func metricOf(r record.Recorder, name string) string {
	v, ok := r.Metrics[name]
	if !ok {
		return ""
	}
	return figure(v)
}

// figure writes a number as people read it.
func figure(v float64) string {
	if v != v {
		return "–"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.6g", v), ".")
}

// took writes how long something took, nothing where it is not known.
func took(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.Round(time.Millisecond).String()
}
