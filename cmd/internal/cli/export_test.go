package cli

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// What the tests reach for past the command line.
var (
	CompileWhere = compileWhere
	ParseConfig  = parseConfig
	Keeps        = keeps
	Ordered      = ordered

	HideInURLs     = hideInURLs
	WithoutSecrets = withoutSecrets
	CheckAddress   = checkAddress
)

// Vary applies overrides as -S has them.
func Vary(t foldstream.Template, texts ...string) ([]foldstream.Template, error) {
	overrides, err := Overrides{texts}.parse()
	if err != nil {
		return nil, err
	}
	return vary(t, overrides)
}

// ParseOverride returns the values of an override.
func ParseOverride(text string) ([]any, error) {
	o, err := parseOverride(text)
	return o.values, err
}

// RunningLine writes a running task as it stands under the bar.
func RunningLine(name string, t foldstream.InHand, now time.Time) string {
	return runningTask{t, name}.line(now)
}

// Observed returns the names of what runs in a pool.
func Observed(ctx context.Context, index foldstream.Index, pool string) (names []string, err error) {
	tasks, err := observer{index, pool, map[foldstream.TaskID]string{}}.tasks(ctx)
	for _, t := range tasks {
		names = append(names, t.name)
	}
	return names, err
}

// Pace is how a progress says how long the tasks of a pool will take, when so many are done and left and run.
func Pace(ctx context.Context, store foldstream.Store, pool string, elapsed time.Duration, done, left, running int) (string, error) {
	ahead, err := forecastOf(ctx, store, pool)
	return pace(elapsed, done, left, running, ahead), err
}

// Plain is what a terminal is written to through.
func Plain(w io.Writer) io.Writer { return &plain{w: w} }

// Expected returns how long a task is expected to take by the results of a pool, and how many these are.
func Expected(ctx context.Context, store foldstream.Newest, pool string, past []foldstream.Task, t foldstream.Task) (time.Duration, int, error) {
	h, err := historyOf(ctx, store, past, pool)
	if err != nil {
		return 0, 0, err
	}
	c := h.cost([]foldstream.Task{t})
	return c.Work, c.Results, nil
}

// Straggling is what a consumer of the name finds in a pool.
func Straggling(store foldstream.Store, pool, own string, times float64) func(context.Context, foldstream.Filter) (foldstream.Lease, error) {
	return newStragglers(store.(straggled), pool, own, times, slog.New(slog.DiscardHandler)).second
}

// ToldOfChaos is what chaos prints of these findings.
func ToldOfChaos(findings []string) string {
	var b strings.Builder
	told := chaosTold{Findings: findings}
	told.print(&b)
	return b.String()
}
