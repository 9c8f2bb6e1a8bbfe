package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream/record"
)

// RecorderShowCmd shows one recorder.
type RecorderShowCmd struct {
	Managed
	OneRecorder
}

// Run prints the recorder.
func (c *RecorderShowCmd) Run(ctx context.Context, env *Env) error {
	return c.onRecorder(ctx, env, c.OneRecorder, func(_ administered, _ string, r record.Recorder) error {
		if c.JSON {
			return printJSON(env.Stdout, recorderOf(r))
		}
		printRecorder(facts{env.Stdout}, r)
		return nil
	})
}

func printRecorder(f facts, r record.Recorder) {
	f.line("recorder", r.ID)
	f.line("experiment", r.Experiment)
	f.line("name", r.Name)
	f.line("configuration", r.Key.String())
	if r.Window.Of > 0 {
		f.line("window", fmt.Sprintf("%d of %d", r.Window.Index+1, r.Window.Of))
	}
	for _, name := range r.Segments.Names() {
		f.line(name, span(r.Segments, name))
	}
	f.line("status", statusOf(r))
	f.line("progress", r.Progress.Message)
	f.line("pool", r.Pool)
	f.line("runs", r.Runs)
	f.line("stage", r.Stage)
	if r.Attempt > 0 {
		f.line("attempt", fmt.Sprint(r.Attempt))
	}
	f.line("worker", r.Worker)
	f.line("code", r.Code)
	f.line("created", instant(r.Created))
	f.line("started", instant(r.Started))
	f.line("ended", instant(r.Ended))
	f.line("took", took(r.Duration))
	f.line("calendar", r.Calendar)
	for _, d := range r.Data {
		f.line("data "+d.Name, fmt.Sprintf("%d bytes, SHA-256 %s", d.Size, d.Digest))
	}
	f.line("error", r.Error)
	f.line("note", r.Note)
	params := map[string]any{}
	flatten(params, "", r.Params)
	for _, name := range slices.Sorted(maps.Keys(params)) {
		f.line("param", name+" = "+plainText(params[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Metrics)) {
		f.line("metric", name+" = "+figure(r.Metrics[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Tags)) {
		f.line("tag", name+" = "+r.Tags[name])
	}
	for _, name := range r.Frames {
		f.line("frame", name)
	}
	for _, a := range r.Artifacts {
		f.line("artifact", fmt.Sprintf("%s, %d bytes, SHA-256 %s", a.Name, a.Size, a.Digest))
	}
}

// flatten puts nested parameters under their paths, joined by dots, as Qlib names them; lists stay lists.
func flatten(to map[string]any, path string, params map[string]any) {
	for name, v := range params {
		if path != "" {
			name = path + "." + name
		}
		if m, ok := v.(map[string]any); ok && len(m) > 0 {
			flatten(to, name, m)
			continue
		}
		to[name] = v
	}
}

// shownText is how much of a parameter is shown to people.
const shownText = 200

// plainText writes a parameter: texts as they are, all else as its JSON, and of what is long the beginning.
func plainText(v any) string {
	text, ok := v.(string)
	if l, large := v.(record.Large); large {
		return fmt.Sprintf("(%d bytes)", l.Size)
	}
	if !ok {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			return fmt.Sprint(v)
		}
		text = strings.TrimSuffix(b.String(), "\n")
	}
	if len(text) > shownText {
		return fmt.Sprintf("%.*s… (%d bytes)", shownText, text, len(text))
	}
	return text
}
