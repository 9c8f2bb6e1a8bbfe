package stream_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

var sizes = flag.String("sizes", "1000,10000,100000", "how many tasks the pools of BenchmarkIndex have")

// BenchmarkIndex has a pool half of whose tasks are done, on a server in a process of its own, over TCP: how soon the index is filled, and
// how long questions take with and without it. Medians, in ms.
func BenchmarkIndex(b *testing.B) {
	for _, text := range strings.Split(*sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) { benchIndex(b, n) })
	}
}

func benchIndex(b *testing.B, n int) {
	url := streamtest.ServerProcess(b, b.TempDir()).URL()
	s, other := open(b, url, stream.Config{Patience: time.Minute}), open(b, url, stream.Config{Patience: time.Minute})
	for from := 0; from < n; from += 10_000 {
		tasks := streamtest.Tasks(from, min(10_000, n-from))
		if _, err := s.Pool("p").Create(b.Context(), tasks...); err != nil {
			b.Fatal(err)
		}
		var ids []foldstream.TaskID
		for _, t := range tasks[:len(tasks)/2] {
			ids = append(ids, t.ID)
		}
		if err := s.Finish(b.Context(), "p", ids...); err != nil {
			b.Fatal(err)
		}
	}
	ask := func(name string, times int, do func() error) {
		var took []time.Duration
		for range times {
			begin := time.Now()
			if err := do(); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(begin))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, name)
	}
	stat := func() error { _, err := other.Pool("p").Stat(b.Context()); return err }
	page := func(q foldstream.TaskQuery) func() error {
		return func() error {
			k := 0
			for _, err := range other.Page(b.Context(), "p", q) {
				if err != nil {
					return err
				}
				k++
			}
			if k != q.Limit {
				return fmt.Errorf("%d tasks", k)
			}
			return nil
		}
	}
	all := foldstream.TaskQuery{Limit: 100}
	late := foldstream.TaskQuery{Limit: 100, After: streamtest.Task(n*9/10 - 1).ID}
	done := foldstream.TaskQuery{Limit: 100, After: streamtest.Task(n / 10).ID, Statuses: []foldstream.Status{foldstream.Done}}
	one := func() error { _, err := other.Task(b.Context(), "p", streamtest.Task(n/2).ID); return err }
	for b.Loop() {
		ask("ms-read-stat", 3, stat)
		ask("ms-read-page", 3, page(all))
		ask("ms-read-late", 3, page(late))
		ctx, stop := context.WithCancel(b.Context())
		ended, begin := make(chan error, 1), time.Now()
		go func() { ended <- s.ServeIndex(ctx) }()
		for answered := false; !answered; _, answered = other.AskStat(b.Context(), "p") {
			<-time.After(time.Millisecond)
		}
		b.ReportMetric(float64(time.Since(begin).Milliseconds()), "ms-fill")
		rss, _ := os.ReadFile("/proc/self/status")
		for line := range strings.Lines(string(rss)) {
			if strings.HasPrefix(line, "VmRSS") {
				b.Log(line)
			}
		}
		ask("ms-stat", 300, stat)
		ask("ms-page", 50, page(all))
		ask("ms-late", 50, page(late))
		ask("ms-done", 50, page(done))
		ask("ms-task", 100, one)
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}
