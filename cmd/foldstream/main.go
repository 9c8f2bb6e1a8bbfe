// Command foldstream is the person's tool: it runs experiments, alone on an embedded server or together with services.
package main

import (
	"context"
	"log/slog"

	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/examples/dow30"
	"github.com/foldstream/foldstream/stream/embed"
)

func main() {
	cli.Main("foldstream", "Walk-forward experiments on NATS JetStream.", &cli.Foldstream{}, cli.Inside{Embed: start, Example: dow30.Files})
}

func start(ctx context.Context, dir string, port int, log *slog.Logger) (cli.Server, error) {
	return embed.Start(ctx, embed.Config{Dir: dir, Port: port, Log: log})
}
