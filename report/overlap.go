package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/metric"
)

// horizons are how many sessions the labels of each configuration span, by the text of its key.
type horizons map[string]int

func horizonsOf(tasks []foldstream.Task) horizons {
	h := horizons{}
	for _, t := range tasks {
		h[t.Key.String()] = max(h[t.Key.String()], t.Horizon)
	}
	return h
}

// of returns a configuration's horizon: that of its tasks, or else its choice of that name; 1 where it has neither. That of the
// ensemble is 1: it is measured by the returns of one session.
func (h horizons) of(k foldstream.Key) int {
	if n := h[k.String()]; n > 0 {
		return n
	}
	if n, err := strconv.Atoi(k.Get("horizon")); err == nil {
		return n
	}
	return 1
}

// notes says what to know of labels that overlap: of the longest in full, and which others there are.
func (h horizons) notes(groups []collect.Group) []string {
	spans := map[int]bool{}
	for _, g := range groups {
		if n := h.of(g.Key); n > 1 && g.Daily.Column(collect.MetricIC) != nil {
			spans[n] = true
		}
	}
	sorted := slices.Sorted(maps.Keys(spans))
	if len(sorted) == 0 {
		return nil
	}
	last := len(sorted) - 1
	out := []string{metric.OverlapNote(sorted[last]) + " “ICIR corr.” and “IC t” are so corrected."}
	if last > 0 {
		less := make([]string, last)
		for i, n := range sorted[:last] {
			less[i] = strconv.Itoa(n)
		}
		out = append(out, fmt.Sprintf("The same, by fewer lags, holds for labels over %s sessions.", strings.Join(less, ", ")))
	}
	return out
}
