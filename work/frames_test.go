package work_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/work"
)

// frameOf returns a frame whose document has exactly n bytes, 200 or more.
func frameOf(t *testing.T, n int) foldstream.Frame {
	t.Helper()
	rows := (n - 90) / 9
	f := foldstream.Frame{Times: make([]foldstream.Time, rows), Columns: []foldstream.Column{{Name: "x", Values: make([]float64, rows)}}}
	for i := range f.Times {
		f.Times[i] = foldstream.DateOf(2020, 1, 2)
		f.Columns[0].Values[i] = float64(i)
	}
	data, err := f.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	f.Columns[0].Name += strings.Repeat("x", n-len(data))
	if data, _ = f.MarshalBinary(); len(data) != n { // the name's length took another byte
		f.Columns[0].Name = f.Columns[0].Name[:len(f.Columns[0].Name)-(len(data)-n)]
	}
	if data, err = f.MarshalBinary(); err != nil || len(data) != n {
		t.Fatalf("%d bytes, want %d, %v", len(data), n, err)
	}
	return f
}

func parquetOf(t *testing.T, f foldstream.Frame) []byte {
	t.Helper()
	data, err := frame.Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func handing(r foldstream.Result) work.Registry {
	return doing(func(context.Context, foldstream.Task, foldstream.Recorder) (foldstream.Result, error) { return r, nil })
}

func TestLargeFramesBecomeArtifacts(t *testing.T) {
	const limit = 512 << 10
	for name, c := range map[string]struct {
		sizes map[string]int
		moved string // in order
	}{
		"none":            {nil, ""},
		"at the limit":    {map[string]int{"pred": limit}, ""},
		"over the limit":  {map[string]int{"pred": limit + 1}, "pred"},
		"the large one":   {map[string]int{"a": 1000, "pred": 2 * limit, "z": 1000}, "pred"},
		"two large ones":  {map[string]int{"a": limit + 1, "pred": limit + 2, "z": 1000}, "pred a"},
		"together over":   {map[string]int{"a": limit / 2, "b": limit/2 - 1, "c": 1000}, "a"},
		"together within": {map[string]int{"a": limit / 2, "b": limit / 2}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			store, all := &blobs{}, map[string]foldstream.Frame{}
			for name, n := range c.sizes {
				all[name] = frameOf(t, n)
			}
			p := queue(id("a"))
			result := foldstream.Result{Frames: all, Artifacts: []foldstream.Artifact{{Name: "model"}}}
			if err := drain(t, &work.Runner{Artifacts: store, Workers: handing(result)}, p)["a"]; err != nil {
				t.Fatal(err)
			}
			got := p.one(t, "a").result
			var moved []string
			for _, a := range got.Artifacts {
				if a.Name == "model" {
					continue
				}
				moved = append(moved, a.Name)
				data := parquetOf(t, all[a.Name])
				if a.Type != "application/vnd.apache.parquet; profile=frame" || a.Size != int64(len(data)) || string(store.bytes[a.Digest]) != string(data) {
					t.Errorf("%+v", a)
				}
				if _, both := got.Frames[a.Name]; both {
					t.Errorf("%s is in both places", a.Name)
				}
			}
			if strings.Join(moved, " ") != c.moved || len(got.Frames)+len(moved) != len(c.sizes) || len(got.Artifacts) != len(moved)+1 {
				t.Errorf("moved %v, kept %d, artifacts %v", moved, len(got.Frames), got.Artifacts)
			}
			if len(all) != len(c.sizes) || len(result.Artifacts) != 1 {
				t.Error("the worker's own result was changed")
			}
		})
	}
}

func TestLargeFramesThatStay(t *testing.T) {
	big := map[string]foldstream.Frame{"pred": frameOf(t, 600<<10)}
	bad := map[string]foldstream.Frame{"pred": frameOf(t, 600<<10), "bad": {Times: make([]foldstream.Time, 1), Columns: []foldstream.Column{{Name: "x"}}}}
	for name, r := range map[string]*work.Runner{
		"no store": {Workers: handing(foldstream.Result{Frames: big})},
		"a bad":    {Artifacts: &blobs{}, Workers: handing(foldstream.Result{Frames: bad})}, // the pool says what is wrong
	} {
		p := queue(id("a"))
		drain(t, r, p)
		if e := p.one(t, "a"); e.how != "commit" || e.result.Frames["pred"].Len() == 0 || len(e.result.Artifacts) != 0 {
			t.Errorf("%s: %s, %v", name, e.how, e.result.Artifacts)
		}
	}
	p := queue(id("a"))
	drain(t, &work.Runner{Artifacts: &blobs{}, Workers: handing(foldstream.Result{Frames: big, Artifacts: []foldstream.Artifact{{Name: "pred"}}})}, p)
	if e := p.one(t, "a"); e.how != "fail" || !strings.Contains(text(e.why), `the frame "pred" is stored as an artifact`) {
		t.Errorf("%s: %v", e.how, e.why)
	}
}

// flaky is a store that is away for the first puts.
type flaky struct {
	blobs
	away int
}

func (f *flaky) Put(ctx context.Context, r io.Reader) (foldstream.Digest, int64, error) {
	if f.away--; f.away >= 0 {
		return "", 0, foldstream.Errorf(foldstream.Unavailable, "put", "no server")
	}
	return f.blobs.Put(ctx, r)
}

// Finished work outlives a store that is away for a while.
func TestLargeFrameWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{away: 5}
		big := frameOf(t, 600<<10)
		p := queue(id("a"))
		err := drain(t, &work.Runner{Artifacts: store, Workers: handing(foldstream.Result{Frames: map[string]foldstream.Frame{"pred": big}})}, p)["a"]
		e := p.one(t, "a")
		data := parquetOf(t, big)
		if err != nil || e.how != "commit" || len(e.result.Artifacts) != 1 || string(store.bytes[e.result.Artifacts[0].Digest]) != string(data) {
			t.Errorf("%v, %s, %v", err, e.how, e.result.Artifacts)
		}
	})
}

// The stage that follows finds the frames where the one before had put them.
func TestLargeFramesOfThePart(t *testing.T) {
	store := &blobs{}
	big, small := frameOf(t, 600<<10), frameOf(t, 1000)
	data, _ := big.MarshalBinary()
	good, _, _ := store.Put(t.Context(), strings.NewReader(string(parquetOf(t, big))))
	before, _, _ := store.Put(t.Context(), strings.NewReader(string(data)))
	junk, _, _ := store.Put(t.Context(), strings.NewReader("junk"))
	part := func(d foldstream.Digest, mediaType string) foldstream.Task {
		task := id("a")
		task.Part = &foldstream.Result{Frames: map[string]foldstream.Frame{"small": small},
			Artifacts: []foldstream.Artifact{{Name: "model", Digest: "x"}, {Name: "pred", Digest: d, Type: mediaType}}}
		return task
	}
	for name, c := range map[string]struct {
		store foldstream.Artifacts
		task  foldstream.Task
		how   string
		why   string
	}{
		"there":  {store, part(good, foldstream.FrameType), "commit", ""},
		"before": {store, part(before, "application/vnd.foldstream.frame"), "commit", ""},
		"gone":   {store, part(digest(nil), foldstream.FrameType), "return", `the part's frame "pred", digest`},
		"junk":   {store, part(junk, foldstream.FrameType), "fail", `the part's frame "pred": frame: cannot be read: it is no frame`},
		"away":   {&blobs{err: foldstream.Errorf(foldstream.Unavailable, "open", "no server")}, part(good, foldstream.FrameType), "return", ""},
		"nobody": {nil, part(good, foldstream.FrameType), "return", "not there"},
		"theirs": {store, part(good, "application/vnd.apache.parquet"), "return", "not there"}, // an artifact of the worker's own
	} {
		p := queue(c.task)
		var got foldstream.Result
		drain(t, &work.Runner{Artifacts: c.store, Workers: doing(func(_ context.Context, task foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
			got = *task.Part
			if len(got.Frames) != 2 {
				return foldstream.Result{}, errors.New("not there")
			}
			return foldstream.Result{}, nil
		})}, p)
		if e := p.one(t, "a"); e.how != c.how || !strings.Contains(text(e.why), c.why) || (c.why == "") != (e.why == nil) {
			t.Errorf("%s: %s: %v", name, e.how, e.why)
		}
		if c.how == "commit" {
			back, _ := got.Frames["pred"].MarshalBinary()
			if string(back) != string(data) || fmt.Sprint(got.Artifacts) != fmt.Sprint([]foldstream.Artifact{{Name: "model", Digest: "x"}}) {
				t.Errorf("%s: %v", name, got.Artifacts)
			}
		}
		if diff := cmp.Diff(2, len(c.task.Part.Artifacts)); diff != "" || len(c.task.Part.Frames) != 1 {
			t.Errorf("%s: the task's own part was changed", name)
		}
	}
}

// The error of an attempt says where its artifacts are, as there is no result that would.
func TestFailureKeepsItsArtifacts(t *testing.T) {
	for attempt, how := range map[int]string{1: "return", 3: "fail"} {
		task := id("a")
		task.Attempt = attempt
		p := queue(task)
		drain(t, &work.Runner{Artifacts: &blobs{}, Workers: doing(func(ctx context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
			if err := rec.Artifact(ctx, "exec.log", "text/plain", strings.NewReader("the log")); err != nil {
				return foldstream.Result{}, err
			}
			return foldstream.Result{}, foldstream.Errorf(foldstream.Failed, "", "broken")
		})}, p)
		e := p.one(t, "a")
		if want := "broken\nkept: exec.log sha256:" + string(digest([]byte("the log"))); e.how != how || !strings.HasSuffix(text(e.why), want) || !foldstream.Is(e.why, foldstream.Failed) {
			t.Errorf("%s: %v", e.how, e.why)
		}
	}
}
