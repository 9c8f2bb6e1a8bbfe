// Package embed runs nats-server with JetStream inside this process: a laptop needs no server of its own to keep tasks on disk.
// It takes a lock on its store directory, because two servers on one directory overwrite each other without a word. It listens
// on the loopback interface or not at all, and opens no other port.
package embed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// NoListener as a port makes a server that is reached by Conn alone.
const NoListener = -1

// startLimit is how long a started server may take until it answers. Start itself reads the streams and may take longer.
const startLimit = 30 * time.Second

// Config is the settings of a Server. The zero Config is a server in a temporary directory on a free loopback port.
type Config struct {
	Dir        string       // store directory, made where it is not there; "" is a temporary one, removed by Close
	Host       string       // interface to listen on; "" is 127.0.0.1
	Port       int          // 0 is a free one, NoListener none
	SyncAlways bool         // flush to disk before each acknowledgement: outlives a power failure, at a tenth of the speed
	MaxPayload int          // largest message in bytes; 0 is 1 MiB, as any nats-server has it
	MaxStore   int64        // bytes that all streams may take; beyond them the server refuses; 0 leaves it to the disk
	Peers      Peers        // with whom it is a cluster; the zero Peers is alone
	Log        *slog.Logger // the server's notices at Debug, its warnings and errors as such; nil discards
}

// Peers makes a server one of several on this machine that replicate their streams. Clients are not told of the others: they know them.
type Peers struct {
	Name   string   // of this server, unlike all others; "" is a server that is alone
	Port   int      // loopback port where the others find it
	Routes []string // where it finds all: "nats://127.0.0.1:6222"
}

// Server is a running nats-server. What it acknowledged outlives kill -9 of the process; see Config.SyncAlways for more.
type Server struct {
	dir  string
	temp bool
	lock *lock
	nats *server.Server
	log  *logger

	closing sync.Once
	closed  error
}

// Start runs a server and returns when it answers. ctx bounds the start, not the life. The caller must Close it.
// Errors: Conflict (the store directory or the port is in use), Invalid (the directory cannot be made or written to, a
// number is out of range), Timeout, Cancelled, Unavailable (the server refuses to run, in its own words).
func Start(ctx context.Context, c Config) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, foldstream.E(foldstream.Cancelled, "embed", err)
	}
	if c.Port < NoListener || c.Port > 65535 {
		return nil, foldstream.Errorf(foldstream.Invalid, "embed", "port %d is not between 0 and 65535", c.Port)
	}
	if c.MaxStore < 0 {
		return nil, foldstream.Errorf(foldstream.Invalid, "embed", "a store of %d bytes is below 0", c.MaxStore)
	}
	if c.MaxPayload < 0 || c.MaxPayload > math.MaxInt32 {
		return nil, foldstream.Errorf(foldstream.Invalid, "embed", "a payload of %d bytes is not between 0 and %d", c.MaxPayload, math.MaxInt32)
	}
	dir, err := makeDir(c.Dir)
	if err != nil {
		return nil, foldstream.E(foldstream.Invalid, "embed", err)
	}
	s := &Server{dir: dir, temp: c.Dir == "", log: newLogger(c.Log)}
	if s.lock, err = takeLock(dir); err == nil {
		err = s.run(ctx, c)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func makeDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "foldstream-")
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// run starts nats-server and waits until it answers.
func (s *Server) run(ctx context.Context, c Config) (err error) {
	options, err := c.options(s.dir)
	if err != nil {
		return foldstream.E(foldstream.Invalid, "embed", err)
	}
	if s.nats, err = server.NewServer(options); err != nil {
		return foldstream.E(foldstream.Unavailable, "embed", err)
	}
	s.nats.SetLoggerV2(s.log, false, false, false)
	s.nats.Start()
	limit := startLimit
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline))
	}
	switch fatal := s.log.fatalError(); {
	case fatal != "" && strings.Contains(fatal, syscall.EADDRINUSE.Error()):
		return foldstream.Errorf(foldstream.Conflict, "embed", "port %d is in use: %s", c.Port, fatal)
	case fatal != "":
		return foldstream.Errorf(foldstream.Unavailable, "embed", "the server on %s does not run: %s", s.dir, fatal)
	case ctx.Err() != nil:
		return foldstream.E(foldstream.Cancelled, "embed", ctx.Err())
	case !s.nats.ReadyForConnections(limit):
		return foldstream.Errorf(foldstream.Timeout, "embed", "the server on %s does not answer after %v", s.dir, limit)
	}
	s.log.start()
	return nil
}

func (c Config) options(dir string) (*server.Options, error) {
	o := &server.Options{
		ServerName: "foldstream",
		Host:       c.Host,
		Port:       c.Port,
		DontListen: c.Port == NoListener,
		MaxPayload: int32(c.MaxPayload),
		JetStream:  true,
		StoreDir:   dir,
		SyncAlways: c.SyncAlways,
		NoSigs:     true, // the process has a main of its own

		JetStreamMaxStore:      c.MaxStore,
		DisableJetStreamBanner: true,
	}
	o.JetStreamLimits.DefaultMaxConsumers = -1 // of a stream: every band of every pool has one
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	return o, c.Peers.join(o)
}

// join has a server be one of several.
func (p Peers) join(o *server.Options) error {
	if p.Name == "" {
		return nil
	}
	o.ServerName = p.Name
	o.Cluster = server.ClusterOpts{Name: "foldstream", Host: o.Host, Port: p.Port, NoAdvertise: true}
	for _, route := range p.Routes {
		u, err := url.Parse(route)
		if err != nil {
			return err
		}
		o.Routes = append(o.Routes, u)
	}
	return nil
}

// Dir returns the store directory.
func (s *Server) Dir() string { return s.dir }

// URL returns where clients connect, "nats://127.0.0.1:4222"; "" where the server has no listener.
func (s *Server) URL() string {
	if addr := s.nats.Addr(); addr != nil {
		return "nats://" + addr.String()
	}
	return ""
}

// Conn connects to the server inside the process, with or without a listener. The caller closes the connection.
// Errors: Unavailable.
func (s *Server) Conn(opts ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect("", append([]nats.Option{nats.InProcessServer(s.nats)}, opts...)...)
	if err != nil {
		return nil, foldstream.E(foldstream.Unavailable, "embed", fmt.Errorf("connect in process: %w", err))
	}
	return nc, nil
}

// Close stops the server, waits until all it keeps is written, and gives the directory free. Closing twice is closing once.
func (s *Server) Close() error {
	s.closing.Do(func() {
		if s.nats != nil {
			s.nats.Shutdown()
			s.nats.WaitForShutdown()
		}
		if s.lock != nil {
			s.closed = s.lock.release()
		}
		if s.temp {
			s.closed = errors.Join(s.closed, os.RemoveAll(s.dir))
		}
	})
	return s.closed
}
