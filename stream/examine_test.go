package stream_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// examine returns what an examination finds that is not good.
func examine(t *testing.T, url string, opts ...nats.Option) (faults, all []stream.Finding) {
	t.Helper()
	s, err := stream.Inspect(connect(t, url, opts...), stream.Config{Patience: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it was not opened
	for f := range s.Examine(t.Context()) {
		all = append(all, f)
		if f.Level != stream.Good {
			faults = append(faults, f)
		}
	}
	return faults, all
}

func TestExamine_Sound(t *testing.T) {
	url := streamtest.Server(t).URL()
	faults, all := examine(t, url)
	if len(faults) > 0 || !strings.Contains(all[len(all)-1].Text, "there is none yet") {
		t.Errorf("an empty server: %+v", all)
	}
	if names := streamNames(t, url); len(names) > 0 {
		t.Errorf("it made %v", names)
	}
	s := open(t, url, stream.Config{})
	create(t, s, streamtest.Tasks(0, 3)...)
	faults, all = examine(t, url)
	if len(faults) > 0 {
		t.Errorf("%+v", faults)
	}
	for _, about := range []string{"connection", "JetStream", "permissions", "stream FOLD_WORK", "stream OBJ_FOLD_ARTIFACTS", "clock", "pool p", "workers", "dead letters"} {
		if !slices.ContainsFunc(all, func(f stream.Finding) bool { return f.About == about }) {
			t.Errorf("nothing about %s in %+v", about, all)
		}
	}
}

func streamNames(t *testing.T, url string) (names []string) {
	t.Helper()
	js, err := jetstream.New(connect(t, url))
	if err != nil {
		t.Fatal(err)
	}
	for name := range js.StreamNames(t.Context()).Name() {
		names = append(names, name)
	}
	return names
}

// Each fault of a server that stands before a store is found, and named.
func TestExamine_Faults(t *testing.T) {
	update := func(name string, change func(*jetstream.StreamConfig)) func(context.Context, jetstream.JetStream) error {
		return func(ctx context.Context, js jetstream.JetStream) error {
			st, err := js.Stream(ctx, name)
			if err != nil {
				return err
			}
			c := st.CachedInfo().Config
			change(&c)
			_, err = js.UpdateStream(ctx, c)
			return err
		}
	}
	for name, c := range map[string]struct {
		spoil func(context.Context, jetstream.JetStream) error
		level stream.Level
		about string
		text  string
	}{
		"events that expire":      {update("FOLD_EVENTS", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }), stream.Critical, "stream FOLD_EVENTS", "it keeps messages for 1h"},
		"a limited stream":        {update("FOLD_DEFS", func(c *jetstream.StreamConfig) { c.MaxMsgs = 10 }), stream.Warning, "stream FOLD_DEFS", "limited to 10 messages"},
		"no batches":              {update("FOLD_WORK", func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false }), stream.Warning, "stream FOLD_WORK", "no atomic batches"},
		"no direct gets":          {update("FOLD_WORK", func(c *jetstream.StreamConfig) { c.AllowDirect = false }), stream.Critical, "stream FOLD_WORK", "direct gets"},
		"many messages a subject": {update("FOLD_DEFS", func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 }), stream.Critical, "stream FOLD_DEFS", "messages per subject: 5, needed is 1"},
		"other subjects":          {update("FOLD_DLQ", func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "more.>") }), stream.Critical, "stream FOLD_DLQ", "subjects"},
		"a stream in memory": {func(ctx context.Context, js jetstream.JetStream) error {
			if err := js.DeleteStream(ctx, "FOLD_DLQ"); err != nil {
				return err
			}
			_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "FOLD_DLQ", Subjects: []string{"fold.dlq.>"}, Storage: jetstream.MemoryStorage, AllowDirect: true})
			return err
		}, stream.Warning, "stream FOLD_DLQ", "in memory"},
		"another retention": {func(ctx context.Context, js jetstream.JetStream) error {
			if err := js.DeleteStream(ctx, "FOLD_WORK"); err != nil {
				return err
			}
			_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "FOLD_WORK", Subjects: []string{"fold.work.>"}, MaxMsgsPerSubject: 1})
			return err
		}, stream.Critical, "stream FOLD_WORK", "retention: Limits, needed is WorkQueue"},
		"a missing stream": {func(ctx context.Context, js jetstream.JetStream) error { return js.DeleteStream(ctx, "FOLD_DLQ") }, stream.Critical, "streams", "FOLD_DLQ missing"},
		"a missing consumer": {func(ctx context.Context, js jetstream.JetStream) error {
			return js.DeleteConsumer(ctx, "FOLD_WORK", "p=_=0")
		}, stream.Warning, "consumer p=_=0", "it is missing"},
		"a consumer of another program": {func(ctx context.Context, js jetstream.JetStream) error {
			_, err := js.CreateConsumer(ctx, "FOLD_WORK", jetstream.ConsumerConfig{Durable: "thief", FilterSubject: "fold.work.q.>", AckPolicy: jetstream.AckExplicitPolicy})
			return err
		}, stream.Warning, "consumer thief", "is of no pool"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := streamtest.Server(t).URL()
			create(t, open(t, url, stream.Config{}), streamtest.Task(1))
			js, err := jetstream.New(connect(t, url))
			if err == nil {
				err = c.spoil(t.Context(), js)
			}
			if err != nil {
				t.Fatal(err)
			}
			faults, _ := examine(t, url)
			if !slices.ContainsFunc(faults, func(f stream.Finding) bool {
				return f.About == c.about && f.Level == c.level && strings.Contains(f.Text, c.text)
			}) {
				t.Errorf("found %+v; want %v, %s: %s", faults, c.level, c.about, c.text)
			}
		})
	}
}

func TestExamine_Versions(t *testing.T) {
	url := streamtest.Server(t).URL()
	create(t, open(t, url, stream.Config{}), streamtest.Task(1))
	for _, version := range []string{"1", "2"} {
		s := open(t, url, stream.Config{Version: version, Worker: "w" + version})
		if _, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{}); err != nil && !foldstream.Is(err, foldstream.NotFound) {
			t.Fatal(err)
		}
	}
	err := streamtest.Eventually(t.Context(), func() error {
		faults, all := examine(t, url)
		if !slices.ContainsFunc(faults, func(f stream.Finding) bool {
			return f.About == "workers" && f.Level == stream.Warning && strings.Contains(f.Text, "1 of version 1, 1 of version 2")
		}) {
			return fmt.Errorf("%+v", all)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A server without JetStream, and one that keeps a user from what a store needs.
func TestExamine_Server(t *testing.T) {
	serve := func(o server.Options) string { return streamtest.Configured(t, &o).ClientURL() }
	faults, all := examine(t, serve(server.Options{}))
	if len(faults) != 1 || faults[0].About != "JetStream" || faults[0].Level != stream.Critical || len(all) != 2 {
		t.Errorf("without JetStream: %+v", all)
	}
	faults, _ = examine(t, serve(server.Options{JetStream: true, MaxPayload: 32 << 10}))
	if len(faults) != 1 || faults[0].About != "connection" || !strings.Contains(faults[0].Text, "which is small") {
		t.Errorf("with small messages: %+v", faults)
	}
	url := serve(server.Options{JetStream: true, Users: []*server.User{
		{Username: "all", Password: "p"},
		{Username: "u", Password: "p", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{">"}, Deny: []string{"fold.event.>"}}}},
	}})
	create(t, open(t, url, stream.Config{}, nats.UserInfo("all", "p")), streamtest.Task(1))
	faults, _ = examine(t, url, nats.UserInfo("u", "p"))
	if len(faults) != 1 || faults[0].About != "permissions" || !strings.Contains(faults[0].Text, "user u of account $G may not publish to fold.event.p.") {
		t.Errorf("without a permission: %+v", faults)
	}
}
