package cli

import (
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bar is a progress bar with rate, time left and failures, and under it what runs.
type bar struct {
	container *mpb.Progress
	bar       *mpb.Bar
	failed    atomic.Int64
	first     atomic.Int64 // done before the bar began: they say nothing of the rate; −1 is not known yet
	start     time.Time
	count     atomic.Int64                  // tasks that run
	tasks     atomic.Pointer[[]runningTask] // of them, those that run long enough to be shown
	ahead     atomic.Pointer[forecast]
}

// shownTasks is how many of the running tasks are shown: with the bar itself less than a screen.
const shownTasks = 10

func newBar(w io.Writer, name string) *bar {
	b := &bar{container: mpb.New(mpb.WithOutput(w), mpb.WithWidth(64)), start: time.Now()}
	b.first.Store(-1)
	b.tasks.Store(&[]runningTask{})
	b.ahead.Store(&forecast{})
	below := make([]mpb.BarFiller, shownTasks+1)
	for i := range below {
		below[i] = mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
			_, err := io.WriteString(w, b.below(i, s.AvailableWidth))
			return err
		})
	}
	b.bar = b.container.New(0, mpb.BarStyle().Lbound("|").Filler("█").Tip("█").Padding(" ").Rbound("|"),
		mpb.PrependDecorators(decor.Name(name+" "), decor.Percentage(decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d"), decor.Any(b.status)),
		mpb.BarBtmExtender(below...))
	return b
}

func (b *bar) tick() time.Duration { return time.Second }

// status is called by the bar's own goroutine with what it was last set to.
func (b *bar) status(s decor.Statistics) string {
	text := pace(time.Since(b.start), int(s.Current)-int(s.Refill), int(s.Total-s.Current), int(b.count.Load()), *b.ahead.Load())
	if n := b.count.Load(); n > 0 {
		text += fmt.Sprintf(", run=%d", n)
	}
	if n := b.failed.Load(); n > 0 {
		text += fmt.Sprintf(", fail=%d", n)
	}
	return " [" + text + "]"
}

// below is the i-th line under the bar, "" where there is none.
func (b *bar) below(i, width int) string {
	tasks := *b.tasks.Load()
	switch {
	case i < min(len(tasks), shownTasks):
		return cut(tasks[i].line(time.Now()), width) + "\n"
	case i == shownTasks && len(tasks) > shownTasks:
		return fmt.Sprintf("  … and %d more\n", len(tasks)-shownTasks)
	}
	return ""
}

func (b *bar) set(done, failed, total int) {
	if b.first.CompareAndSwap(-1, int64(done+failed)) {
		b.bar.SetRefill(int64(done + failed))
	}
	b.failed.Store(int64(failed))
	b.bar.SetTotal(int64(total), false)
	b.bar.SetCurrent(int64(done + failed))
}

func (b *bar) running(tasks []runningTask) {
	b.count.Store(int64(len(tasks)))
	now := time.Now()
	tasks = slices.DeleteFunc(tasks, func(t runningTask) bool { return now.Sub(t.Since) < settled })
	b.tasks.Store(&tasks)
}

func (b *bar) expect(f forecast) { b.ahead.Store(&f) }

func (b *bar) close() {
	b.tasks.Store(&[]runningTask{})
	b.bar.Abort(false)
	b.container.Wait()
}
