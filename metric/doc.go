// Package metric measures predictions and returns: information coefficients, daily portfolios, drawdowns. It is pure, and
// every sum runs in the order of its arguments or of a frame's rows sorted by time and instrument, so that equal input
// gives equal bits for one binary. NaN is a missing value and is skipped; an answer that is undefined is NaN, never an error.
package metric
