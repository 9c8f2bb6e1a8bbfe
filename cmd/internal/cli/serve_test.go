package cli_test

import (
	"context"
	"reflect"
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

// What a server may keep and whom it replicates with is said to it, too.
func TestServersAreTold(t *testing.T) {
	var asked cli.Embedding
	inside := cli.Inside{Embed: func(_ context.Context, c cli.Embedding) (cli.Server, error) {
		asked = c
		return nil, foldstream.Errorf(foldstream.Conflict, "", "the store is in use")
	}}
	command(t, &cli.Env{Inside: inside}, "serve", "--store", t.TempDir(), "--port", "0", "--max-store", "2M").says(t, 4, "the store is in use")
	if asked.MaxStore != 2<<20 || asked.Peers.Name != "" {
		t.Errorf("serve: %+v", asked)
	}
	command(t, &cli.Env{Inside: inside}, "node", "--name", "n1", "--store", t.TempDir(), "--port", "4301", "--route-port", "4302",
		"--route", "nats://127.0.0.1:4302", "--route", "nats://127.0.0.1:4303").says(t, 4, "the store is in use")
	want := cli.Peers{Name: "n1", Port: 4302, Routes: []string{"nats://127.0.0.1:4302", "nats://127.0.0.1:4303"}}
	if asked.Port != 4301 || !reflect.DeepEqual(asked.Peers, want) {
		t.Errorf("node: %+v", asked)
	}
}
