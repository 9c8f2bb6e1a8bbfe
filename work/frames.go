package work

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"maps"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
)

// frameType1 is the type of those that were stored before there was Parquet, encoded by Frame.MarshalBinary.
const frameType1 = "application/vnd.foldstream.frame"

// maxFrame is how many bytes of an encoded frame are read.
const maxFrame = 1 << 30

// inlineFrames is how many bytes of frames a result holds itself: events have to fit into a message.
const inlineFrames = 512 << 10

// lighten moves frames from a result to the artifacts, the largest first, until those that stay are of no more than inlineFrames.
// Where there is no store for artifacts, or a frame is not valid, all stays. The result's own map is not changed. Errors: Permanent
// (a frame to be moved and an artifact have one name), those of the store.
func (p *process) lighten(fetching context.Context, t foldstream.Task, r foldstream.Result) (foldstream.Result, error) {
	if p.Artifacts == nil || bound(r.Frames) <= inlineFrames {
		return r, nil
	}
	encoded, total := map[string][]byte{}, 0
	for name, f := range r.Frames {
		data, err := f.MarshalBinary()
		if err != nil {
			return r, nil // the commit says what is wrong with it
		}
		encoded[name] = data
		total += len(data)
	}
	names := slices.SortedFunc(maps.Keys(encoded), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(encoded[b]), len(encoded[a])), cmp.Compare(a, b))
	})
	r.Frames, r.Artifacts = maps.Clone(r.Frames), slices.Clone(r.Artifacts)
	for _, name := range names {
		if total <= inlineFrames {
			break
		}
		if slices.ContainsFunc(r.Artifacts, func(a foldstream.Artifact) bool { return a.Name == name }) {
			return r, foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "", "the frame %q is stored as an artifact, for its size, and there is another of that name", name))
		}
		data, err := frame.Encode(r.Frames[name])
		if err != nil {
			return r, foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "", "the frame %q: %w", name, err))
		}
		a := foldstream.Artifact{Name: name, Type: foldstream.FrameType}
		err = p.insist(fetching, t, func(ctx context.Context) (err error) {
			a.Digest, a.Size, err = p.Artifacts.Put(ctx, bytes.NewReader(data))
			return err
		})
		if err != nil {
			return r, err
		}
		r.Artifacts = append(r.Artifacts, a)
		delete(r.Frames, name)
		total -= len(encoded[name])
	}
	return r, nil
}

// bound is a number of bytes that the frames' encoding does not exceed, cheaper than the encoding.
func bound(frames map[string]foldstream.Frame) int {
	n := 0
	for name, f := range frames {
		n += len(name) + 128 + f.Len()*(8*len(f.Columns)+40)
		for _, s := range f.Instruments {
			n += len(s) + 10
		}
		for _, c := range f.Columns {
			n += len(c.Name) + 16
		}
	}
	return n
}

// restore brings the frames that the stage before handed on as artifacts back to where that stage had put them. The task's own
// Part is not changed. Errors: those of Artifacts.Open; Permanent where what is there is no frame.
func (p *process) restore(ctx context.Context, t foldstream.Task) (foldstream.Task, error) {
	if t.Part == nil || p.Artifacts == nil {
		return t, nil
	}
	part := *t.Part
	part.Frames, part.Artifacts = maps.Clone(part.Frames), nil
	for _, a := range t.Part.Artifacts {
		if a.Type != foldstream.FrameType && a.Type != frameType1 {
			part.Artifacts = append(part.Artifacts, a)
			continue
		}
		f, err := p.frame(ctx, a)
		if err != nil {
			return t, err
		}
		if part.Frames == nil {
			part.Frames = map[string]foldstream.Frame{}
		}
		part.Frames[a.Name] = f
	}
	t.Part = &part
	return t, nil
}

// frame reads an artifact that is a frame.
func (p *process) frame(ctx context.Context, a foldstream.Artifact) (foldstream.Frame, error) {
	var f foldstream.Frame
	from, err := p.Artifacts.Open(ctx, a.Digest)
	if err != nil {
		return f, awayPart(a, err)
	}
	defer from.Close()
	data, err := io.ReadAll(io.LimitReader(from, maxFrame+1))
	if err != nil {
		return f, awayPart(a, err)
	}
	if len(data) > maxFrame {
		return f, foldstream.Permanent(foldstream.Errorf(foldstream.TooLarge, "", "the part's frame %q is over %d MiB", a.Name, maxFrame>>20))
	}
	if f, err = frame.Decode(data); err != nil {
		return f, foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "", "the part's frame %q: %w", a.Name, err))
	}
	return f, nil
}

// awayPart names the frame in an error of the store, and puts the task off where it may pass.
func awayPart(a foldstream.Artifact, err error) error {
	err = foldstream.Errorf(foldstream.KindOf(err), "", "the part's frame %q, digest %s: %w", a.Name, a.Digest, err)
	if passing(err) {
		return foldstream.Snooze(putOff, err.Error())
	}
	return err
}
