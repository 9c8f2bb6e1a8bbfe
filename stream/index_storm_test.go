package stream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestIndex_Storm has workers and operators do anything to the tasks of several pools. While it lasts, no answer is older than what was
// acknowledged before the question. After each round, when all is at rest, an index says exactly what the streams do. In one round a
// vandal deletes definitions and events behind the protocol's back: an index that cannot know does not answer until it read anew.
func TestIndex_Storm(t *testing.T) {
	t.Parallel()
	url := streamtest.Server(t).URL()
	torn := &counter{}
	cfg := stream.Config{Lease: 300 * time.Millisecond}
	st := indexStorm{s: open(t, url, cfg), operator: open(t, url, cfg), deaf: open(t, url, cfg)}
	st.deaf.Deaf()
	var err error
	if st.js, err = jetstream.New(connect(t, url)); err != nil {
		t.Fatal(err)
	}
	cfg.Logger = slog.New(torn)
	server := open(t, url, cfg)
	for round, deeds := range []int{0, 0, 0, 4, 0} {
		if round == 1 { // the first round comes before the index, which is filled while the second one rages
			fill(t, server)
		}
		before := torn.Load()
		st.rage(t, uint64(round), deeds)
		for _, pool := range []string{"calm", "busy", "wild", "long", "none"} {
			st.compare(t, round, pool)
		}
		if torn.Load() > before != (deeds > 0) {
			t.Errorf("round %d: the streams were read anew %d times", round, torn.Load()-before)
		}
	}
}

type indexStorm struct {
	s, operator, deaf *stream.Store
	js                jetstream.JetStream
	created, done     atomic.Int64 // in the pool "calm"
}

// counter counts warnings of an index that was torn.
type counter struct {
	slog.Handler
	atomic.Int64
}

func (c *counter) Enabled(context.Context, slog.Level) bool { return true }

func (c *counter) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "anew") {
		c.Add(1)
	}
	return nil
}

// rage is one round.
func (st *indexStorm) rage(t *testing.T, seed uint64, deeds int) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var storm, beside sync.WaitGroup
	for i := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, i))
		storm.Go(func() { st.work(ctx, t, random) })
		storm.Go(func() { st.operate(ctx, t, rand.New(rand.NewPCG(seed, 100+i))) })
	}
	storm.Go(func() { st.vandalize(ctx, t, rand.New(rand.NewPCG(seed, 200)), deeds) })
	storm.Go(func() { st.calm(ctx, t) })
	storm.Go(func() { st.longLife(ctx, t) })
	beside.Go(func() { st.ask(ctx, t) })
	storm.Wait()
	stop()
	beside.Wait()
}

// few are the tasks that everybody meets at.
const few = 12

func anyOf(random *rand.Rand) foldstream.Task {
	task := streamtest.Task(random.IntN(few))
	if random.IntN(3) == 0 {
		task.Stages = []string{"fit", "score"}
	}
	return task
}

func (st *indexStorm) work(ctx context.Context, t *testing.T, random *rand.Rand) {
	for range 25 {
		l, err := st.s.Pool([]string{"busy", "wild"}[random.IntN(2)]).Fetch(ctx, foldstream.Filter{Wait: 50 * time.Millisecond})
		if err != nil {
			continue // nothing there, or something that the vandal broke
		}
		switch random.IntN(6) {
		case 0:
			err = l.Extend(ctx, foldstream.Progress{}) // so that its claim is decided when the round ends
			stream.Abandon(l)
		case 1:
			err = l.Return(ctx, errors.New("busy"), 0)
		case 2:
			err = l.Return(ctx, nil, time.Hour)
		case 3:
			err = l.Fail(ctx, errors.New("no use"))
		default:
			err = l.Commit(ctx, foldstream.Result{})
		}
		if err != nil && !foldstream.Is(err, foldstream.Conflict) {
			t.Error(err)
		}
	}
}

func (st *indexStorm) operate(ctx context.Context, t *testing.T, random *rand.Rand) {
	for range 25 {
		pool, task, n := []string{"busy", "wild"}[random.IntN(2)], anyOf(random), random.IntN(19)-9
		var err error
		switch random.IntN(7) {
		case 0:
			_, err = st.operator.Cancel(ctx, pool, "meddling", task.ID)
		case 1:
			_, err = st.operator.Remove(ctx, pool, "meddling", task.ID)
		case 2:
			_, err = st.operator.Retry(ctx, pool, "meddling", task.ID)
		case 3:
			_, err = st.operator.Reset(ctx, pool, true, task.ID)
		case 4:
			_, err = st.operator.Prioritize(ctx, pool, &n, task.ID)
		default:
			_, err = st.operator.Pool(pool).Create(ctx, task)
		}
		if err != nil && pool != "wild" {
			t.Error(err)
		}
	}
}

// vandalize deletes in the pool "wild".
func (st *indexStorm) vandalize(ctx context.Context, t *testing.T, random *rand.Rand, deeds int) {
	for range deeds {
		id := anyOf(random).ID
		if random.IntN(3) == 0 {
			id = "*"
		}
		var err error
		if id == "*" || random.IntN(2) == 0 {
			err = st.operator.Forget(ctx, "wild", id)
		} else {
			err = st.operator.DeleteDefinition(ctx, "wild", id)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// calm makes and works tasks in a pool where nothing else happens, and counts what was acknowledged.
func (st *indexStorm) calm(ctx context.Context, t *testing.T) {
	for range 25 {
		err := createAndCommit(ctx, st.s, "calm", streamtest.Task(int(st.created.Load())), func() error {
			st.created.Add(1)
			return nil
		})
		if err != nil {
			t.Error(err)
			return
		}
		st.done.Add(1)
	}
}

// longLife gives a task more events than its subject keeps.
func (st *indexStorm) longLife(ctx context.Context, t *testing.T) {
	if _, err := st.s.Pool("long").Create(ctx, streamtest.Task(0)); err != nil {
		t.Error(err)
	}
	for range 40 {
		l, err := st.s.Pool("long").Fetch(ctx, soon)
		if err == nil {
			err = l.Return(ctx, nil, 0)
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// ask asks all the time. In the pool "calm" tasks only become more, and only become done.
func (st *indexStorm) ask(ctx context.Context, t *testing.T) {
	for ctx.Err() == nil {
		created, done := int(st.created.Load()), int(st.done.Load())
		all, err := asked(ctx, st.operator, "")
		if err != nil {
			continue
		}
		c := all["calm"]
		if c.Total() < created || c[foldstream.Done] < done || c.Total() > int(st.created.Load())+1 || c[foldstream.Done] > int(st.done.Load())+1 {
			t.Errorf("%d were created and %d done before it was asked: %v", created, done, c)
		}
	}
}

// compare wants an index, when it answers, to say what the streams do.
func (st *indexStorm) compare(t *testing.T, round int, pool string) {
	t.Helper()
	want, err := countStreams(t.Context(), st.js, pool)
	if err != nil {
		t.Fatal(err)
	}
	read, err := st.deaf.Pool(pool).Stat(t.Context())
	if err != nil || !maps.Equal(read, want) {
		t.Errorf("round %d, pool %s: read %v, %v; the streams say %v", round, pool, read, err, want)
	}
	if round == 0 {
		return
	}
	var got map[string]foldstream.Counts
	err = streamtest.Eventually(t.Context(), func() (err error) {
		got, err = asked(t.Context(), st.operator, pool)
		return err
	})
	if err != nil || !maps.Equal(got[pool], want) {
		t.Errorf("round %d, pool %s: answered %v, %v; the streams say %v", round, pool, got[pool], err, want)
	}
	listed, read2 := tasksOf(t, st.operator, pool), tasksOf(t, st.deaf, pool)
	if d := cmp.Diff(read2, listed, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })); d != "" {
		t.Errorf("round %d, pool %s: - read + answered\n%s", round, pool, d)
	}
}

func tasksOf(t *testing.T, s *stream.Store, pool string) (all []foldstream.TaskState) {
	t.Helper()
	for state, err := range s.Tasks(t.Context(), pool) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, state)
	}
	return all
}

// countStreams counts as simply as can be: each definition, by the last event of its task.
func countStreams(ctx context.Context, js jetstream.JetStream, pool string) (foldstream.Counts, error) {
	defs, err := js.Stream(ctx, "FOLD_DEFS")
	if err != nil {
		return nil, err
	}
	info, err := defs.Info(ctx, jetstream.WithSubjectFilter("fold.def."+pool+".*"))
	if err != nil {
		return nil, err
	}
	events, err := js.Stream(ctx, "FOLD_EVENTS")
	if err != nil {
		return nil, err
	}
	counts := foldstream.Counts{}
	for subject := range info.State.Subjects {
		status := foldstream.Waiting
		m, err := events.GetLastMsgForSubject(ctx, strings.Replace(subject, "fold.def.", "fold.event.", 1))
		switch {
		case err == nil:
			status = foldstream.Status(strings.Fields(m.Header.Get("Fold-Event"))[1])
		case !errors.Is(err, jetstream.ErrMsgNotFound):
			return nil, fmt.Errorf("%s: %w", subject, err)
		}
		counts[status]++
	}
	return counts, nil
}
