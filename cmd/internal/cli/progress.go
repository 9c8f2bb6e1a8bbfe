package cli

import (
	"cmp"
	"fmt"
	"io"
	"sync"
	"time"
)

// progress shows how far something is: a bar with what runs under it on a terminal, one line every 30 s elsewhere. It is safe for concurrent
// use.
type progress interface {
	set(done, failed, total int)
	running(tasks []runningTask) // told every tick
	expect(f forecast)           // what the tasks are expected to take, once that is known
	tick() time.Duration
	close()
}

// newProgress starts showing the progress of name on env's stderr.
func newProgress(env *Env, name string) progress {
	if env.TTY {
		return newBar(cmp.Or(env.Terminal, env.Stderr), name)
	}
	return &lines{w: env.Stderr, name: name, start: time.Now()}
}

// lines is progress where nobody watches: a line every 30 s.
type lines struct {
	w    io.Writer
	name string

	mu                  sync.Mutex
	start               time.Time
	first               int
	begun               bool
	done, failed, total int
	ahead               forecast
}

// lineEvery is how often a line is written.
const lineEvery = 30 * time.Second

func (l *lines) tick() time.Duration { return lineEvery }

func (l *lines) set(done, failed, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.begun {
		l.begun, l.first = true, done+failed
	}
	l.done, l.failed, l.total = done, failed, total
}

func (l *lines) running(tasks []runningTask) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.begun {
		return
	}
	fmt.Fprintf(l.w, "%s: %d/%d done, %d failed, %d running [%s]\n", l.name, l.done, l.total, l.failed, len(tasks),
		pace(time.Since(l.start), l.done+l.failed-l.first, l.total-l.done-l.failed, len(tasks), l.ahead))
}

func (l *lines) expect(f forecast) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ahead = f
}

func (l *lines) close() {}

// pace says how long it took, how long the rest will take, and the rate: "00:12<00:30, 12.5/s". How long the rest will take is known by experience;
// else, or while nobody works, by the rate.
func pace(elapsed time.Duration, done, left, running int, ahead forecast) string {
	eta, known := ahead.eta(left, running)
	if done <= 0 || elapsed <= 0 {
		if known {
			return clock(elapsed) + "<" + clock(eta)
		}
		return clock(elapsed) + "<?"
	}
	rate := float64(done) / elapsed.Seconds()
	if !known {
		eta = time.Duration(float64(left) / rate * float64(time.Second))
	}
	return fmt.Sprintf("%s<%s, %.1f/s", clock(elapsed), clock(eta), rate)
}

func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}
