package test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
	consumer "github.com/foldstream/foldstream/work"
)

// serviceTime is far longer than a denial takes to be told, and than a service works.
const serviceTime = 30 * time.Second

// lacking are users of whom each may publish everything but one thing, and an admin.
func lacking(t *testing.T, subjects ...string) (url string, as func(user int) *stream.Store) {
	t.Helper()
	users := []*server.User{{Username: "admin", Password: "p"}}
	for i, subject := range subjects {
		users = append(users, &server.User{Username: fmt.Sprint(i), Password: "p", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{">"}, Deny: []string{subject}},
		}})
	}
	s := streamtest.Configured(t, &server.Options{JetStream: true, Users: users})
	return strings.Replace(s.ClientURL(), "//", "//admin:p@", 1), func(user int) *stream.Store {
		nc, err := nats.Connect(s.ClientURL(), nats.UserInfo(fmt.Sprint(user), "p"), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		store, err := stream.Open(t.Context(), nc, stream.Config{Lease: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
		return store
	}
}

// forbids wants a service to end by itself because of what it may not publish to.
func forbids(t *testing.T, subject string, run func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), serviceTime)
	defer cancel()
	err := run(ctx)
	if !foldstream.Is(err, foldstream.Denied) || !strings.Contains(err.Error(), strings.TrimRight(subject, ">")) || ctx.Err() != nil {
		t.Errorf("without %s: %v; told to stop: %v", subject, err, ctx.Err())
	}
}

// An aggregator that the server forbids something which it needs ends, and leaves the lead to the next.
func TestDenied_AnAggregatorEnds(t *testing.T) {
	subjects := []string{
		"$JS.API.STREAM.MSG.GET.KV_FOLD_LOCKS", "$KV.FOLD_COLLECTIONS.>", "$JS.API.CONSUMER.CREATE.KV_FOLD_EXPERIMENTS.>", "$JS.API.CONSUMER.CREATE.FOLD_EVENTS.>",
		"$JS.API.CONSUMER.CREATE.KV_FOLD_COLLECTIONS.>", "$JS.API.STREAM.MSG.GET.OBJ_FOLD_ARTIFACTS", "$KV.FOLD_LOCKS.>",
	}
	url, as := lacking(t, subjects...)
	mustRun(t, "producer", "submit", small, "-s", url)
	admin := open(t, url)
	if _, err := admin.Values(foldstream.Collections).Put(t.Context(), foldstream.Value{Key: "small"}); err != nil {
		t.Fatal(err)
	}
	for i, subject := range subjects {
		forbids(t, subject, (&collect.Aggregator{Store: as(i)}).Run)
		if v, err := admin.Values(foldstream.Locks).Get(t.Context(), "aggregator"); !foldstream.Is(err, foldstream.NotFound) {
			t.Errorf("without %s: the lead was not given back: %s, %v", subject, v.Data, err)
		}
	}
}

// A consumer ends whose places under limits, answers to tickets or signs of life the server forbids: its tasks would come again for ever.
func TestDenied_AConsumerEnds(t *testing.T) {
	subjects := []string{"$KV.FOLD_LOCKS.>", "$JS.API.CONSUMER.CREATE.KV_FOLD_LOCKS.>", "$JS.ACK.FOLD_WORK.>", "$KV.FOLD_WORKERS.>"}
	url, as := lacking(t, subjects...)
	admin := open(t, url)
	tasks := streamtest.Tasks(0, 8)
	for i := range tasks {
		tasks[i].Worker = "w"
	}
	if _, err := admin.Pool("p").Create(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Change(t.Context(), "p", func(s *foldstream.PoolSettings) { s.Limit = 4 }); err != nil {
		t.Fatal(err)
	}
	for i, subject := range subjects {
		store := as(i)
		forbids(t, subject, (&consumer.Runner{
			Pool: store.Pool("p"), PoolName: "p", Settings: store, Locks: store.Values(foldstream.Locks), Workers: newGauge().worker(0), Concurrency: 1,
			Filter: foldstream.Filter{Wait: 100 * time.Millisecond},
		}).Run)
	}
}

// A service whose user is another role's ends with exit code 1 and one line, which names what was forbidden.
func TestDenied_AServiceOfAnotherRole(t *testing.T) {
	url, dir := guarded(t)
	mustRun(t, "foldstream", "stat", "-s", url, "--nkey", filepath.Join(dir, "admin.nk"))
	mustRun(t, "producer", "submit", small, "-s", url, "--nkey", filepath.Join(dir, "producer.nk"))
	for _, service := range []string{"aggregator run", "consumer run --pool small", "producer serve"} {
		words := strings.Fields(service)
		out := run(t, words[0], slices.Concat(words[1:], []string{"-s", url, "--nkey", filepath.Join(dir, "viewer.nk")})...)
		if out.code != 1 || strings.Count(out.stderr, "\n") != 1 || !strings.Contains(out.stderr, `Permissions Violation for Publish to "`) {
			t.Errorf("%s: %+v", service, out)
		}
	}
}
