package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/chaos"
	"github.com/foldstream/foldstream/stream"
)

// chaosPool is the pool that chaos disturbs, past the disturbance.
type chaosPool struct {
	*stream.Store
	plan *plan
	bar  progress
}

// askTime is how long the server may take to answer while it is disturbed.
const askTime = 2 * time.Second

func (c *chaosPool) Done(ctx context.Context) (over, open int, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	counts, err := c.Pool(c.plan.Experiment.Pool).Stat(ctx)
	over = counts[foldstream.Done] + counts[foldstream.Dead]
	if err == nil {
		c.bar.set(counts[foldstream.Done], counts[foldstream.Dead], len(c.plan.Tasks))
	}
	return over, len(c.plan.Tasks) - over, err
}

func (c *chaosPool) LoseTicket(ctx context.Context, at float64) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return c.Store.LoseTicket(ctx, c.plan.Experiment.Pool, at)
}

func (c *chaosPool) Leader(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return c.Store.Leader(ctx)
}

// chaosTold is what a run tells.
type chaosTold struct {
	chaos.Report
	Tasks    int      `json:"tasks"`
	Attempts int      `json:"attempts"`
	Seconds  float64  `json:"seconds"`
	Findings []string `json:"findings"` // what should not have come of it: none; null where it came to no judgement
	Dir      string   `json:"dir,omitempty"`
}

// print tells people.
func (t chaosTold) print(w io.Writer) {
	fmt.Fprintf(w, "seed %d: %d faults in %.0f s\n\n", t.Seed, t.All.Count, t.Seconds)
	rows := newTable(w, "fault", "times", "measured", "median s", "max s")
	rightFrom(rows, 2, 5)
	for _, kind := range slices.Sorted(maps.Keys(t.Faults)) {
		addFigure(rows, kind, t.Faults[kind])
	}
	addFigure(rows, "all", t.All)
	rows.Render()
	fmt.Fprintf(w, "\nmeasured is the time from a fault to the next result\n%d tasks in %d attempts; %d processes; %d late results refused\n",
		t.Tasks, t.Attempts, t.Starts, t.Refused)
	for _, f := range t.Findings {
		fmt.Fprintf(w, "found: %s\n", f)
	}
	if t.Findings != nil && len(t.Findings) == 0 {
		fmt.Fprintln(w, "nothing was lost, nothing was doubled, and the collection is the undisturbed one byte for byte")
	}
}

func addFigure(rows table.Writer, kind string, f chaos.Figure) {
	median, most := "", ""
	if f.Measured > 0 {
		median, most = fmt.Sprintf("%.2f", f.Median), fmt.Sprintf("%.2f", f.Max)
	}
	rows.AppendRow(table.Row{kind, f.Count, f.Measured, median, most})
}
