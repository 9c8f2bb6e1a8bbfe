package stream_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// serve keeps an index until stop is called, or the test ends, and returns when somebody answers.
func serve(t testing.TB, s *stream.Store) (stop func()) {
	t.Helper()
	stop = fill(t, s)
	if err := streamtest.Eventually(t.Context(), func() error { _, err := asked(t.Context(), s, ""); return err }); err != nil {
		t.Fatal(err)
	}
	return stop
}

// fill is serve, without waiting for an answer.
func fill(t testing.TB, s *stream.Store) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.ServeIndex(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// asked counts by an index alone.
func asked(ctx context.Context, s *stream.Store, pool string) (map[string]foldstream.Counts, error) {
	all, ok := s.AskStat(ctx, pool)
	if !ok {
		return nil, errors.New("no index answers")
	}
	return all, nil
}

// TestIndex_ListsAll lists a pool of several pages by the index alone: it is asked for each of them.
func TestIndex_ListsAll(t *testing.T) {
	t.Parallel()
	url := streamtest.Server(t).URL()
	s := open(t, url, stream.Config{})
	const many, page = 1201, 500
	create(t, s, streamtest.Tasks(0, many)...)
	serve(t, s)
	var asked atomic.Int64
	listener := connect(t, url)
	_, err := listener.Subscribe("fold.index.tasks", func(*nats.Msg) { asked.Add(1) })
	if err := errors.Join(err, listener.Flush()); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range s.Tasks(t.Context(), "p") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != many {
		t.Errorf("%d of %d tasks are listed", n, many)
	}
	if err := streamtest.Eventually(t.Context(), func() error {
		if got := asked.Load(); got != (many+page-1)/page {
			return fmt.Errorf("the index was asked %d times", got)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// TestIndex_ReadYourWrites counts, at another store and at once, after each write that was acknowledged.
func TestIndex_ReadYourWrites(t *testing.T) {
	t.Parallel()
	url := streamtest.Server(t).URL()
	writer, reader := open(t, url, stream.Config{}), open(t, url, stream.Config{})
	serve(t, open(t, url, stream.Config{}))
	readYourWrites(t, writer, reader, 500)
}

// readYourWrites creates and commits tasks one by one, in several pools at once, and wants every answer of an index to know what was
// written before it was asked for: two answers for each of n tasks. An index may be late, but never wrong.
func readYourWrites(t *testing.T, writer, reader *stream.Store, n int) {
	t.Helper()
	const pools = 5
	var writers sync.WaitGroup
	var late atomic.Int64
	for p := range pools {
		writers.Go(func() {
			pool := fmt.Sprint("pool-", p)
			counts := func(waiting, done int) error {
				all, err := asked(t.Context(), reader, pool)
				if err != nil {
					late.Add(1)
				} else if c := all[pool]; c[foldstream.Waiting] != waiting || c[foldstream.Done] != done || c.Total() != waiting+done {
					return fmt.Errorf("%s: %v, not %d waiting and %d done", pool, c, waiting, done)
				}
				return nil
			}
			for i := range n / pools {
				if err := createAndCommit(t.Context(), writer, pool, streamtest.Task(i), func() error { return counts(1, i) }); err != nil {
					t.Error(err)
					return
				}
				if err := counts(0, i+1); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	t.Logf("%d of %d answers were late", late.Load(), 2*n)
	if late.Load() > int64(n/10) {
		t.Errorf("%d of %d answers were late", late.Load(), 2*n)
	}
}

// createAndCommit makes a task and works it, and does something when it is made.
func createAndCommit(ctx context.Context, s *stream.Store, pool string, task foldstream.Task, made func() error) error {
	if _, err := s.Pool(pool).Create(ctx, task); err != nil {
		return err
	}
	if err := made(); err != nil {
		return err
	}
	l, err := s.Pool(pool).Fetch(ctx, soon)
	if err != nil {
		return err
	}
	return l.Commit(ctx, foldstream.Result{})
}

// TestIndex_Nobody asks where no index is kept, and where one is that does not answer, or answers nonsense: the streams are read.
func TestIndex_Nobody(t *testing.T) {
	t.Parallel()
	url := streamtest.Server(t).URL()
	writer := open(t, url, stream.Config{})
	create(t, writer, streamtest.Tasks(0, 5)...)
	nc := connect(t, url)
	counted := func(name string, s *stream.Store) (took time.Duration) {
		t.Helper()
		begun := time.Now()
		got, err := s.Pool("p").Stat(t.Context())
		if took = time.Since(begun); err != nil || got[foldstream.Waiting] != 5 || got.Total() != 5 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		n := 0
		for task, err := range s.Tasks(t.Context(), "p") {
			if n++; err != nil || task.ID == "" {
				t.Errorf("%s: %v, %v", name, task, err)
			}
		}
		if n != 5 {
			t.Errorf("%s: %d tasks", name, n)
		}
		return took
	}
	counted("nobody", open(t, url, stream.Config{}))
	for name, answer := range map[string]nats.MsgHandler{
		"silence":         func(*nats.Msg) {},
		"nothing":         func(m *nats.Msg) { _ = m.Respond(nil) },
		"nonsense":        func(m *nats.Msg) { _ = m.Respond([]byte("nonsense")) },
		"an empty object": func(m *nats.Msg) { _ = m.Respond([]byte("{}")) },
		"a younger answer": func(m *nats.Msg) {
			_ = m.Respond([]byte(`{"version":2,"pools":{"p":{"done":1}},"tasks":[{"id":"a"}]}`))
		},
		"an error": func(m *nats.Msg) {
			_ = m.RespondMsg(&nats.Msg{Header: nats.Header{micro.ErrorCodeHeader: {"503"}}, Data: []byte(`{"version":1,"pools":{}}`)})
		},
	} {
		sub, err := nc.Subscribe("fold.index.>", answer)
		if err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		s := open(t, url, stream.Config{})
		counted(name, s)
		if took := counted(name+", again", s); name == "silence" && took > time.Second {
			t.Errorf("who did not answer is asked again at once, which took %v", took)
		}
		if err := sub.Unsubscribe(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestIndex_Hostile sends what no client of ours sends. Each question has an error for an answer, and the index goes on.
func TestIndex_Hostile(t *testing.T) {
	t.Parallel()
	url := streamtest.Server(t).URL()
	s := open(t, url, stream.Config{})
	create(t, s, streamtest.Tasks(0, 5)...)
	serve(t, s)
	nc := connect(t, url)
	ask := func(endpoint, body string) *nats.Msg {
		t.Helper()
		m, err := nc.Request("fold.index."+endpoint, []byte(body), 10*time.Second)
		if err != nil {
			t.Fatalf("%s %q: %v", endpoint, body, err)
		}
		return m
	}
	for body, code := range map[string]string{
		"nonsense": "400", "{": "400", "[]": "400", `{"pool":5}`: "400", `{"version":2}`: "400", `{"version":-1}`: "400",
		`{"since":"yesterday"}`: "400", `{"pool":"a.b"}`: "400", `{"pool":"*"}`: "400", `{"pool":"p"} {}`: "400",
		`{"pool":"p","limit":-1}`: "400", `{"pool":"p","limit":1e30}`: "400", `{"pool":"p","statuses":["lost"]}`: "400",
		`{"pool":"p","past":-1}`: "400", "\x00\xff": "400",
	} {
		for _, endpoint := range []string{"stat", "tasks"} {
			if got := ask(endpoint, body).Header.Get(micro.ErrorCodeHeader); got != code {
				t.Errorf("%s %q: %q, not %s", endpoint, body, got, code)
			}
		}
	}
	for body, code := range map[string]string{
		"": "400", `{"pool":"p","after":"aaaaaaaaaaaaaaaaaaaaaaaaaa"}`: "404", `{"pool":"p","after":"é"}`: "404",
		`{"pool":"q","after":"aaaaaaaaaaaaaaaaaaaaaaaaaa"}`: "404", `{"pool":"p","past":18446744073709551615}`: "",
		`{"pool":"p","limit":1000000}`: "", `{"pool":"q"}`: "",
	} {
		if got := ask("tasks", body).Header.Get(micro.ErrorCodeHeader); got != code {
			t.Errorf("tasks %q: %q, not %q", body, got, code)
		}
	}
	if m := ask("stat", ""); string(m.Data) != `{"version":1,"pools":{"p":{"waiting":5}}}` {
		t.Errorf("all pools: %s", m.Data)
	}
}

// TestIndex_Foreign has something in a pool that no program of ours wrote: for that pool there is no answer, for others there is.
func TestIndex_Foreign(t *testing.T) {
	t.Parallel()
	url := streamtest.Server(t).URL()
	s := open(t, url, stream.Config{})
	create(t, s, streamtest.Tasks(0, 5)...)
	if _, err := s.Pool("q").Create(t.Context(), streamtest.Task(1)); err != nil {
		t.Fatal(err)
	}
	serve(t, s)
	nc := connect(t, url)
	for _, subject := range []string{
		"fold.def.q.nonsense", "fold.def.q", "fold.event.r.a.b.c", "fold.event.r." + string(streamtest.Task(1).ID),
	} {
		if _, err := nc.Request(subject, []byte("nonsense"), 5*time.Second); err != nil {
			t.Fatal(subject, err)
		}
	}
	if all, err := asked(t.Context(), s, "p"); err != nil || all["p"][foldstream.Waiting] != 5 {
		t.Errorf("pool p: %v, %v", all, err)
	}
	for _, pool := range []string{"q", "r", ""} {
		if all, err := asked(t.Context(), s, pool); err == nil {
			t.Errorf("pool %q: %v", pool, all)
		}
	}
	if counts, err := s.Pool("q").Stat(t.Context()); err != nil || counts.Total() != 1 {
		t.Errorf("pool q: %v, %v", counts, err)
	}
}

// TestIndex_Shared has two who keep an index, of whom one comes and goes: nobody who asks notices.
func TestIndex_Shared(t *testing.T) {
	t.Parallel()
	url := streamtest.Server(t).URL()
	s := open(t, url, stream.Config{})
	create(t, s, streamtest.Tasks(0, 50)...)
	serve(t, s)
	var asks sync.WaitGroup
	var unanswered, answers atomic.Int64
	ctx, end := context.WithCancel(t.Context())
	for range 4 {
		client := open(t, url, stream.Config{})
		asks.Go(func() {
			for ctx.Err() == nil {
				all, err := asked(ctx, client, "p")
				switch {
				case ctx.Err() != nil:
				case err != nil:
					unanswered.Add(1)
				case all["p"][foldstream.Waiting] != 50:
					t.Error(all)
				default:
					answers.Add(1)
				}
			}
		})
	}
	for range 5 {
		other := open(t, url, stream.Config{})
		stop := serve(t, other)
		if err := reached(ctx, &answers, answers.Load()+200); err != nil {
			t.Error(err)
		}
		stop()
	}
	end()
	asks.Wait()
	if n := unanswered.Load(); n > 5*4 { // those that the one who goes has in hand
		t.Errorf("%d questions were not answered", n)
	}
}
