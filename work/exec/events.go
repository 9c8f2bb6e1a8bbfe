package exec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// Event is one line of $FOLDSTREAM_EVENTS; every part may be absent. A line with other names is refused.
type Event struct {
	Progress *Progress         `json:"progress,omitempty"`
	Param    map[string]Text   `json:"param,omitempty"`
	Metric   map[string]Number `json:"metric,omitempty"`
	Step     *int64            `json:"step,omitempty"` // of the metrics: a point of each; without it they are what the metrics come to
	Tag      map[string]Text   `json:"tag,omitempty"`
	Artifact *Blob             `json:"artifact,omitempty"` // a finished file; it is stored when the line is read
}

// Progress is how far the command is.
type Progress struct {
	Percent Number `json:"percent,omitempty"` // 0 to 100; what is outside is taken for the nearer end
	Step    int64  `json:"step,omitempty"`
	Message string `json:"message,omitempty"`
}

const (
	eventsName  = "foldstream-events.jsonl"
	eventsEvery = 200 * time.Millisecond // how often the file is looked at
	lineLimit   = 64 << 10               // bytes of a line
	faultLimit  = 20                     // refused lines that are told of
)

// events reads the file of events as the command appends to it.
type events struct {
	dir *folder
	rec foldstream.Recorder
	log io.Writer // takes what was wrong

	at     int64  // offset of what is not read yet
	part   []byte // the beginning of a line whose end is not written yet
	skip   bool   // the line that is being read is too long
	line   int
	faults int
	failed error // of the store, the first: an artifact is missing that the result should have
}

// follow reads until done is closed, and then what is left.
func (e *events) follow(ctx context.Context, done <-chan struct{}) {
	tick := time.NewTicker(eventsEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.read(ctx)
		case <-done:
			e.read(ctx)
			if len(e.part) > 0 {
				e.take(ctx, e.part) // a last line without an end
			}
			return
		}
	}
}

// read takes the lines there are. A file that became shorter was written anew.
func (e *events) read(ctx context.Context) {
	f, err := e.dir.open(eventsName)
	if err != nil {
		return // not there yet, or no file
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == e.at {
		return // nothing new
	}
	if info.Size() < e.at {
		e.at, e.part, e.skip = 0, nil, false
	}
	if _, err := f.Seek(e.at, io.SeekStart); err != nil {
		return
	}
	buffer := make([]byte, lineLimit)
	for {
		n, err := f.Read(buffer)
		e.at += int64(n)
		e.split(ctx, buffer[:n])
		if err != nil {
			return // the end, for now
		}
	}
}

// split takes the lines that end in data.
func (e *events) split(ctx context.Context, data []byte) {
	for {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			break
		}
		if !e.skip {
			e.take(ctx, append(e.part, data[:i]...))
		}
		e.part, e.skip, data = nil, false, data[i+1:]
	}
	if !e.skip {
		e.part = append(e.part, data...)
	}
	if len(e.part) > lineLimit {
		e.take(ctx, e.part)
		e.part, e.skip = nil, true
	}
}

// take takes one line.
func (e *events) take(ctx context.Context, line []byte) {
	e.line++
	if len(line) > lineLimit {
		e.fault(fmt.Errorf("it is over %d KiB long", lineLimit>>10))
		return
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	ev, err := decodeEvent(line)
	if err == nil && ev.Step != nil && len(ev.Metric) == 0 {
		err = errors.New("a step without a metric")
	}
	if err == nil {
		err = e.tell(ctx, ev)
	}
	if err != nil {
		e.fault(err)
	}
}

// decodeEvent reads a line. Errors: Invalid.
func decodeEvent(line []byte) (Event, error) {
	var ev Event
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	err := d.Decode(&ev)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value in a line")
		}
	}
	return ev, foldstream.E(foldstream.Invalid, "", err)
}

// tell hands an event to the recorder.
func (e *events) tell(ctx context.Context, ev Event) error {
	for name, v := range ev.Param {
		e.rec.Param(name, string(v))
	}
	for _, name := range slices.Sorted(maps.Keys(ev.Metric)) {
		if v := float64(ev.Metric[name]); ev.Step != nil {
			e.rec.MetricAt(name, *ev.Step, v)
		} else {
			e.rec.Metric(name, v)
		}
	}
	for name, v := range ev.Tag {
		e.rec.Tag(name, string(v))
	}
	if p := ev.Progress; p != nil {
		percent := float64(p.Percent)
		if math.IsNaN(percent) {
			percent = 0
		}
		e.rec.Progress(foldstream.Progress{Percent: max(0, min(percent, 100)), Step: p.Step, Message: p.Message})
	}
	if ev.Artifact == nil {
		return nil
	}
	err := ev.Artifact.keep(ctx, e.dir, e.rec)
	if err != nil && !foldstream.IsPermanent(err) && e.failed == nil {
		e.failed = err
	}
	return err
}

// fault notes in the command's log what was wrong with a line.
func (e *events) fault(err error) {
	if e.faults++; e.faults > faultLimit {
		return
	}
	fmt.Fprintf(e.log, "foldstream: $FOLDSTREAM_EVENTS, line %d is ignored: %v\n", e.line, err)
	if e.faults == faultLimit {
		fmt.Fprintln(e.log, "foldstream: further lines that cannot be read are ignored in silence")
	}
}

// UnmarshalJSON reads a path, which then names the artifact by its last part, or the whole.
func (b *Blob) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		if err := json.Unmarshal(data, &b.Path); err != nil {
			return err
		}
		b.Name = filepath.Base(b.Path)
		return nil
	}
	type plain Blob
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode((*plain)(b))
}
