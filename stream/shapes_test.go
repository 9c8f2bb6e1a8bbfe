package stream

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foldstream/foldstream"
)

// fullTask has every field that is stored.
func fullTask() foldstream.Task {
	t := sampleTask()
	t.Data = append(t.Data, foldstream.Data{Path: "/data/a.csv", Size: -1}, foldstream.Data{})
	t.Retry.Ceiling, t.Retry.Never, t.Retry.Always = time.Hour, []string{"exit:1"}, []string{"signal:9", ""}
	t.Silence, t.Keys, t.NotBefore = time.Millisecond, []string{"gpu"}, time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)
	t.Replaces, t.Leak.Notes, t.Leak.Calendar, t.Leak.Reach, t.Leak.Certified = "bbbbbbbbbbbbbbbbbbbbbbbbbb", []string{"n"}, "c", foldstream.Ahead(0), true
	t.Tags["long"] = string(bytes.Repeat([]byte("x"), 300))
	for _, n := range []int{-1 << 40, -32769, -129, -33, -32, 0, 127} {
		t.Task[string(rune('A'+len(t.Task)))] = n
	}
	many := make([]any, 20)
	for i := range many {
		many[i] = map[string]any{"i": float64(i)}
	}
	t.Task["many"] = many
	return t
}

func fullResult() foldstream.Result {
	return foldstream.Result{
		Metrics: map[string]float64{"ic": math.NaN(), "ir": math.Inf(-1), "zero": 0}, Params: map[string]string{"a": "b"}, Tags: map[string]string{"": ""},
		Frames: map[string]foldstream.Frame{"pred": {
			Times: []foldstream.Time{foldstream.DateOf(2020, 1, 2)}, Instruments: []string{"A"},
			Columns: []foldstream.Column{{Name: "score", Values: []float64{math.NaN()}}},
		}, "none": {}},
		Artifacts: []foldstream.Artifact{{Name: "log", Digest: "d", Size: 3, Type: "text/plain"}, {}},
		Series:    foldstream.Series{{Metric: "loss", Step: 3, Value: 1, At: time.UnixMilli(5).UTC()}, {}},
		Code:      "c", Worker: "w", Duration: time.Second, Data: "d", Environment: "e",
	}
}

// TestShapes_HaveEveryField walks the structs: a field that is added to one and not to its shape would be lost in the store.
func TestShapes_HaveEveryField(t *testing.T) {
	haveFields(t, taskShape, "Stage", "Attempt", "Run", "Part")
	haveFields(t, resultShape)
	haveFields(t, segmentShape)
	haveFields(t, choiceShape)
	haveFields(t, windowShape)
	haveFields(t, reachShape)
	haveFields(t, leakShape)
	haveFields(t, dataShape)
	haveFields(t, retryShape)
	haveFields(t, artifactShape)
}

func haveFields[T any](t *testing.T, s shape[T], without ...string) {
	var want, got []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if !f.Anonymous && !slices.Contains(without, f.Name) {
			want = append(want, f.Name)
		}
	}
	for _, f := range s {
		got = append(got, f.name)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the shape of %v: %s", reflect.TypeFor[T](), d)
	}
}

// TestShapes_AreTheLibrarys writes and reads by shape and by the library: each must take the other's bytes for the same.
func TestShapes_AreTheLibrarys(t *testing.T) {
	for _, full := range []bool{true, false} {
		for i := range reflect.TypeFor[foldstream.Task]().NumField() {
			task := with(fullTask(), i, full)
			task.Stage, task.Attempt, task.Run, task.Part = "", 0, "", nil
			sameBytes(t, &task, taskShape)
		}
		for i := range reflect.TypeFor[foldstream.Template]().NumField() {
			task := fullTask()
			task.Template = with(task.Template, i, full)
			sameBytes(t, &task, taskShape)
		}
		for i := range reflect.TypeFor[foldstream.Result]().NumField() {
			result := with(fullResult(), i, full)
			sameBytes(t, &result, resultShape)
		}
	}
}

// with returns v with all fields but one, or with this one alone.
func with[T any](v T, i int, all bool) T {
	var some T
	from, to := reflect.ValueOf(&some).Elem(), reflect.ValueOf(&v).Elem()
	if !all {
		from, to = to, from
	}
	to.Field(i).Set(from.Field(i))
	if all {
		return v
	}
	return some
}

func sameBytes[T any](t *testing.T, v *T, s shape[T]) {
	t.Helper()
	theirs, err := encode(v)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := body(func(w *writer) { s.write(w, v) })
	if err != nil {
		t.Fatal(err)
	}
	same := cmp.Options{cmpopts.EquateNaNs(), cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })}
	read, err := unpack(theirs, s)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := decode(ours, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(read, &back, same); d != "" {
		t.Errorf("theirs read by us, ours by them: %s", d)
	}
	slices.Sort(ours) // theirs have maps of structs in no order
	if slices.Sort(theirs); !bytes.Equal(ours, theirs) {
		t.Errorf("%d bytes of ours, %d of theirs, for %+v", len(ours), len(theirs), v)
	}
}

// Equal definitions have equal bytes, whatever the order of the maps.
func TestShapes_AreInOrder(t *testing.T) {
	first, err := encodeTask(new(fullTask()))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, err := encodeTask(new(fullTask())); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("other bytes, %v", err)
		}
	}
}
