// Package ridge is a worker in Go that predicts returns of stocks from their past prices: momentum, reversal and volatility,
// a ridge regression on the train segment, scores on the test segment.
package ridge
