package chaos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Stage is where the processes play.
type Stage struct {
	Config
	lot         *rand.Rand
	server      *actor // nil where there is another
	proxy       *proxy
	producer    *actor
	consumers   []*actor
	aggregators []*actor
	url         string // of the server, past the proxy
	ended       int
}

// lease is that of the pool: who is frozen for longer has lost what it works on.
const lease = time.Second

// calm is how long something may take that nothing disturbs.
const calm = 30 * time.Second

// Open starts the server, if it is to have one, and sets all roles up. Errors: those of the operating system.
func Open(ctx context.Context, c Config) (*Stage, error) {
	s := &Stage{Config: c, lot: rand.New(rand.NewPCG(c.Seed, 0)), url: c.Server}
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
		through = "nats://" + s.proxy.address()
	}
	client := func(role string, args ...string) *actor {
		return newActor(c, role, slices.Concat(args, []string{"--server", through, "--lease", lease.String(), "--timeout", "2s"})...)
	}
	s.producer = client("producer", "producer", "submit", c.File)
	for i := range c.Consumers {
		s.consumers = append(s.consumers, client("consumer-"+strconv.Itoa(i+1),
			"consumer", "run", "--pool", c.Pool, "-n", "2", "--allow", "*", "--cache", filepath.Join(c.Dir, "cache-"+strconv.Itoa(i+1))))
	}
	for i := range c.Aggregators {
		s.aggregators = append(s.aggregators, client("aggregator-"+strconv.Itoa(i+1), "aggregator", "run"))
	}
	return s, nil
}

// URL is the server's address, which nothing disturbs but what is done to the server itself.
func (s *Stage) URL() string { return s.url }

// serve starts a server on a free port, which it keeps when it is killed, and the proxy.
func (s *Stage) serve(ctx context.Context) (err error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := free.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	if err := free.Close(); err != nil {
		return err
	}
	s.url = "nats://" + address
	s.server = newActor(s.Config, "server", "serve", "--store", filepath.Join(s.Dir, "store"), "--port", port)
	if s.proxy, err = openProxy(address); err != nil {
		return err
	}
	if err := s.server.start(); err != nil {
		return err
	}
	return s.until(ctx, calm, "the server to answer", func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// Play submits the experiment, has it worked, disturbs that, and returns when all tasks are over. What is told of it is told also
// where it ends with an error: a task that nobody works any more, say.
func (s *Stage) Play(ctx context.Context) (Report, error) {
	r := Report{Seed: s.Seed, Faults: map[string]int{}}
	err := s.submit(ctx, s.between(0, 400))
	r.Faults["producer killed"]++
	for _, a := range slices.Concat(s.consumers, s.aggregators) {
		err = errors.Join(err, a.start())
	}
	var recoveries []time.Duration
	if err == nil {
		recoveries, err = s.disturb(ctx, &r)
	}
	if err == nil {
		err = s.finish(ctx)
	}
	r.Ended = s.ended
	for _, a := range s.actors() {
		r.Starts += a.starts
		r.Refused += a.said("the result is dropped")
	}
	if slices.Sort(recoveries); len(recoveries) > 0 {
		r.Median, r.Max = recoveries[len(recoveries)/2].Seconds(), recoveries[len(recoveries)-1].Seconds()
	}
	return r, err
}

func (s *Stage) actors() []*actor {
	all := slices.Concat(s.consumers, s.aggregators, []*actor{s.producer})
	if s.server != nil {
		all = append(all, s.server)
	}
	return all
}

// disturb does one fault after the other until there are enough or the work is done, and returns how long each took to get over.
func (s *Stage) disturb(ctx context.Context, r *Report) (recoveries []time.Duration, err error) {
	all := slices.Clone(faults)
	if s.server != nil {
		all = append(all, faultsOfServer...)
	}
	for range s.Faults {
		over, open, err := s.Done(ctx)
		if err == nil && open == 0 {
			return recoveries, nil
		}
		f := draw(s.lot, all)
		s.Log.Info("fault", "what", f.name)
		since := time.Now()
		if err := f.do(ctx, s); err != nil {
			return recoveries, fmt.Errorf("%s: %w", f.name, err)
		}
		r.Faults[f.name]++
		if err == nil && s.lot.IntN(4) > 0 { // else the next comes at once
			took, err := s.recovery(ctx, since, over)
			if err != nil {
				return recoveries, fmt.Errorf("after %s: %w", f.name, err)
			}
			if took > 0 {
				recoveries = append(recoveries, took)
			}
			select {
			case <-time.After(s.between(0, int(max(2*s.Pause.Milliseconds(), 1)))):
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return recoveries, ctx.Err()
		}
	}
	return recoveries, nil
}

// recovery returns how long it is since a fault when the next result is there; 0 where none is missing any more.
func (s *Stage) recovery(ctx context.Context, since time.Time, over int) (took time.Duration, err error) {
	err = s.until(ctx, calm, "the next result", func() bool {
		now, open, err := s.Done(ctx)
		if err == nil && now > over {
			took = time.Since(since)
		}
		return err == nil && (took > 0 || open == 0)
	})
	return took, err
}

// finish lets all go on undisturbed until no task is open.
func (s *Stage) finish(ctx context.Context) error {
	last, since := -1, time.Now()
	for {
		s.revive()
		over, open, err := s.Done(ctx)
		switch {
		case err == nil && open == 0:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && over > last:
			last, since = over, time.Now()
		case time.Since(since) > 2*calm:
			return fmt.Errorf("%d tasks are open and none was done for %v", open, 2*calm)
		}
		<-time.After(100 * time.Millisecond)
	}
}

// revive starts who ended by themselves, and counts them, but for those that found no server when they began.
func (s *Stage) revive() {
	for _, a := range s.actors() {
		if a == s.producer || a.running() {
			continue
		}
		if n := a.said("no NATS server at"); n > a.away { // it is for whoever supervises a service to start it again
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

// submit has a producer killed after a while, and others submit the same until one comes to its end.
func (s *Stage) submit(ctx context.Context, after time.Duration) error {
	if err := s.producer.start(); err != nil {
		return err
	}
	select {
	case <-s.producer.ended:
	case <-time.After(after):
		s.producer.kill()
	}
	for end := time.Now().Add(2 * calm); ; {
		if err := s.producer.start(); err != nil {
			return err
		}
		select {
		case <-s.producer.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
		if s.producer.cmd.ProcessState.Success() {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("no producer comes to its end; see %s", s.producer.log)
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

// Rest stops who works and folds; the server goes on.
func (s *Stage) Rest() {
	for _, a := range slices.Concat(s.consumers, s.aggregators) {
		a.stop(5 * time.Second)
	}
}

// Close ends all processes.
func (s *Stage) Close() {
	for _, a := range slices.Concat(s.consumers, s.aggregators) {
		a.kill()
	}
	if s.producer != nil {
		s.producer.kill()
	}
	if s.proxy != nil {
		s.proxy.close()
	}
	if s.server != nil {
		s.server.stop(5 * time.Second)
	}
}
