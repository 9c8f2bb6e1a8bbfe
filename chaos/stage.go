package chaos

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Stage is where the processes play.
type Stage struct {
	Config
	pool        Pool
	lot         *rand.Rand // of the fault that is next
	servers     []*server  // none where there is another
	producer    *actor
	consumers   []*actor
	aggregators []*actor
	ended       int
}

// lease is that of the pool: who is frozen for longer has lost what it works on.
const lease = time.Second

// calm is how long something may take that nothing disturbs.
const calm = time.Minute

// Open starts the servers, if it is to have some, and sets all roles up. Errors: those of the operating system.
func Open(ctx context.Context, c Config) (*Stage, error) {
	s := &Stage{Config: c, lot: lotOf(c.Seed, 0)}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	through := c.Server
	if c.Server == "" {
		if err := s.serve(ctx); err != nil {
			s.Close()
			return nil, err
		}
		through = addresses(s.servers, func(v *server) string { return v.proxy.address() })
	}
	client := func(role string, args ...string) *actor {
		return newActor(c, role, slices.Concat(args, []string{"--server", through, "--lease", lease.String(), "--timeout", "2s"})...)
	}
	s.producer = client("producer", "producer", "submit", c.File)
	for i := range c.Consumers {
		s.consumers = append(s.consumers, client("consumer-"+strconv.Itoa(i+1),
			"consumer", "run", "--pool", c.Pool, "-n", "2", "--allow", "*", "--cache", filepath.Join(c.Dir, "cache-"+strconv.Itoa(i+1)), "--stragglers", "2"))
	}
	for i := range c.Aggregators {
		s.aggregators = append(s.aggregators, client("aggregator-"+strconv.Itoa(i+1), "aggregator", "run"))
	}
	return s, nil
}

// URL is the servers' addresses, which nothing disturbs but what is done to the servers themselves.
func (s *Stage) URL() string {
	if s.Server != "" {
		return s.Server
	}
	return addresses(s.servers, func(v *server) string { return v.address })
}

// services are the processes that run until they are told to stop, but for servers.
func (s *Stage) services() []*actor { return slices.Concat(s.consumers, s.aggregators) }

// actors are all processes.
func (s *Stage) actors() []*actor {
	all := s.services()
	if s.producer != nil {
		all = append(all, s.producer)
	}
	for _, v := range s.servers {
		all = append(all, v.actor)
	}
	return all
}

// revive starts who ended by themselves, and counts them, but for those that found no server when they began.
func (s *Stage) revive() {
	for _, a := range s.actors() {
		if a == s.producer || a.cmd == nil || a.running() {
			continue
		}
		if n := a.said("foldstream: no NATS server at") + a.said("foldstream: open: "); n > a.away { // it is for whoever supervises a service to start it again
			a.away = n
		} else {
			s.ended++
			s.Log.Warn("a process ended by itself", "role", a.role, "log", a.log)
		}
		if err := a.start(); err != nil {
			s.Log.Warn("it cannot be started again", "role", a.role, "err", err)
		}
	}
}

// until waits for something.
func (s *Stage) until(ctx context.Context, within time.Duration, what string, ok func() bool) error {
	for end := time.Now().Add(within); !ok(); <-time.After(20 * time.Millisecond) {
		s.revive()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(end) {
			return fmt.Errorf("waited %v for %s", within, what)
		}
	}
	return nil
}

// Rest stops who works and folds; the servers go on.
func (s *Stage) Rest() {
	for _, a := range s.services() {
		a.stop(5 * time.Second)
	}
}

// Close ends all processes.
func (s *Stage) Close() {
	for _, a := range s.services() {
		a.kill()
	}
	if s.producer != nil {
		s.producer.kill()
	}
	for _, v := range s.servers {
		v.proxy.close()
		v.stop(5 * time.Second)
	}
}
