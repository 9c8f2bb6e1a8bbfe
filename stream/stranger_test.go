package stream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// planter puts messages of others on the subjects of a store.
type planter struct {
	s      *stream.Store
	nc     *nats.Conn
	prefix string
	pool   string
}

// plant publishes a message past all compares, and waits until its stream has it.
func (p planter) plant(ctx context.Context, subject string, header map[string]string, body []byte) error {
	subject = strings.Replace(subject, ".p.", "."+p.pool+".", 1)
	m := &nats.Msg{Subject: p.prefix + "." + subject, Data: body, Header: nats.Header{}}
	if bucket, key, isValue := strings.Cut(subject, "/"); isValue {
		m.Subject = "$KV." + strings.ToUpper(p.prefix) + "_" + bucket + "." + key
	}
	m.Header.Set(planted, "1")
	for k, v := range header {
		m.Header.Set(k, strings.NewReplacer("PREFIX", p.prefix, "POOL", p.pool).Replace(v))
	}
	js, err := jetstream.New(p.nc)
	if err == nil {
		_, err = js.PublishMsg(ctx, m)
	}
	return err
}

// mapBomb claims maps of a million entries inside one another; listBomb is lists inside one another.
func mapBomb() []byte {
	return slices.Concat([]byte("\x01\x81\xa4Task\x81\xa1x"), bytes.Repeat([]byte("\xdf\x00\x0f\x00\x00\xa1x"), 2000))
}

func listBomb() []byte {
	return slices.Concat([]byte("\x01\x81\xa4Task\x81\xa1x"), bytes.Repeat([]byte{0x91}, 900_000))
}

// A stranger is a message that is planted, and what becomes of it.
type strangerCase struct {
	name   string
	plant  func(ctx context.Context, p planter, task foldstream.TaskID) error
	aside  string // the reason of the message that is set aside; "" is none
	passed string // the reason of a message that stays where it is; "" is none
	newer  bool
}

// one plants one message on the subject of a task of the pool's, where that has %s.
func one(subject string, header map[string]string, body []byte) func(context.Context, planter, foldstream.TaskID) error {
	return func(ctx context.Context, p planter, task foldstream.TaskID) error {
		return p.plant(ctx, strings.ReplaceAll(subject, "%s", string(task)), header, body)
	}
}

// instead plants one message where the task has no ticket any more.
func instead(subject string, header map[string]string, body []byte) func(context.Context, planter, foldstream.TaskID) error {
	return func(ctx context.Context, p planter, task foldstream.TaskID) error {
		return errors.Join(p.s.DeleteTicket(ctx, p.pool, task), one(subject, header, body)(ctx, p, task))
	}
}

var noTask = strings.Repeat("q", 26)

var ticketHeader = map[string]string{"Fold-Expected": "0"}

// body returns the stored body of a task.
func body(t testing.TB, task foldstream.Task) []byte {
	t.Helper()
	data, err := stream.EncodeTask(task)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func strangerCases(t *testing.T) []strangerCase {
	other := body(t, streamtest.Task(77))
	last := foldstream.TaskID(noTask)
	mine := streamtest.Task(78)
	mine.ID = last
	event := func(kind, status string) map[string]string {
		return map[string]string{"Fold-Event": kind + " " + status + " run=n by=s after=0 attempt=1"}
	}
	return []strangerCase{
		{name: "a ticket of JSON", plant: one("work.p._.19."+noTask, ticketHeader, []byte(`{"task": 1}`)), aside: "begins with 0x7b"},
		{name: "a ticket without a body", plant: one("work.p._.19."+noTask, ticketHeader, nil), aside: "body is empty"},
		{name: "a ticket without headers", plant: one("work.p._.19."+noTask, nil, other), aside: "Fold-Expected"},
		{name: "a ticket of another task", plant: one("work.p._.19."+noTask, ticketHeader, other), aside: "its body is the task"},
		{name: "a ticket at a stage that its task does not have", plant: one("work.p.fit.19."+noTask, ticketHeader, body(t, mine)), aside: `no stage "fit"`},
		{name: "a ticket of no task", plant: one("work.p._.19.nobody", ticketHeader, other), aside: `"nobody" is no task's id`},
		{name: "a ticket of too many tokens", plant: one("work.p._.19."+noTask+".x", ticketHeader, other), aside: "no subject of ours"},
		{name: "a part out of place", plant: one("work.p._.19."+noTask, map[string]string{"Fold-Expected": "0", "Fold-Part": "-1"}, other), aside: "no place in a body"},
		{name: "a ticket that follows an event to come", plant: one("work.p._.19."+noTask, map[string]string{"Fold-Expected": "999999"}, body(t, mine)), aside: "it names event 999999"},
		{name: "a map bomb", plant: one("work.p._.19."+noTask, ticketHeader, mapBomb()), aside: "too early"},
		{name: "a list bomb", plant: one("work.p._.19."+noTask, ticketHeader, listBomb()), aside: "nested more than"},
		{name: "a large ticket", plant: one("work.p._.19."+noTask, ticketHeader, bytes.Repeat([]byte("x"), 1<<20-2048)), aside: "begins with 0x78"},
		{name: "headers that are orders", plant: one("work.p._.19."+noTask, map[string]string{"Nats-Msg-Id": "1", "Status": "404", "Nats-Sequence": "1", "Nats-Subject": "x"}, nil), aside: "Fold-Expected"},
		{name: "a newer ticket", plant: one("work.p._.19."+noTask, map[string]string{"Fold-Expected": "0", "Fold-Version": "2"}, []byte("?")), passed: "newer program", newer: true},
		{name: "a ticket in a band that there is not", plant: one("work.p._.20."+noTask, ticketHeader, body(t, mine)), passed: "no stage and band"},
		{name: "a message of the queue that is no ticket", plant: one("work.p", nil, nil), passed: "no subject of ours"},
		{name: "a schedule that is none", plant: one("work.p.later.5."+noTask, ticketHeader, body(t, mine)), passed: "Nats-Schedule"},
		{name: "a schedule for another task", plant: one("work.p.later.5."+noTask, map[string]string{
			"Fold-Expected": "0", "Nats-Schedule": "@at 2199-01-01T00:00:00Z", "Nats-Schedule-Target": "PREFIX.work.POOL._.5." + string(streamtest.Task(1).ID),
		}, body(t, mine)), passed: "no place for a ticket of its task"},
		{name: "a schedule that brings a stranger", plant: one("work.p.later.5."+noTask, map[string]string{
			"Fold-Expected": "0", "Nats-Schedule": "@at 2020-01-01T00:00:00Z", "Nats-Schedule-Target": "PREFIX.work.POOL._.19." + noTask,
		}, []byte("x")), aside: "begins with 0x78"},

		{name: "a stranger in the place of a ticket", plant: one("work.p._.0.%s", ticketHeader, []byte("x")), aside: "begins with 0x78"},
		{name: "a band that there is not instead of a ticket", plant: instead("work.p._.99.%s", nil, nil), aside: "no stage and band"},
		{name: "a schedule that is none instead of a ticket", plant: instead("work.p.later.0.%s", ticketHeader, nil), aside: "Nats-Schedule"},

		{name: "an event without headers", plant: one("event.p.%s", nil, []byte("hello")), aside: "are no event's"},
		{name: "an event of a kind that there is not", plant: one("event.p.%s", event("pause", "running"), nil), aside: "are no event's"},
		{name: "a result of nobody", plant: one("event.p.%s", map[string]string{"Fold-Event": "result done after=0"}, nil), aside: "it lacks run"},
		{name: "a result that follows nothing", plant: one("event.p.%s", map[string]string{"Fold-Event": "result done run=n by=s after=999999"}, nil), aside: "no earlier event"},
		{name: "an event whose number is none", plant: one("event.p.%s", map[string]string{"Fold-Event": "claim running run=n by=s after=0 attempt=x"}, nil), aside: "attempt: "},
		{name: "a claim that is done", plant: one("event.p.%s", event("claim", "done"), nil), aside: "are no event's"},
		{name: "a part of a stage that the task does not have", plant: one("event.p.%s", event("part", "part_done"), nil), aside: `part of stage ""`},
		{name: "an event of no task", plant: one("event.p.nobody", event("result", "done"), nil), passed: "no task's id"},
		{name: "an event of too few tokens", plant: one("event.p", nil, nil), passed: "no subject of ours"},
		{name: "a newer event of no task of ours", plant: one("event.p."+noTask, map[string]string{"Fold-Version": "3"}, nil), passed: "version 3", newer: true},

		{name: "a definition of no task", plant: one("def.p.nobody", nil, other), aside: "no task's id"},
		{name: "a definition under a wrong id", plant: one("def.p."+noTask, nil, other), aside: "it defines the task"},
		{name: "a definition of JSON", plant: one("def.p."+noTask, nil, []byte("{}")), aside: "begins with 0x7b"},
		{name: "a definition that is a bomb", plant: one("def.p."+noTask, nil, mapBomb()), aside: "too early"},
		{name: "a definition of another pool's form", plant: one("def.p.x.y", nil, other), passed: "no subject of ours"},

		{name: "a letter of nobody", plant: one("dlq.p._.nobody", nil, []byte("x")), passed: "no task's id"},
		{name: "settings of another program", plant: one("POOLS/p", nil, []byte(`{"paused":true}`)), passed: "begins with 0x7b"},
		{name: "settings that are too much", plant: one("POOLS/q", nil, []byte("\x01\x81\xa5Lease\x01")), passed: "lease of 1ns"},
		{name: "a lane that there is not", plant: one("POOLS/p._.99", nil, nil), passed: "neither a pool nor a lane"},
		{name: "a pool that cannot be one", plant: one("POOLS/=.x", nil, nil), passed: "a name is 1 to 64"},
		{name: "a worker of another program", plant: one("WORKERS/somebody", nil, []byte("alive")), passed: "begins with 0x61"},
	}
}

// TestStrangers plants messages of others on the subjects of a pool: every task is worked all the same, every reader goes on, the
// pool is conserved, and each is set aside or passed over with its reason.
func TestStrangers(t *testing.T) {
	url := streamtest.Server(t).URL()
	for i, c := range strangerCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			prefix := fmt.Sprint("s", i)
			s := open(t, url, stream.Config{Prefix: prefix, Lease: 300 * time.Millisecond})
			tasks := streamtest.Tasks(0, 3)
			tasks[1].Priority, tasks[2].Priority = new(9), new(9)
			tasks[1].Stages = []string{"fit", "predict"}
			if _, err := s.Pool("p").Create(t.Context(), tasks...); err != nil {
				t.Fatal(err)
			}
			p := planter{s, connect(t, url), prefix, "p"}
			if err := c.plant(t.Context(), p, tasks[0].ID); err != nil {
				t.Fatal(err)
			}
			workAll(t, s, 3)
			checkSound(t, s, 3)
			c.check(t, s)
		})
	}
}

// workAll works a pool until so many tasks are done, and a stranger's lane too.
func workAll(t *testing.T, s *stream.Store, n int) {
	t.Helper()
	last := time.Now()
	err := streamtest.Eventually(t.Context(), func() error {
		if time.Since(last) > 200*time.Millisecond {
			last = time.Now()
			if _, err := s.Reconcile(t.Context(), "p"); err != nil {
				t.Error(err)
			}
		}
		l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
		if err == nil {
			return errors.Join(l.Commit(t.Context(), foldstream.Result{Code: "x"}), errors.New("one more"))
		}
		if !foldstream.Is(err, foldstream.NotFound) {
			t.Errorf("a fetch fails: %v", err)
		}
		counts, err := s.Pool("p").Stat(t.Context())
		if err == nil && (counts[foldstream.Done] != n || counts.Total() != n) {
			err = fmt.Errorf("%v; want %d done and no more", counts, n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkSound reads a pool in every way.
func checkSound(t *testing.T, s *stream.Store, n int) {
	t.Helper()
	ctx := t.Context()
	if err := streamtest.Conserved(ctx, s, "p"); err != nil {
		t.Error(err)
	}
	if v, err := s.Verify(ctx, "p"); err != nil || len(v.Faults) > 0 || v.Created != n || v.Results != n {
		t.Errorf("verify: %+v, %v", v, err)
	}
	results, listed := 0, 0
	for e, err := range s.Events(ctx, foldstream.EventFilter{}, 0) {
		if err != nil {
			t.Error(err)
		}
		if e.Kind == foldstream.EventResult && e.Result.Code == "x" {
			results++
		}
	}
	for _, err := range s.Tasks(ctx, "p") {
		if err != nil {
			t.Error(err)
		}
		listed++
	}
	for _, err := range s.Definitions(ctx, "p") {
		if err != nil {
			t.Error(err)
		}
		listed++
	}
	for _, err := range s.Letters(ctx, "p") {
		if err != nil {
			t.Error(err)
		}
	}
	for _, err := range s.Workers(ctx) {
		if err != nil {
			t.Error(err)
		}
	}
	if pools, err := s.Pools(ctx); err != nil || !slices.Equal(pools, []string{"p"}) || results != n || listed != 2*n {
		t.Errorf("pools %v, %v; %d results; %d listed and defined", pools, err, results, listed)
	}
}

// check wants the stranger to be told of as what it is.
func (c strangerCase) check(t *testing.T, s *stream.Store) {
	t.Helper()
	err := streamtest.Eventually(t.Context(), func() error {
		if _, err := s.Reconcile(t.Context(), "p"); err != nil {
			return err
		}
		if _, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{}); !foldstream.Is(err, foldstream.NotFound) {
			return fmt.Errorf("a fetch from what is left: %w", err)
		}
		for _, deep := range []bool{true, false} {
			var aside, passed []stream.Foreign
			for f, err := range s.Foreign(t.Context(), deep) {
				switch {
				case err != nil:
					return err
				case f.Aside:
					aside = append(aside, f)
				default:
					passed = append(passed, f)
				}
			}
			if err := errors.Join(found(aside, c.aside, false), found(passed, c.passed, c.newer)); deep && err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// found wants exactly one message with the reason, or none where there is none.
func found(all []stream.Foreign, reason string, newer bool) error {
	if reason == "" && len(all) == 0 {
		return nil
	}
	if len(all) != 1 || !strings.Contains(all[0].Reason, reason) || reason == "" || all[0].Newer != newer || all[0].Subject == "" {
		return fmt.Errorf("found %+v; want one because of %q", all, reason)
	}
	return nil
}

// An event of a stranger on the subject of a task that is worked, or about to be changed, keeps nobody from it: it is set aside.
func TestStrangers_InTheChain(t *testing.T) {
	url := streamtest.Server(t).URL()
	operations := map[string]func(ctx context.Context, s *stream.Store, l foldstream.Lease) error{
		"commit": func(ctx context.Context, _ *stream.Store, l foldstream.Lease) error {
			return l.Commit(ctx, foldstream.Result{})
		},
		"return": func(ctx context.Context, _ *stream.Store, l foldstream.Lease) error { return l.Return(ctx, nil, 0) },
		"fail": func(ctx context.Context, _ *stream.Store, l foldstream.Lease) error {
			return l.Fail(ctx, errors.New("x"))
		},
		"extend": func(ctx context.Context, _ *stream.Store, l foldstream.Lease) error {
			return l.Extend(ctx, foldstream.Progress{})
		},
		"cancel": func(ctx context.Context, s *stream.Store, l foldstream.Lease) error {
			return changed(s.Cancel(ctx, "p", "why", l.Task().ID))
		},
		"reset": func(ctx context.Context, s *stream.Store, l foldstream.Lease) error {
			return changed(s.Reset(ctx, "p", true, l.Task().ID))
		},
		"remove": func(ctx context.Context, s *stream.Store, l foldstream.Lease) error {
			return changed(s.Remove(ctx, "p", "why", l.Task().ID))
		},
	}
	for name, do := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, url, stream.Config{Prefix: "c" + name})
			if _, err := s.Pool("p").Create(t.Context(), streamtest.Task(0)); err != nil {
				t.Fatal(err)
			}
			l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 10 * time.Second})
			if err == nil {
				err = l.Extend(t.Context(), foldstream.Progress{}) // the claim is decided
			}
			p := planter{s, connect(t, url), "c" + name, "p"}
			for range 3 {
				err = errors.Join(err, p.plant(t.Context(), "event.p."+string(streamtest.Task(0).ID), nil, []byte("hello")))
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := do(t.Context(), s, l); err != nil {
				t.Error(err)
			}
			if counts, err := s.Pool("p").Stat(t.Context()); err != nil || counts.Total() != 1 {
				t.Errorf("%v, %v", counts, err)
			}
		})
	}
}

func changed(n int, err error) error {
	if err == nil && n != 1 {
		err = fmt.Errorf("%d tasks were changed", n)
	}
	return err
}

// What a newer program wrote is left to it: its event ends no lease and is not followed, its settings are not written over.
func TestStrangers_Newer(t *testing.T) {
	url, ctx := streamtest.Server(t).URL(), t.Context()
	s := open(t, url, stream.Config{Lease: 300 * time.Millisecond, Patience: 2 * time.Second})
	p := planter{s, connect(t, url), "fold", "p"}
	if _, err := s.Pool("p").Create(ctx, streamtest.Tasks(0, 2)...); err != nil {
		t.Fatal(err)
	}
	id := streamtest.Task(0).ID
	if err := p.plant(ctx, "event.p."+string(id), map[string]string{"Fold-Version": "2", "Fold-Event": "claim running"}, nil); err != nil {
		t.Fatal(err)
	}
	l, err := s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if l.Task().ID == id { // claimed blindly, and refused
		if err := l.Extend(ctx, foldstream.Progress{}); err == nil {
			t.Error("the lease of a newer program's task holds")
		}
		if l, err = s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: 10 * time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Commit(ctx, foldstream.Result{}); err != nil || l.Task().ID == id {
		t.Errorf("the other task: %v", err)
	}
	for range 3 {
		if l, err := s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: 400 * time.Millisecond}); !foldstream.Is(err, foldstream.NotFound) {
			t.Errorf("the newer program's task was fetched: %v, %v", l, err)
		}
	}
	if _, err := s.Cancel(ctx, "p", "why", id); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("cancel: %v", err)
	}
	if n, err := s.Reconcile(ctx, "p"); n != 0 || err != nil {
		t.Errorf("reconcile: %d, %v", n, err)
	}
	for _, what := range []string{"POOLS/p", "POOLS/q"} {
		if err := p.plant(ctx, what, nil, []byte{2, 0x80}); err != nil {
			t.Fatal(err)
		}
	}
	for _, pool := range []string{"p", "q"} {
		if _, err := s.Change(ctx, pool, func(set *foldstream.PoolSettings) { set.Paused = true }); err == nil || !strings.Contains(err.Error(), "newer program") {
			t.Errorf("the settings of pool %s were changed: %v", pool, err)
		}
	}
	if _, err := s.Pool("q").Create(ctx, streamtest.Task(5)); !foldstream.Is(err, foldstream.Unavailable) {
		t.Errorf("a task was made in a newer program's pool: %v", err)
	}
}

// TestStrangers_Storm runs the suite's storm while somebody plants messages of all kinds.
func TestStrangers_Storm(t *testing.T) {
	url := streamtest.Server(t).URL()
	cases := slices.DeleteFunc(strangerCases(t), func(c strangerCase) bool {
		double := strings.Contains(c.name, "instead of") || strings.Contains(c.name, "in the place of") // what is lost waits for the reconciler
		return double || strings.HasPrefix(c.name, "a large") || strings.HasPrefix(c.name, "a part of") || strings.HasPrefix(c.name, "a definition")
	})
	ours := harness(url, func(*stream.Store) {})
	streamtest.RunSome(t, func(t *testing.T, opts streamtest.Options) streamtest.Harness {
		h := ours(t, opts)
		s := h.Store.(*stream.Store)
		p, planted := planter{s, connect(t, url), s.Prefix(), "windows"}, make(chan error, 1)
		ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
		go func() {
			for i := 0; ctx.Err() == nil && i < 100*len(cases); i++ {
				err := cases[i%len(cases)].plant(ctx, p, streamtest.Task(i%60).ID)
				if err != nil && ctx.Err() == nil {
					planted <- err
					return
				}
			}
			planted <- nil
		}()
		t.Cleanup(func() {
			stop()
			if err := <-planted; err != nil {
				t.Error(err)
			}
		})
		return h
	}, func(name string) bool { return name == "storm" })
}
