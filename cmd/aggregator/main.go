// Command aggregator is the service of that name, alone: it connects to a NATS server of yours and has none inside.
package main

import "github.com/foldstream/foldstream/cmd/internal/cli"

func main() {
	cli.Main("aggregator", "Folds results into collections.", &cli.Aggregator{}, cli.Inside{})
}
