// Package metric measures predictions and returns: information coefficients and what they are worth where labels overlap, the ends of
// the scores' order, portfolios with costs, performance over a year. It is pure, and
// every sum runs in the order of its arguments or of a frame's rows sorted by time and instrument, so that equal input
// gives equal bits for one binary. NaN is a missing value and is skipped; an answer that is undefined is NaN, never an error.
package metric
