package main

import (
	"context"
	"os"
)

// From a template to a collection, with a generator and a worker of one's own, on a server inside the process.
func Example() {
	run(context.Background(), must(readPrices("../dow30/prices.csv")), os.Stdout)
	// Output:
	// lookback=5,rolling=expanding   IC -0.0405, 8 of 8 windows
	// lookback=20,rolling=expanding  IC -0.0219, 8 of 8 windows
	// lookback=120,rolling=expanding IC -0.0141, 8 of 8 windows
	// ensemble                       IC -0.0336, 24 of 24 windows
}
