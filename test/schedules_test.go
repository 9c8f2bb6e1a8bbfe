package test

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream/stream/streamtest"
)

// large is an experiment whose submission takes a while.
const large = `name: large
calendar: {csv: %s}
worker: exec
exec: {command: ["true"]}
template: {model: {kind: good, n: 0}}
generators:
  - grid: {model.n: {range: [1, 12000, 1]}}
leaks: warn
`

// scheduleShown is what schedule show tells machines.
type scheduleShown struct {
	Active bool
	Due    *time.Time
	Last   *struct {
		Due                 time.Time
		Worker, Text, Error string
		Ended               *time.Time
	}
}

func shown(t *testing.T, url, name string) (out scheduleShown) {
	t.Helper()
	if err := json.Unmarshal([]byte(mustRun(t, "foldstream", "schedule", "show", name, "--json", "-s", url)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// portOf returns the port of a server's address.
func portOf(t *testing.T, url string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// A process is killed while it executes an order: another one executes the same order, and the experiment's tasks exist once.
func TestSchedule_KilledInTheMiddle(t *testing.T) {
	url := streamtest.Server(t).URL() // serve would execute orders itself
	prices, err := filepath.Abs("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, "foldstream", "schedule", "add", "soon", write(t, fmt.Sprintf(large, prices)), "--every", "1h", "--as", "{name}-{date}-{time}", "-s", url)
	victim := start(t, "producer", "serve", "-s", url, "--lease", "1s")
	mustRun(t, "foldstream", "schedule", "run-now", "soon", "-s", url)
	eventually(t, "the victim has the order", func() bool { s := shown(t, url, "soon"); return s.Last != nil && s.Last.Ended == nil })
	first := shown(t, url, "soon")
	victim.kill()

	second := start(t, "producer", "serve", "-s", url, "--lease", "1s")
	eventually(t, "the second has the order", func() bool { return shown(t, url, "soon").Last.Worker != first.Last.Worker })
	told := <-second.lines
	last := shown(t, url, "soon").Last
	if last.Error != "" || !strings.Contains(told, "large-"+first.Last.Due.UTC().Format("20060102-150405")+": 12000 tasks in pool large: ") {
		t.Errorf("the second tells %s; %+v", told, last)
	}
	if counts := stat(t, url, "large"); counts.Total() != 12000 {
		t.Errorf("the pool has %v", counts)
	}
	mustRun(t, "foldstream", "verify", "large", "-s", url)
	second.stop(t)
	if s := shown(t, url, "soon"); s.Due != nil || !s.Active {
		t.Errorf("in the end the schedule stands as %+v", s)
	}
}

// Two processes share the orders of a schedule: each comes to one of them, over the death of the server.
func TestSchedule_TwoDoItOnce(t *testing.T) {
	dir := t.TempDir()
	file, _ := jobFile(t, "good", 2)
	url, server := serve(t, dir)
	daemons := []*process{start(t, "producer", "serve", "-s", url, "--json"), start(t, "producer", "serve", "-s", url, "--json")}
	mustRun(t, "foldstream", "schedule", "add", "a", file, "--every", "1s", "--as", "{name}-{time}", "-s", url)
	eventually(t, "it came due", func() bool { s := shown(t, url, "a"); return s.Last != nil && s.Last.Ended != nil })
	server.kill()
	again := start(t, "foldstream", "serve", "--store", dir, "--port", portOf(t, url))
	<-again.lines // it answers
	eventually(t, "it comes due after the server died", func() bool {
		s := shown(t, url, "a")
		return s.Last.Ended != nil && time.Since(s.Last.Due) < 5*time.Second && s.Last.Error == ""
	})
	mustRun(t, "foldstream", "schedule", "rm", "a", "-s", url)
	seen := map[string]bool{}
	for _, d := range daemons {
		d.stop(t)
		for line := range d.lines {
			var told struct{ Due, Error string }
			if err := json.Unmarshal([]byte(line), &told); err != nil || told.Error != "" || seen[told.Due] {
				t.Errorf("%s: %v; told before: %v", line, err, seen[told.Due])
			}
			seen[told.Due] = true
		}
	}
	if counts := stat(t, url, "jobs"); counts.Total() != 2 {
		t.Errorf("the pool has %v", counts)
	}
	mustRun(t, "foldstream", "verify", "jobs", "-s", url)
}
