package test

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream/stream/streamtest"
)

// What a person sees of tasks is the same whether an aggregator answers from its index or the streams are read, and page by page it is
// what it is at once.
func TestIndexShowsWhatTheStreamsHold(t *testing.T) {
	url := streamtest.Server(t).URL()
	mustRun(t, "producer", "submit", small, "-s", url)
	consumer := start(t, "consumer", "run", "--pool", "small", "-s", url)
	eventually(t, "something is done", func() bool { return stat(t, url, "small")["done"] >= 3 })
	consumer.stop(t)
	show := func() string {
		return mustRun(t, "foldstream", "stat", "-s", url) + mustRun(t, "foldstream", "stat", "small", "--json", "-s", url) +
			mustRun(t, "foldstream", "task", "list", "small", "--json", "-s", url) +
			mustRun(t, "foldstream", "task", "list", "small", "--status", "done,running", "--limit", "5", "-s", url)
	}
	read := show()
	aggregator := start(t, "aggregator", "run", "-s", url)
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	eventually(t, "the index answers", func() bool {
		m, err := nc.Request("fold.index.stat", nil, 5*time.Second)
		return err == nil && strings.Contains(string(m.Data), "small")
	})
	if answered := show(); answered != read {
		t.Errorf("the index says\n%s\nand the streams\n%s", answered, read)
	}
	all := strings.Fields(mustRun(t, "foldstream", "task", "list", "small", "-n", "-s", url))
	var paged []string
	for after := []string{}; ; {
		page := strings.Fields(mustRun(t, "foldstream", append([]string{"task", "list", "small", "-n", "-s", url, "--limit", "50"}, after...)...))
		if paged = append(paged, page...); len(page) < 50 {
			break
		}
		after = []string{"--after", page[len(page)-1]}
	}
	if strings.Join(paged, " ") != strings.Join(all, " ") || len(all) == 0 {
		t.Errorf("%d tasks in pages, %d at once", len(paged), len(all))
	}
	aggregator.stop(t)
	if again := show(); again != read {
		t.Errorf("without the index again\n%s\nand not\n%s", again, read)
	}
}
