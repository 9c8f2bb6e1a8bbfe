package cli

import (
	"context"
	"fmt"

	"github.com/foldstream/foldstream"
)

// NodeCmd runs one bare server of a cluster on this machine, for chaos: who runs a cluster runs nats-server, on machines of its own.
type NodeCmd struct {
	Output
	Name      string   `required:"" help:"Name of the server, unlike those of the others."`
	Store     string   `required:"" type:"path" help:"Store directory."`
	Port      int      `required:"" help:"Loopback port for clients."`
	RoutePort int      `required:"" help:"Loopback port for the other servers."`
	Route     []string `required:"" help:"Addresses of the servers' ports for each other."`
	Room
	Durability
}

// Run serves until ctx ends.
func (c *NodeCmd) Run(ctx context.Context, env *Env) error {
	if env.Embed == nil {
		return foldstream.Errorf(foldstream.Invalid, "", "this program has no server inside")
	}
	server, err := env.Embed(ctx, Embedding{
		Dir: c.Store, Port: c.Port, SyncAlways: c.SyncAlways, MaxStore: int64(c.MaxStore),
		Peers: Peers{Name: c.Name, Port: c.RoutePort, Routes: c.Route}, Log: c.logger(env),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Stdout, "serving %s on %s\n", c.Store, server.URL())
	<-ctx.Done()
	return server.Close()
}
