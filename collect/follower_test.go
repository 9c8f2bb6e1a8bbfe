package collect

import (
	"log/slog"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
)

// A follower has folded all that was sent before it is told that there is no more, however far the reader is ahead: a value of a piece of
// history would say that members are gone which are there.
func TestFollowerCaughtUp(t *testing.T) {
	members := []foldstream.Expectation{{Task: "a"}, {Window: foldstream.Window{Index: 1}, Task: "b"}}
	l := (&Aggregator{Store: mem.New(mem.Options{})}).leader()
	fold, err := newFold(foldstream.Experiment{Name: "x", Pool: "x"}, members, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := newFollower(l, "x")
	k := &keeper{leader: l, log: slog.New(slog.DiscardHandler), fold: fold}
	f.open["x"], f.events = k, make(chan foldstream.Event, readAhead)
	for i, m := range members {
		f.events <- foldstream.Event{Seq: foldstream.Cursor(i + 1), Task: m.Task, Kind: foldstream.EventEnd, Status: foldstream.Dead}
	}
	f.caughtUp(t.Context())
	if s := fold.summary(false, false); !k.ready || s.Failed != 2 || fold.seen != 2 {
		t.Errorf("ready %t, %+v", k.ready, s)
	}
}
