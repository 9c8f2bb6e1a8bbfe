package cli_test

import (
	"context"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
)

// What outlives a power failure is said to the server that is started, and only where it was asked for.
func TestServeSaysHowDurable(t *testing.T) {
	for _, args := range [][]string{{"serve"}, {"serve", "--sync-always"}} {
		var asked cli.Embedding
		inside := cli.Inside{Embed: func(_ context.Context, c cli.Embedding) (cli.Server, error) {
			asked = c
			return nil, foldstream.Errorf(foldstream.Conflict, "", "the store is in use")
		}}
		dir := t.TempDir()
		command(t, &cli.Env{Inside: inside}, append(args, "--store", dir, "--port", "0")...).says(t, 4, "the store is in use")
		if asked.Dir != dir || asked.SyncAlways != (len(args) == 2) {
			t.Errorf("%v: %+v", args, asked)
		}
	}
}
