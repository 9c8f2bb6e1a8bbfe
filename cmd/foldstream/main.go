// Command foldstream is the person's tool: it runs experiments, alone on an embedded server or together with services.
package main

import (
	"context"

	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/examples/dow30"
	"github.com/foldstream/foldstream/stream/embed"
)

func main() {
	cli.Main("foldstream", "Walk-forward experiments on NATS JetStream.", &cli.Foldstream{}, cli.Inside{Embed: start, Example: dow30.Files})
}

func start(ctx context.Context, c cli.Embedding) (cli.Server, error) {
	return embed.Start(ctx, embed.Config{Dir: c.Dir, Port: c.Port, SyncAlways: c.SyncAlways, MaxStore: c.MaxStore, Peers: embed.Peers(c.Peers), Log: c.Log})
}
