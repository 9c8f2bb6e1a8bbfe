package exec

import (
	"github.com/foldstream/foldstream"
)

// Request is what a command reads on its standard input, as JSON.
type Request struct {
	ID         foldstream.TaskID   `json:"id"`
	Experiment string              `json:"experiment"`
	Worker     string              `json:"worker"`
	Stage      string              `json:"stage"`
	Attempt    int                 `json:"attempt"`
	Horizon    int                 `json:"horizon"`
	Seed       *int64              `json:"seed"`     // null where none is set
	Key        map[string]string   `json:"key"`      // what the generators chose
	Segments   foldstream.Segments `json:"segments"` // name → [start, end], null for an open end
	Task       map[string]any      `json:"task"`     // Qlib's task dict, with its segments
	Data       []File              `json:"data"`
	Part       *Response           `json:"part"` // what the stage before handed on; its artifacts have digests
}

// File is an input file, verified.
type File struct {
	Name   string            `json:"name"`
	Path   string            `json:"path"`
	Digest foldstream.Digest `json:"digest"`
}

// request writes a task as the command reads it.
func request(t foldstream.Task) Request {
	r := Request{
		ID: t.ID, Experiment: t.Experiment, Worker: t.Worker, Stage: t.Stage, Attempt: t.Attempt,
		Horizon: t.Horizon, Seed: t.Seed, Key: map[string]string{}, Segments: t.Segments, Task: t.Dict(), Data: []File{},
	}
	for _, c := range t.Key {
		r.Key[c.Name] = c.Value
	}
	for _, d := range t.Data {
		r.Data = append(r.Data, File{d.Name, d.Path, d.Digest})
	}
	if t.Part != nil {
		r.Part = handedOn(*t.Part)
	}
	return r
}

// handedOn writes a result in the form in which a command hands one back.
func handedOn(r foldstream.Result) *Response {
	out := &Response{Metrics: map[string]Number{}, Params: map[string]Text{}, Tags: map[string]Text{}, Frames: map[string]Table{}}
	for k, v := range r.Metrics {
		out.Metrics[k] = Number(v)
	}
	for k, v := range r.Params {
		out.Params[k] = Text(v)
	}
	for k, v := range r.Tags {
		out.Tags[k] = Text(v)
	}
	for k, f := range r.Frames {
		out.Frames[k] = table(f)
	}
	for _, a := range r.Artifacts {
		out.Artifacts = append(out.Artifacts, Blob{Name: a.Name, Digest: a.Digest, Type: a.Type})
	}
	return out
}
