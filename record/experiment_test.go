package record_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// is fails the test unless err is of the kind and has the words.
func is(t *testing.T, err error, kind foldstream.Kind, words string) {
	t.Helper()
	if !foldstream.Is(err, kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("%v is not %q, of kind %q", err, words, kind)
	}
}

var compareTimes = cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })

// members returns n members of the ids of their numbers, the last first.
func members(n int) []foldstream.Expectation {
	var all []foldstream.Expectation
	for i := n - 1; i >= 0; i-- {
		all = append(all, foldstream.Expectation{
			Key: foldstream.Key{{Name: "alpha", Value: "10"}}, Window: foldstream.Window{Index: i, Of: n},
			Test: foldstream.Segment{Start: foldstream.DateOf(2020, 1, 1+i), End: foldstream.DateOf(2020, 1, 1+i)}, Task: id(i),
		})
	}
	return all
}

func id(i int) foldstream.TaskID {
	return foldstream.TaskID(strings.Repeat("a", 24) + string(rune('a'+i/26)) + string(rune('a'+i%26)))
}

func TestCreateByManyAtOnce(t *testing.T) {
	store := mem.New(mem.Options{})
	var wg sync.WaitGroup
	made := make([]foldstream.Experiment, 100)
	for i := range made {
		wg.Go(func() {
			e, err := record.Create(t.Context(), store, "shared", now)
			if err != nil {
				t.Error(err)
			}
			made[i] = e
		})
	}
	wg.Wait()
	there, err := record.ReadExperiment(t.Context(), store, "shared")
	ok(t, err)
	if there.ID == "" || there.Name != "shared" || !there.Created.Equal(now) {
		t.Errorf("%+v", there)
	}
	for _, e := range made {
		if diff := cmp.Diff(there, e); diff != "" {
			t.Fatal(diff)
		}
	}
	_, err = record.Create(t.Context(), store, "a.b", now)
	is(t, err, foldstream.Invalid, "experiment")
}

// The same on JetStream, by stores with connections of their own, each of which begins free work in the experiment that none of them has made: all are in
// one, which is one of those that were made.
func TestStartByManyAtOnce(t *testing.T) {
	url := streamtest.Server(t).URL()
	stores := make([]record.Store, 8)
	for i := range stores {
		stores[i] = open(t, url)
	}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			err := record.Do(t.Context(), stores[i%len(stores)], "e", record.Options{Name: fmt.Sprint(i)}, func(context.Context, *record.Run) error { return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	eventually(t, func() error {
		all, err := list(t.Context(), stores[0], record.Query{Statuses: []record.Status{record.Finished}})
		if err == nil && len(all) != 100 {
			err = fmt.Errorf("%d of 100 are in the experiment", len(all))
		}
		return err
	})
	n := 0
	for _, err := range record.Experiments(t.Context(), stores[0]) {
		ok(t, err)
		n++
	}
	if n != 1 {
		t.Errorf("%d experiments were made", n)
	}
}

func TestPutTakesAnEmptyExperimentOver(t *testing.T) {
	store := mem.New(mem.Options{})
	free, err := record.Create(t.Context(), store, "e", now)
	ok(t, err)
	e := foldstream.Experiment{Name: "e", Pool: "p", Calendar: "c", Created: now.Add(time.Hour)}
	ok(t, record.CheckExperiment(t.Context(), store, e, members(3)))
	ok(t, record.PutExperiment(t.Context(), store, e, members(3), foldstream.DateOf(2020, 1, 2), foldstream.DateOf(2021, 1, 1)))
	full, err := record.ReadExperiment(t.Context(), store, "e")
	ok(t, err)
	if full.ID != free.ID || full.Pool != "p" || full.Expected != 3 || !full.Created.Equal(now) {
		t.Errorf("%+v", full)
	}
	list, sessions, err := record.Members(t.Context(), store, full)
	ok(t, err)
	if len(list) != 3 || list[0].Task != id(0) || len(sessions) != 1 {
		t.Errorf("%v, %v", list, sessions)
	}
	is(t, record.PutExperiment(t.Context(), store, e, members(2)), foldstream.Conflict, "other members")
	e.Pool = "q"
	is(t, record.CheckExperiment(t.Context(), store, e, members(3), foldstream.DateOf(2020, 1, 2)), foldstream.Conflict, "another pool (p)")
	again, err := record.Create(t.Context(), store, "e", now)
	if err != nil || again.ID != free.ID || again.Expected != 3 {
		t.Errorf("%+v, %v", again, err)
	}
}

// What older programs stored is read.
func TestStoredExperimentsAreRead(t *testing.T) {
	data, err := hex.DecodeString("920189a46e616d65a36f6c64a4706f6f6ca170a863616c656e646172a6633066666565a76d656d62657273a3616263a8657870656374656403aa636f6c6c65" +
		"6374696f6e87a56672616d65a0a573636f7265a173a56c6162656ca0a672657475726ea0a8656e73656d626c65a761766572616765a5746f705f6b03a463" +
		"6f7374cb3fe0000000000000a6706f6c696379a47761726ea6736f75726365a6652e79616d6ca763726561746564d7ff0000001469a40010")
	ok(t, err)
	e, alive, err := record.DecodeExperiment(foldstream.Value{Key: "old", Data: data})
	ok(t, err)
	want := foldstream.Experiment{
		Name: "old", Pool: "p", Calendar: "c0ffee", Members: "abc", Expected: 3, Policy: "warn", Source: "e.yaml", Created: now.Add(5),
		Collection: foldstream.CollectionSpec{Score: "s", Ensemble: "average", Portfolio: foldstream.PortfolioSpec{TopK: 3, Cost: 0.5}},
	}
	if diff := cmp.Diff(want, e); diff != "" || !alive {
		t.Error(diff)
	}
	data, err = hex.DecodeString("920182a76d656d626572739185a36b657992a5616c706861a23130a5696e64657801a26f6602a47465737492aa323032302d30312d3032a0a47461736ba461" +
		"616161a873657373696f6e7391aa323032302d30312d3033")
	ok(t, err)
	store := mem.New(mem.Options{})
	e.Members, _, err = store.Artifacts().Put(t.Context(), strings.NewReader(string(data)))
	ok(t, err)
	list, sessions, err := record.Members(t.Context(), store, e)
	ok(t, err)
	diff := cmp.Diff([]foldstream.Expectation{{
		Key: foldstream.Key{{Name: "alpha", Value: "10"}}, Window: foldstream.Window{Index: 1, Of: 2},
		Test: foldstream.Segment{Start: foldstream.DateOf(2020, 1, 2)}, Task: "aaaa",
	}}, list, compareTimes) + cmp.Diff([]foldstream.Time{foldstream.DateOf(2020, 1, 3)}, sessions, compareTimes)
	if diff != "" {
		t.Error(diff)
	}
}

func TestExperimentsInOrder(t *testing.T) {
	store := mem.New(mem.Options{})
	for _, name := range []string{"b", "a", "c"} {
		_, err := record.Create(t.Context(), store, name, now)
		ok(t, err)
	}
	_, err := store.Values(foldstream.Experiments).Put(t.Context(), foldstream.Value{Key: "a.x", Data: []byte("no experiment")})
	ok(t, err)
	var names []string
	for e, err := range record.Experiments(t.Context(), store) {
		ok(t, err)
		names = append(names, e.Name)
	}
	if fmt.Sprint(names) != "[a b c]" {
		t.Error(names)
	}
	_, err = record.ReadExperiment(t.Context(), store, "d")
	is(t, err, foldstream.NotFound, `no experiment "d"`)
}

// away is a store whose server does not answer.
type away struct{ foldstream.Store }

var errAway = foldstream.Errorf(foldstream.Unavailable, "put", "no server")

func (a away) Values(bucket string) foldstream.Values { return awayValues{a.Store.Values(bucket)} }

type awayValues struct{ foldstream.Values }

func (awayValues) Put(context.Context, foldstream.Value) (uint64, error) { return 0, errAway }

func TestCreateTellsOfAStoreThatIsAway(t *testing.T) {
	_, err := record.Create(t.Context(), away{mem.New(mem.Options{})}, "e", now)
	if !errors.Is(err, errAway) {
		t.Error(err)
	}
}

// An experiment that is revised, or renewed, goes on with its life and keeps what it was.
func TestRevise(t *testing.T) {
	store, ctx := mem.New(mem.Options{}), t.Context()
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	e := func(hours int) foldstream.Experiment {
		return foldstream.Experiment{Name: "e", Pool: "p", Created: at(hours)}
	}
	read := func() foldstream.Experiment {
		t.Helper()
		e, err := record.ReadExperiment(ctx, store, "e")
		ok(t, err)
		return e
	}
	ok(t, record.ReviseExperiment(ctx, store, e(0), members(2))) // there is none yet
	first := read()
	is(t, record.PutExperiment(ctx, store, e(1), members(3)), foldstream.Conflict, "revise it")
	is(t, record.CheckExperiment(ctx, store, e(1), members(3)), foldstream.Conflict, "revise it")
	ok(t, record.CheckRevision(ctx, store, e(1), members(3)))
	if diff := cmp.Diff(first, read()); diff != "" {
		t.Error("what was refused or only looked at changed it", diff)
	}
	ok(t, record.ReviseExperiment(ctx, store, e(1), members(3)))
	ok(t, record.ReviseExperiment(ctx, store, e(2), members(3))) // changes nothing
	ok(t, record.Renew(ctx, store, "e", at(3)))
	ok(t, record.Renew(ctx, store, "none", at(3)))
	last := read()
	if last.ID != first.ID || !last.Created.Equal(first.Created) || last.Expected != 3 || last.Round() != 2 {
		t.Errorf("it became %+v", last)
	}
	for hours, want := range map[int]int{0: 0, 1: 1, 2: 1, 3: 2, 9: 2} {
		then := last.At(at(hours))
		if expected := min(2+want, 3); then.Round() != want || then.Expected != expected || (then.Members == first.Members) != (want == 0) {
			t.Errorf("after %d hours it was of round %d and had %d members", hours, then.Round(), then.Expected)
		}
	}
	other := e(4)
	other.Pool = "q"
	is(t, record.ReviseExperiment(ctx, store, other, members(3)), foldstream.Conflict, "pool")
	replay := e(4)
	replay.Replay.Of = "x"
	is(t, record.CheckRevision(ctx, store, replay, members(4)), foldstream.Conflict, "members")
}
