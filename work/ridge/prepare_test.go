package ridge_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/work/cache"
	"github.com/foldstream/foldstream/work/ridge"
)

// Workers that share prepared features have the results of one that has none, to the last bit, and one piece between them.
func TestPreparedFeaturesChangeNothing(t *testing.T) {
	store, task := mem.New(mem.Options{}), dow30(t, 5)
	want := encoded(t, work(t, &ridge.Worker{}, task))
	sharing := func() *ridge.Worker {
		c, err := cache.Open(cache.Config{Store: store, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		return &ridge.Worker{Prepared: c}
	}
	if !bytes.Equal(want, encoded(t, work(t, sharing(), task))) {
		t.Error("who prepared the features has another result")
	}
	later := task.Clone()
	later.Data[0].Path = "nowhere.csv" // the features of this content are there: the file is not read
	later.Segments["test"] = foldstream.Segment{Start: foldstream.DateOf(2000, 2, 1), End: foldstream.DateOf(2000, 3, 31)}
	work(t, sharing(), later)
	later.Segments = task.Segments
	if !bytes.Equal(want, encoded(t, work(t, sharing(), later))) {
		t.Error("who found the features has another result")
	}
	pieces := 0
	for _, err := range store.Values(foldstream.Experiments).List(t.Context(), "=cache.") {
		if err != nil {
			t.Fatal(err)
		}
		pieces++
	}
	if pieces != 1 {
		t.Errorf("%d pieces", pieces)
	}
}

// A store that is away keeps nobody from working.
func TestPreparedIsAway(t *testing.T) {
	c, err := cache.Open(cache.Config{Store: away{mem.New(mem.Options{})}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&ridge.Worker{Prepared: c}).Work(t.Context(), dow30(t, 5), nil); err != nil {
		t.Error(err)
	}
}

type away struct{ *mem.Store }

func (a away) Values(bucket string) foldstream.Values { return awayValues{a.Store.Values(bucket)} }

type awayValues struct{ foldstream.Values }

func (awayValues) Get(context.Context, string) (foldstream.Value, error) {
	return foldstream.Value{}, foldstream.Errorf(foldstream.Unavailable, "", "nobody answers")
}
