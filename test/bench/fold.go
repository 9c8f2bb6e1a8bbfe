package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// folding is what a child does with one collection of so many members: "fill" makes its tasks, "work" gives all but one a result, "read"
// reads the events and does nothing, and "fold" runs an aggregator until it has folded as many members as are done.
type folding struct {
	Do      string
	URL     string
	Members int
	Done    int // for fold
	Workers int
	Large   bool   // its definitions take bodySize
	Profile string // file for a CPU profile; "" is none
}

// folded is what came of it.
type folded struct {
	Seconds float64
	Heap    int64 // live bytes that a collection of so many members takes, after fold
	Peak    int64 // bytes of memory of the process, at most
}

const windowsOfGroup = 1000

// foldings measures the aggregator beside a reader of the same events that does nothing, on servers and clients of their own.
func foldings(ctx context.Context, members, workers, rounds int, profiles string) error {
	s, err := startServer(ctx, serving{})
	if err != nil {
		return err
	}
	step := func(do string, done int) (folded, error) {
		f := folding{Do: do, URL: s.url, Members: members, Done: done, Workers: workers}
		if profiles != "" {
			f.Profile = filepath.Join(profiles, "fold-"+do+".pprof")
		}
		return spawnFold(ctx, f)
	}
	made, err := step("fill", 0)
	if err != nil {
		return err
	}
	open, err := step("fold", 0)
	if err != nil {
		return err
	}
	worked, err := step("work", 0)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s members: created in %.1f s, worked in %.1f s\n", thousands(members), made.Seconds, worked.Seconds)
	var reads, folds []float64
	var last folded
	for range rounds {
		read, err := step("read", 0)
		if err != nil {
			return err
		}
		if last, err = step("fold", members-1); err != nil {
			return err
		}
		reads, folds = append(reads, float64(members)/read.Seconds), append(folds, float64(members)/last.Seconds)
	}
	fmt.Print("| results | read and dropped | folded | ratio | bytes a member, none there | all but one there | aggregator at most | rounds |\n|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	fmt.Printf("| %s | %s/s | %s/s | %.2f | %d | %d | %d MiB | %d |\n", thousands(members), thousands(int(median(reads))), thousands(int(median(folds))),
		median(folds)/median(reads), open.Heap/int64(members), last.Heap/int64(members), last.Peak>>20, rounds)
	return s.end()
}

// spawnFold has a child do it.
func spawnFold(ctx context.Context, f folding) (out folded, err error) {
	text, err := json.Marshal(f)
	if err != nil {
		return out, err
	}
	p, err := spawn(ctx, "-role", "fold", "-job", string(text))
	if err != nil {
		return out, err
	}
	if err := json.NewDecoder(p.out).Decode(&out); err != nil {
		return out, fmt.Errorf("%s: %w", f.Do, err)
	}
	return out, p.end()
}

// do does it and prints what came of it.
func (f folding) do(ctx context.Context) error {
	nc, err := nats.Connect(f.URL)
	if err != nil {
		return err
	}
	defer nc.Close()
	store, err := stream.Open(ctx, nc, stream.Config{Patience: time.Minute})
	if err != nil {
		return err
	}
	stop, err := profile(f.Profile)
	if err != nil {
		return err
	}
	defer stop()
	var out folded
	begin := time.Now()
	switch f.Do {
	case "fill":
		err = f.fill(ctx, store)
	case "work":
		err = f.work(ctx, store)
	case "read":
		err = f.read(ctx, store)
	case "fold":
		out, err = f.fold(ctx, store)
	}
	if out.Seconds == 0 {
		out.Seconds = time.Since(begin).Seconds()
	}
	if err == nil {
		out.Peak, err = peak("self")
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(out)
	}
	return err
}

const foldPool = "fold"

// place is that of the i-th member.
func (f folding) place(i int) (foldstream.Key, foldstream.Window, foldstream.Segment) {
	w := i % windowsOfGroup
	day := foldstream.DateOf(2000, 1, 1+w)
	return foldstream.Key{{Name: "config", Value: fmt.Sprint(i / windowsOfGroup)}}, foldstream.Window{Index: w, Of: windowsOfGroup}, foldstream.Segment{Start: day, End: day}
}

func (f folding) fill(ctx context.Context, store *stream.Store) error {
	const chunk = 10_000
	members := make([]foldstream.Expectation, 0, f.Members)
	for from := 0; from < f.Members; from += chunk {
		made := f.tasks(from, min(chunk, f.Members-from))
		for i := range made {
			t := &made[i]
			t.Key, t.Window, t.Segments["test"] = f.place(from + i)
			members = append(members, foldstream.Expectation{Key: t.Key, Window: t.Window, Test: t.Segments["test"], Task: t.ID})
		}
		if _, err := store.Pool(foldPool).Create(ctx, made...); err != nil {
			return err
		}
	}
	sessions, _, err := store.Artifacts().Put(ctx, strings.NewReader(f.sessions()))
	if err != nil {
		return err
	}
	return record.PutExperiment(ctx, store, foldstream.Experiment{Name: foldPool, Pool: foldPool, Calendar: string(sessions)}, members)
}

// sessions is the calendar that the windows are on.
func (f folding) sessions() string {
	var text strings.Builder
	for i := range windowsOfGroup {
		_, _, test := f.place(i)
		fmt.Fprintln(&text, test.Start)
	}
	return text.String()
}

func (f folding) tasks(from, n int) []foldstream.Task {
	if f.Large {
		return tasks(from, n)
	}
	return streamtest.Tasks(from, n)
}

func (f folding) work(ctx context.Context, store *stream.Store) error {
	left := make(chan struct{}, f.Members)
	for range f.Members - 1 {
		left <- struct{}{}
	}
	close(left)
	r, err := spread(f.Workers, func(done func()) error {
		for range left {
			l, err := store.Pool(foldPool).Fetch(ctx, foldstream.Filter{Wait: time.Minute})
			if err == nil {
				err = l.Commit(ctx, small(l.Task()))
			}
			if err != nil {
				return err
			}
			done()
		}
		return nil
	})
	if err == nil && r.Done != f.Members-1 {
		err = fmt.Errorf("%d of %d tasks were worked", r.Done, f.Members-1)
	}
	return err
}

// small is a result of a metric and a frame of one row.
func small(t foldstream.Task) foldstream.Result {
	return foldstream.Result{
		Metrics: map[string]float64{"ic": 0.05}, Worker: "bench", Code: "0",
		Frames: map[string]foldstream.Frame{"pred": {
			Times: []foldstream.Time{t.Segments["test"].Start}, Instruments: []string{"A"},
			Columns: []foldstream.Column{{Name: "score", Values: []float64{1}}, {Name: "label", Values: []float64{2}}},
		}},
	}
}

func (f folding) read(ctx context.Context, store *stream.Store) error {
	results := 0
	for ev, err := range store.Events(ctx, foldstream.EventFilter{Pool: foldPool}, 0) {
		if err != nil {
			return err
		}
		if ev.Kind == foldstream.EventResult && ev.Result != nil {
			results++
		}
	}
	if results != f.Members-1 {
		return fmt.Errorf("%d of %d results were read", results, f.Members-1)
	}
	return nil
}

// fold runs an aggregator on what is there, from the moment it leads, and weighs what it keeps.
func (f folding) fold(ctx context.Context, store *stream.Store) (out folded, err error) {
	if err := forget(ctx, store); err != nil {
		return out, err
	}
	before := live()
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	begin := time.Now()
	go func() { ended <- (&collect.Aggregator{Store: store}).Run(ctx) }()
	for s, watchErr := range collect.Watch(ctx, store, foldPool) {
		if err = watchErr; err != nil || s.Present >= f.Done {
			break
		}
	}
	out.Seconds = time.Since(begin).Seconds()
	if err == nil {
		out.Heap = live() - before
	}
	stop()
	return out, errors.Join(err, <-ended)
}

// forget deletes what is stored of the collection, so that it is folded from nothing.
func forget(ctx context.Context, store *stream.Store) error {
	values := store.Values(foldstream.Collections)
	for v, err := range values.List(ctx, "") {
		if err == nil {
			err = values.Delete(ctx, v.Key, v.Revision)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// live returns the bytes of memory that are in use, and not garbage.
func live() int64 {
	runtime.GC()
	runtime.GC() // what finalizers held
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}
