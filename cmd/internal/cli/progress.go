package cli

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows how far an experiment is: a bar on a terminal, one line every 30 s elsewhere.
type progress interface {
	set(done, failed, total int)
	close()
}

// newProgress starts showing the progress of name on env's stderr.
func newProgress(env *Env, name string) progress {
	if env.TTY {
		return newBar(env.Stderr, name)
	}
	return &lines{w: env.Stderr, name: name, start: time.Now(), last: time.Now()}
}

// bar is a progress bar with rate, time left and failures.
type bar struct {
	container *mpb.Progress
	bar       *mpb.Bar
	failed    atomic.Int64
	first     int // done before the bar began: they say nothing of the rate
	start     time.Time
}

func newBar(w io.Writer, name string) *bar {
	b := &bar{container: mpb.New(mpb.WithOutput(w), mpb.WithWidth(64)), start: time.Now(), first: -1}
	b.bar = b.container.New(0, mpb.BarStyle().Lbound("|").Filler("█").Tip("█").Padding(" ").Rbound("|"),
		mpb.PrependDecorators(decor.Name(name+" "), decor.Percentage(decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d"), decor.Any(b.status)))
	return b
}

// status is called by the bar's own goroutine with what it was last set to.
func (b *bar) status(s decor.Statistics) string {
	text := pace(time.Since(b.start), int(s.Current)-int(s.Refill), int(s.Total-s.Current))
	if n := b.failed.Load(); n > 0 {
		text += fmt.Sprintf(", fail=%d", n)
	}
	return " [" + text + "]"
}

func (b *bar) set(done, failed, total int) {
	if b.first < 0 {
		b.first = done
		b.bar.SetRefill(int64(done))
	}
	b.failed.Store(int64(failed))
	b.bar.SetTotal(int64(total), false)
	b.bar.SetCurrent(int64(done + failed))
}

func (b *bar) close() {
	b.bar.Abort(false)
	b.container.Wait()
}

// lines is progress where nobody watches: a line every 30 s.
type lines struct {
	w     io.Writer
	name  string
	start time.Time
	last  time.Time
	first int
	begun bool
}

// lineEvery is how often a line is written.
const lineEvery = 30 * time.Second

func (l *lines) set(done, failed, total int) {
	if !l.begun {
		l.begun, l.first = true, done
	}
	if time.Since(l.last) < lineEvery {
		return
	}
	l.last = time.Now()
	fmt.Fprintf(l.w, "%s: %d/%d done, %d failed [%s]\n", l.name, done, total, failed, pace(time.Since(l.start), done+failed-l.first, total-done-failed))
}

func (l *lines) close() {}

// pace says how long it took, how long the rest will take, and the rate: "00:12<00:30, 12.5/s".
func pace(elapsed time.Duration, done, left int) string {
	if done <= 0 || elapsed <= 0 {
		return clock(elapsed) + "<?"
	}
	rate := float64(done) / elapsed.Seconds()
	eta := time.Duration(float64(left) / rate * float64(time.Second))
	return fmt.Sprintf("%s<%s, %.1f/s", clock(elapsed), clock(eta), rate)
}

func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}
