package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// server is one of the stage's own, with the network before it.
type server struct {
	*actor
	name    string // in a cluster; "" is alone
	address string // past the network
	proxy   *proxy
}

// serve starts the servers on free ports, which they keep when they are killed, and a proxy before each.
func (s *Stage) serve(ctx context.Context) error {
	ports, err := freePorts(2 * s.Servers)
	if err != nil {
		return err
	}
	var routes []string
	for _, port := range ports[s.Servers:] {
		routes = append(routes, "--route", "nats://127.0.0.1:"+port)
	}
	for i, port := range ports[:s.Servers] {
		v := &server{address: "127.0.0.1:" + port}
		role, args := "server", []string{"serve"}
		if s.Servers > 1 {
			v.name = "n" + strconv.Itoa(i+1)
			role, args = "server-"+v.name, slices.Concat([]string{"node", "--name", v.name, "--route-port", ports[s.Servers+i]}, routes)
		}
		v.actor = newActor(s.Config, role, append(args, "--port", port, "--store", filepath.Join(s.Dir, role))...)
		if v.proxy, err = openProxy(v.address); err != nil {
			return err
		}
		s.servers = append(s.servers, v)
		if err := v.start(); err != nil {
			return err
		}
	}
	for _, v := range s.servers {
		if err := s.until(ctx, calm, "the server to answer", v.answers); err != nil {
			return err
		}
	}
	return nil
}

// answers reports whether the server takes connections: it, and not somebody who has its port.
func (v *server) answers() bool {
	if !v.running() {
		return false
	}
	c, err := net.DialTimeout("tcp", v.address, time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// fill has the server start anew with a store that is full by the server's own limit, and after a while without that limit.
func (v *server) fill(d time.Duration) error {
	v.kill()
	if err := v.start("--max-store", "64K"); err != nil {
		return err
	}
	for end := time.Now().Add(calm); v.running() && !v.answers(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("%s does not answer; see %s", v.role, v.log)
		}
	}
	<-time.After(d)
	return again(v.actor, 0)
}

// leader returns who leads the events of tasks; nil where nobody can be asked or leads.
func (s *Stage) leader(ctx context.Context) *actor {
	name, err := s.pool.Leader(ctx)
	for _, v := range s.servers {
		if err == nil && v.name == name {
			return v.actor
		}
	}
	return nil
}

// addresses returns where the servers are reached.
func addresses(servers []*server, of func(*server) string) string {
	var all []string
	for _, v := range servers {
		all = append(all, "nats://"+of(v))
	}
	return strings.Join(all, ",")
}

// freePorts returns loopback ports that nobody listens on. They are below those that systems hand out by themselves, from 32768 or 49152 on:
// else somebody may have got the port of a server that was killed when it comes again.
func freePorts(n int) (ports []string, err error) {
	const lowest, highest, tries = 20_000, 32_000, 1000
	if n > highest-lowest { // not one is taken in vain: others look for theirs
		return nil, fmt.Errorf("there are no %d ports", n)
	}
	for range tries {
		if len(ports) == n {
			return ports, nil
		}
		port := strconv.Itoa(lowest + rand.IntN(highest-lowest))
		free, listenErr := net.Listen("tcp", "127.0.0.1:"+port)
		if err = listenErr; err != nil {
			continue
		}
		defer func() { _ = free.Close() }() // all are held until all are found, so that they differ
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("no %d ports are free: %w", n, err)
}
