package work_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// end is how a lease ended.
type end struct {
	how    string // "commit", "return", "fail"
	result foldstream.Result
	why    error
	after  time.Duration
	at     time.Time
}

// pool is a queue of tasks that are handed out once. Its ends are those that took effect.
type pool struct {
	foldstream.Pool
	mu      sync.Mutex
	tasks   []foldstream.Task
	fetched int
	ends    map[foldstream.TaskID][]end
	beats   []foldstream.Progress
	beaten  []time.Time
	fetch   func(n int) error // may fail the n-th fetch, from 1
	extend  func() error      // may fail an Extend
	store   func(how string) error
}

func queue(tasks ...foldstream.Task) *pool {
	for i := range tasks {
		if tasks[i].Attempt == 0 {
			tasks[i].Attempt = 1
		}
		if tasks[i].Worker == "" {
			tasks[i].Worker = "w"
		}
	}
	return &pool{tasks: tasks, ends: map[foldstream.TaskID][]end{}}
}

func (p *pool) Fetch(ctx context.Context, f foldstream.Filter) (foldstream.Lease, error) {
	p.mu.Lock()
	p.fetched++
	if p.fetch != nil {
		if err := p.fetch(p.fetched); err != nil {
			p.mu.Unlock()
			return nil, err
		}
	}
	if len(p.tasks) > 0 {
		t := p.tasks[0]
		p.tasks = p.tasks[1:]
		p.mu.Unlock()
		return &lease{p, t}, nil
	}
	p.mu.Unlock()
	select {
	case <-time.After(f.Wait):
	case <-ctx.Done():
	}
	return nil, foldstream.Errorf(foldstream.NotFound, "fetch", "nothing")
}

func (p *pool) one(t *testing.T, id foldstream.TaskID) end {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ends[id]) != 1 {
		t.Fatalf("task %s ended %d times: %v", id, len(p.ends[id]), p.ends[id])
	}
	return p.ends[id][0]
}

type lease struct {
	p *pool
	t foldstream.Task
}

func (l *lease) Task() foldstream.Task { return l.t.Clone() }

func (l *lease) Extend(_ context.Context, p foldstream.Progress) error {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.beats, l.p.beaten = append(l.p.beats, p), append(l.p.beaten, time.Now())
	if l.p.extend != nil {
		return l.p.extend()
	}
	return nil
}

func (l *lease) end(ctx context.Context, e end) error {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return foldstream.E(foldstream.Cancelled, e.how, err)
	}
	if l.p.store != nil {
		if err := l.p.store(e.how); err != nil {
			return err
		}
	}
	e.at = time.Now()
	l.p.ends[l.t.ID] = append(l.p.ends[l.t.ID], e)
	return nil
}

func (l *lease) Commit(ctx context.Context, r foldstream.Result) error {
	return l.end(ctx, end{how: "commit", result: r})
}

func (l *lease) Return(ctx context.Context, why error, after time.Duration) error {
	return l.end(ctx, end{how: "return", why: why, after: after})
}

func (l *lease) Fail(ctx context.Context, why error) error {
	return l.end(ctx, end{how: "fail", why: why})
}

// blobs are artifacts by content, each Open counted.
type blobs struct {
	foldstream.Artifacts
	mu    sync.Mutex
	bytes map[foldstream.Digest][]byte
	opens int
	err   error
	slow  time.Duration // of every Open
}

func (b *blobs) Put(_ context.Context, r io.Reader) (foldstream.Digest, int64, error) {
	data, err := io.ReadAll(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes == nil {
		b.bytes = map[foldstream.Digest][]byte{}
	}
	b.bytes[digest(data)] = data
	return digest(data), int64(len(data)), errors.Join(err, b.err)
}

func (b *blobs) Open(_ context.Context, d foldstream.Digest) (io.ReadCloser, error) {
	<-time.After(b.slow)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opens++
	if b.err != nil {
		return nil, b.err
	}
	data, ok := b.bytes[d]
	if !ok {
		return nil, foldstream.Errorf(foldstream.NotFound, "open", "no blob %s", d)
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func digest(data []byte) foldstream.Digest {
	h := sha256.Sum256(data)
	return foldstream.Digest(hex.EncodeToString(h[:]))
}

// doing makes a registry of one worker, "w".
func doing(f func(ctx context.Context, t foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error)) work.Registry {
	return work.Registry{"w": foldstream.WorkerFunc(f)}
}

func failing(err error) work.Registry {
	return doing(func(context.Context, foldstream.Task, foldstream.Recorder) (foldstream.Result, error) {
		return foldstream.Result{}, err
	})
}

// drain runs the runner until each task of the pool has ended an attempt, and returns what Done was told, by task.
func drain(t *testing.T, r *work.Runner, p *pool) map[foldstream.TaskID]error {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	told, open := map[foldstream.TaskID]error{}, len(p.tasks)
	var mu sync.Mutex
	r.Pool = p
	r.Done = func(task foldstream.Task, err error) {
		mu.Lock()
		defer mu.Unlock()
		if told[task.ID] = err; len(told) == open {
			stop()
		}
	}
	if err := r.Run(ctx); err != nil {
		t.Fatalf("Run: %v", err)
	}
	return told
}

func id(s string) foldstream.Task { return foldstream.Task{ID: foldstream.TaskID(s)} }
