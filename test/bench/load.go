package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// loading is what one size of load took. Times are of the work alone, memory is the most that each process had.
type loading struct {
	Tasks      int
	Create     float64 // tasks a second, 16 workers
	Drain      float64
	Producer   int64 // bytes
	Consumer   int64
	Aggregator int64 // the index that it keeps
	Server     int64
	Stored     int64 // on disk, when all are done
	Fill       time.Duration
	Stat       time.Duration
	Page       time.Duration // the first hundred tasks
	List       time.Duration // all of them
	Restart    time.Duration // after it was stopped
	Recover    time.Duration // after kill -9
}

// loads measures each size, each on a server of its own.
func loads(ctx context.Context, sizes string) error {
	fmt.Print("| tasks | created | drained | producer MiB | consumer MiB | aggregator MiB | server MiB | on disk MiB | index filled | count | first page | all listed | restart | after kill -9 |\n" +
		"|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for text := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("-load: %q is no number of tasks", text)
		}
		l, err := loadOne(ctx, n)
		if err != nil {
			return fmt.Errorf("%d tasks: %w", n, err)
		}
		fmt.Printf("| %s | %s/s | %s/s | %d | %d | %d | %d | %d | %v | %v | %v | %v | %v | %v |\n", thousands(n), thousands(int(l.Create)), thousands(int(l.Drain)),
			l.Producer>>20, l.Consumer>>20, l.Aggregator>>20, l.Server>>20, l.Stored>>20, brief(l.Fill), brief(l.Stat), brief(l.Page), brief(l.List), brief(l.Restart), brief(l.Recover))
	}
	return nil
}

// brief is a time in three digits.
func brief(d time.Duration) time.Duration {
	for unit := time.Microsecond; ; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
}

func loadOne(ctx context.Context, n int) (l loading, err error) {
	dir, err := os.MkdirTemp("", "bench-load-")
	if err != nil {
		return l, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // of a temporary folder
	s, err := startServer(ctx, serving{Dir: dir})
	if err != nil {
		return l, err
	}
	l.Tasks = n
	do := func(j job) (report, error) {
		fmt.Fprintf(os.Stderr, "%s tasks: %s\n", thousands(n), j.Do)
		j.URL, j.Tasks, j.Workers = s.url, n, base.Workers
		r, err := run(ctx, j, 1)
		if err == nil && r.Done != n {
			err = fmt.Errorf("%s: %d of %d tasks", j.Do, r.Done, n)
		}
		return r, err
	}
	made, err := do(job{Do: "create"})
	if err != nil {
		return l, err
	}
	drained, err := do(job{Do: "drain"})
	if err != nil {
		return l, err
	}
	seen, err := do(job{Do: "list"})
	if err != nil {
		return l, err
	}
	l.Create, l.Producer, l.Drain, l.Consumer, l.Aggregator = made.rate(), made.Peak, drained.rate(), drained.Peak, seen.Peak
	l.Fill, l.Stat, l.Page, l.List = seen.P50["fill"], seen.P50["stat"], seen.P50["page"], seen.P50["list"]
	if l.Server, err = peak(fmt.Sprint(s.cmd.Process.Pid)); err != nil {
		return l, err
	}
	if l.Stored, err = sizeOf(dir); err != nil {
		return l, err
	}
	return l, l.again(ctx, s, dir)
}

// again starts the server anew after it was stopped, and after it was killed.
func (l *loading) again(ctx context.Context, s *server, dir string) error {
	if err := s.end(); err != nil {
		return err
	}
	for _, took := range []*time.Duration{&l.Restart, &l.Recover} {
		began := time.Now()
		s, err := startServer(ctx, serving{Dir: dir})
		if err != nil {
			return err
		}
		*took = time.Since(began)
		if err := s.cmd.Process.Kill(); err != nil {
			return err
		}
		_ = s.end() // it was killed
	}
	return nil
}

func sizeOf(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

// list reads what people ask of a pool: how many tasks there are, the first page of them, and all, beside an index as an aggregator keeps one.
func (p *pool) list(ctx context.Context, n int) (r report, err error) {
	stop := p.serveIndex(ctx)
	defer stop()
	began := time.Now()
	if err := p.indexed(ctx); err != nil {
		return r, err
	}
	r.P50 = map[string]time.Duration{"fill": time.Since(began)}
	for _, c := range []struct {
		what  string
		times int
		call  func() error
	}{
		{"stat", 15, func() error { _, err := p.Stat(ctx); return err }},
		{"page", 15, func() error { _, err := p.read(ctx, min(n, 100)); return err }},
		{"list", 1, func() error { r.Done, err = p.read(ctx, n); return err }},
	} {
		if r.P50[c.what], err = timed(c.times, c.call); err != nil {
			return r, fmt.Errorf("%s: %w", c.what, err)
		}
	}
	return r, nil
}

// read lists so many tasks.
func (p *pool) read(ctx context.Context, most int) (n int, err error) {
	for _, err := range p.store.Tasks(ctx, "bench") {
		if err != nil {
			return n, err
		}
		if n++; n == most {
			break
		}
	}
	return n, nil
}
