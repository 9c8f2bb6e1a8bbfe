package stream_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

var permissions = flag.Bool("permissions", false, "leave out every grant of every role, not a choice of them")

// someGrants is how many are left out where not all are.
const someGrants = 8

// omission is a user of a role who lacks one of its grants.
type omission struct {
	role   stream.Role
	held   bool   // to a pool of its own
	lacks  string // "" is nothing
	grants stream.Grants
}

func (o omission) String() string {
	return fmt.Sprintf("%s held=%t without %q", o.role, o.held, o.lacks)
}

// pool is that of the n-th user. Nobody else has it, so that all there is of it is to be made.
func pool(n int) string { return fmt.Sprintf("p%d", n) }

// omissions are all users there are to try: of each role one who lacks nothing, and one for each grant.
func omissions(t *testing.T) (all []omission) {
	for _, role := range stream.Roles[:len(stream.Roles)-1] { // an admin has one grant
		for _, held := range []bool{false, true}[:1+bint(role == stream.Producer || role == stream.Consumer)] {
			grants := func() stream.Grants { return grantsOf(t, role, held, len(all)) }
			all = append(all, omission{role, held, "", grants()})
			for i := range grants().Publish {
				g := grants()
				lacks := g.Publish[i]
				g.Publish = slices.DeleteFunc(g.Publish, func(s string) bool { return s == lacks })
				all = append(all, omission{role, held, lacks, g})
			}
			for i := range grants().Subscribe {
				g := grants()
				lacks := g.Subscribe[i]
				g.Subscribe = slices.DeleteFunc(g.Subscribe, func(s string) bool { return s == lacks })
				all = append(all, omission{role, held, lacks, g})
			}
			if g := grants(); g.Responses {
				g.Responses = false
				all = append(all, omission{role, held, "_INBOX.", g})
			}
		}
	}
	return all
}

func bint(b bool) int {
	if b {
		return 1
	}
	return 0
}

// grantsOf are those of a role, held to the pool of the n-th user and its stages, or not.
func grantsOf(t *testing.T, role stream.Role, held bool, n int) stream.Grants {
	t.Helper()
	var pools, of []string
	if held {
		pools, of = []string{pool(n)}, stages
	}
	g, err := stream.GrantsOf("", role, pools, of)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(g.Publish)
	g.Publish = slices.Compact(g.Publish)
	return g
}

// rolesServer runs a server with an admin and all these users, the n-th by the name of its pool.
func rolesServer(t *testing.T, all []omission) string {
	t.Helper()
	users := []*server.User{{Username: "admin", Password: "p"}}
	for n, o := range all {
		p := &server.Permissions{Publish: &server.SubjectPermission{Allow: o.grants.Publish}, Subscribe: &server.SubjectPermission{Allow: o.grants.Subscribe}}
		if len(o.grants.Subscribe) == 0 { // none at all is no list
			p.Subscribe.Deny = []string{">"}
		}
		if o.grants.Responses {
			p.Response = &server.ResponsePermission{MaxMsgs: 1, Expires: time.Minute}
		}
		users = append(users, &server.User{Username: pool(n), Password: "p", Permissions: p})
	}
	return streamtest.Configured(t, &server.Options{JetStream: true, Users: users}).ClientURL()
}

// Every grant is needed: a user of a role who lacks it is refused something in the middle of the role's work, and one who lacks none
// does all of the work and is refused nothing.
func TestRoles_EveryGrantIsNeeded(t *testing.T) {
	all := omissions(t)
	chosen := rand.Perm(len(all))
	if !*permissions {
		chosen = chosen[:someGrants]
	}
	for n, o := range all {
		if o.lacks == "" && !slices.Contains(chosen, n) {
			chosen = append(chosen, n)
		}
	}
	aggregators := func(n int) int { return bint(all[n].role == stream.Aggregator) }
	slices.SortStableFunc(chosen, func(a, b int) int { return aggregators(a) - aggregators(b) })
	url := rolesServer(t, all)
	admin := open(t, url, stream.Config{Lease: 300 * time.Millisecond}, nats.UserInfo("admin", "p"))
	setScene(t, admin)
	index := keepIndex(t, admin)
	for _, n := range chosen {
		o := all[n]
		if o.role == stream.Aggregator {
			index() // they keep their own
		}
		denied, err := tryRole(t, url, admin, o, n)
		switch {
		case o.lacks == "" && (denied != nil || err != nil):
			t.Errorf("%v: %v, %v", o, denied, err)
		case o.lacks != "" && denied == nil:
			t.Errorf("%v: nothing was refused, and the work ended with %v", o, err)
		case o.lacks != "" && !strings.Contains(denied.Error(), `"`+strings.TrimRight(strings.SplitN(o.lacks, "*", 2)[0], ">")):
			t.Errorf("%v: refused was %v", o, denied)
		}
	}
}

// tryRole does the role's work as the n-th user, up to the first denial that is heard of.
func tryRole(t *testing.T, url string, admin *stream.Store, o omission, n int) (denied, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var heard atomic.Pointer[error]
	nc := connect(t, url, nats.UserInfo(pool(n), "p"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrPermissionViolation) && heard.CompareAndSwap(nil, &err) {
			cancel()
		}
	}))
	r := rehearsal{pool: pool(n), admin: admin, nc: nc, held: o.held}
	r.Store, err = stream.Open(ctx, nc, stream.Config{Lease: 300 * time.Millisecond, Worker: pool(n)})
	if err == nil {
		err = errors.Join(r.work(ctx, o.role), r.Close())
		_ = nc.FlushTimeout(10 * time.Second) // what was sent last is refused by now
		_ = admin.DeleteConsumersOf(t.Context(), r.pool)
	}
	if p := heard.Load(); p != nil {
		return *p, err
	}
	if last := nc.LastError(); errors.Is(last, nats.ErrPermissionViolation) { // its handler comes later
		return last, err
	}
	return nil, err
}

// keepIndex keeps an index until the function that it returns is called, or the test ends.
func keepIndex(t *testing.T, s *stream.Store) (end func()) {
	t.Helper()
	serving, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { _ = s.ServeIndex(serving) }) // it ends with its context
	end = func() {
		cancel()
		work.Wait()
	}
	t.Cleanup(end)
	err := streamtest.Eventually(t.Context(), func() error {
		if _, ok := s.AskStat(t.Context(), seen); !ok {
			return errors.New("no index answers")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return end
}

// rehearsal is a user at work in a pool.
type rehearsal struct {
	*stream.Store
	pool  string
	held  bool
	admin *stream.Store
	nc    *nats.Conn
}

func (r rehearsal) work(ctx context.Context, role stream.Role) error {
	scripts := map[stream.Role]func(context.Context) error{
		stream.Viewer: func(context.Context) error { return nil }, stream.Producer: r.produce, stream.Consumer: r.consume, stream.Aggregator: r.aggregate,
	}
	if err := r.view(ctx); err != nil {
		return fmt.Errorf("view: %w", err)
	}
	return scripts[role](ctx)
}
