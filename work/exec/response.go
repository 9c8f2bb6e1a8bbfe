package exec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/foldstream/foldstream"
)

// Response is what a command hands back, as JSON; every part may be absent. Other names are refused, as most are misspelt.
type Response struct {
	Metrics   map[string]Number `json:"metrics,omitempty"`
	Params    map[string]Text   `json:"params,omitempty"`
	Tags      map[string]Text   `json:"tags,omitempty"`
	Frames    map[string]Table  `json:"frames,omitempty"`
	Artifacts []Blob            `json:"artifacts,omitempty"`
}

// Blob is a file the command leaves behind, or one that an earlier stage left.
type Blob struct {
	Name   string            `json:"name"`
	Path   string            `json:"path,omitempty"`   // in the working directory: no link may lead out of it
	Digest foldstream.Digest `json:"digest,omitempty"` // only in Request.Part
	Type   string            `json:"type,omitempty"`   // media type
}

// Number is a number that null makes NaN.
type Number float64

// UnmarshalJSON reads a number or null.
func (n *Number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	if err := json.Unmarshal(data, (*float64)(n)); err != nil {
		return fmt.Errorf("%s is neither a number nor null", data)
	}
	return nil
}

// MarshalJSON writes null for what JSON cannot hold.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return json.Marshal(f)
	}
	return []byte("null"), nil
}

// Text is a text; numbers, truth values and whatever else stand in it become the text of their JSON.
type Text string

// UnmarshalJSON reads any value.
func (t *Text) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(t))
	}
	*t = Text(data)
	return nil
}

// respond reads the command's answer and takes its artifacts from dir.
func respond(ctx context.Context, data []byte, dir *folder, rec foldstream.Recorder) (foldstream.Result, error) {
	r, err := decode(data)
	if err != nil {
		return foldstream.Result{}, foldstream.Permanent(err)
	}
	out := foldstream.Result{Frames: map[string]foldstream.Frame{}}
	for name, v := range r.Metrics {
		rec.Metric(name, float64(v))
	}
	for name, v := range r.Params {
		rec.Param(name, string(v))
	}
	for name, v := range r.Tags {
		rec.Tag(name, string(v))
	}
	for name, t := range r.Frames {
		if out.Frames[name], err = t.frame(); err != nil {
			return out, foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "exec", "the result's frame %q: %w", name, err))
		}
	}
	for _, b := range r.Artifacts {
		if err := b.keep(ctx, dir, rec); err != nil {
			return out, err
		}
	}
	return out, nil
}

// keep stores the file as an artifact of the result.
func (b Blob) keep(ctx context.Context, dir *folder, rec foldstream.Recorder) error {
	f, err := dir.open(b.Path)
	if err == nil && b.Name == "" {
		err = errors.Join(errors.New("it needs a name"), f.Close())
	}
	if err != nil {
		return foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "exec", "the result's artifact %q, path %q: %w", b.Name, b.Path, err))
	}
	defer f.Close()
	return rec.Artifact(ctx, b.Name, b.Type, f)
}

// decode reads one JSON value and nothing after it. Errors: Invalid, with line and column of broken JSON and wrong types.
func decode(data []byte) (Response, error) {
	var r Response
	if len(bytes.TrimSpace(data)) == 0 {
		return r, foldstream.Errorf(foldstream.Invalid, "exec", "the command gave no result, neither on standard output nor in $FOLDSTREAM_OUT")
	}
	var whole json.RawMessage // first the syntax: a Decoder would not see what follows the value
	err := json.Unmarshal(data, &whole)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		err = d.Decode(&r)
	}
	if err != nil {
		return r, foldstream.Errorf(foldstream.Invalid, "exec", "the result%s: %w", where(data, err), err)
	}
	return r, nil
}

// where says at which place of data err is, if err knows.
func where(data []byte, err error) string {
	at := int64(-1)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = e.Offset - 1
	} else if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		at = e.Offset - 1
	}
	if at < 0 || at >= int64(len(data)) {
		return ""
	}
	line, column := place(data, int(at))
	if data[at] == 'N' {
		return fmt.Sprintf(", line %d, column %d (NaN is not JSON: write null)", line, column)
	}
	return fmt.Sprintf(", line %d, column %d", line, column)
}

// place returns the line and column, from 1, of an offset.
func place(data []byte, at int) (line, column int) {
	before := data[:at]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}
