package collect

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/foldstream/foldstream"
)

var membersFlag = flag.Int("members", 100_000, "how many members TestMembersAreSmall weighs")

// memberBytes is the most that a member may take for its coverage, besides the rows of open groups.
const memberBytes = 64

// A member takes no more than 64 bytes while nothing is there of its collection, and again once its group is closed.
func TestMembersAreSmall(t *testing.T) {
	const windows = 1000
	n := *membersFlag
	before := liveHeap()
	f := foldOf(t, n, windows)
	weigh := func(when string) {
		each := float64(liveHeap()-before) / float64(n)
		t.Logf("%s: %.1f bytes a member of %d", when, each, n)
		if each > memberBytes {
			t.Errorf("%s: %.1f bytes a member", when, each)
		}
	}
	weigh("nothing there")
	for i := range n {
		frame := foldstream.Frame{Times: []foldstream.Time{day(i % windows)}, Columns: []foldstream.Column{{Name: "score", Values: []float64{1}}}}
		r := &foldstream.Result{Metrics: map[string]float64{"ic": 0.5}, Code: "v1"}
		f.apply(foldstream.Event{Seq: foldstream.Cursor(i + 1), Task: numbered(i), Kind: foldstream.EventResult, Status: foldstream.Done, Result: r}, frame, "")
	}
	for _, g := range f.groups {
		value, _ := f.value(g)
		g.stored(value.Coverage)
	}
	if !f.closed() {
		t.Fatal("not all groups are closed")
	}
	weigh("all stored")
	if s := f.summary(true, false); s.Present != n || s.Codes["v1"] != n { // and f is alive till here
		t.Errorf("%d are present, %v", s.Present, s.Codes)
	}
}

// foldOf is a fold of n members in groups of so many windows.
func foldOf(t *testing.T, n, windows int) *fold {
	t.Helper()
	members := make([]foldstream.Expectation, n)
	for i := range members {
		at := day(i % windows)
		members[i] = foldstream.Expectation{
			Key:    foldstream.Key{{Name: "config", Value: fmt.Sprint(i / windows)}},
			Window: foldstream.Window{Index: i % windows, Of: windows}, Test: foldstream.Segment{Start: at, End: at}, Task: numbered(i),
		}
	}
	f, err := newFold(foldstream.Experiment{Name: "x", Pool: "x"}, members, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// numbered is the id of a number.
func numbered(n int) foldstream.TaskID {
	var key taskKey
	for i := range 8 {
		key[2*i] = byte(n >> (8 * i))
	}
	return key.id()
}

// liveHeap returns the bytes of memory that are in use, and not garbage.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}
