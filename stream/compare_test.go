package stream_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// planted is a header of what tests publish in the place of others.
const planted = "Planted"

// compared watches what stores publish under a prefix until the test ends: every ticket is compared with the last of all tickets of its
// task, by the same filter, and every definition and event with the last of its subject. A cluster that is given different filters
// takes two tickets; which ones then meet is chance, so this is watched and not provoked.
func compared(t *testing.T, url, prefix string) {
	t.Helper()
	var mu sync.Mutex
	var wrong []string
	watch := func(m *nats.Msg) {
		if m.Header.Get(planted) != "" {
			return
		}
		want, rest := "", strings.Split(m.Subject, ".")
		if rest[1] == "work" {
			want = prefix + ".work." + rest[2] + ".*.*." + rest[len(rest)-1]
		}
		filter, seq := m.Header.Get(jetstream.ExpectedLastSubjSeqSubjHeader), m.Header.Get(jetstream.ExpectedLastSubjSeqHeader)
		if filter != want || seq == "" {
			mu.Lock()
			defer mu.Unlock()
			wrong = append(wrong, m.Subject+" expects "+seq+" on "+filter)
		}
	}
	nc := connect(t, url)
	for _, kind := range []string{".def.>", ".event.>", ".work.>"} {
		if _, err := nc.Subscribe(prefix+kind, watch); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, w := range wrong {
			t.Error(w)
		}
	})
}
