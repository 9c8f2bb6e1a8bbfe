// Package dow30 carries the example's files, so that the demo runs wherever the program lies.
package dow30

import "embed"

// Files are the experiment file and the prices it names.
//
//go:embed experiment.yaml prices.csv
var Files embed.FS
