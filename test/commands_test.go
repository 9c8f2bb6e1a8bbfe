package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// A consumer runs no command that it was not told to allow, and says so where the task's failure is looked for; the producer says
// what to allow.
func TestCommandsAreAllowed(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	file, _ := jobFile(t, "good", 2)
	if out := run(t, "producer", "submit", file, "-s", url); out.code != 0 || !strings.Contains(out.stderr, "consumers need --allow 'sh -c'") {
		t.Errorf("submit: %+v", out)
	}
	strict := start(t, "consumer", "run", "--pool", "jobs", "-s", url)
	eventually(t, "the tasks failed", func() bool { return stat(t, url, "jobs")[foldstream.Dead] == 2 })
	if letters := mustRun(t, "foldstream", "dlq", "ls", "jobs", "--json", "-s", url); strings.Count(letters, `"error":"exec: this consumer does not run the command`) != 2 || !strings.Contains(letters, "it allows none") {
		t.Errorf("dead letters:\n%s", letters)
	}
	strict.stop(t)
	mustRun(t, "foldstream", "retry", "jobs", "--all", "--force", "-s", url)
	start(t, "consumer", "run", "--pool", "jobs", "--allow", "python3", "--allow", "sh -c", "-s", url)
	eventually(t, "the tasks are done", func() bool { return stat(t, url, "jobs")[foldstream.Done] == 2 })
}

// run works the commands of its file and of nobody else who uses the pool.
func TestRunWorksItsOwnCommands(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	others, _ := jobFile(t, "good", 2)
	mustRun(t, "producer", "submit", others, "-s", url)
	text, err := os.ReadFile(others)
	if err != nil {
		t.Fatal(err)
	}
	mine := write(t, strings.NewReplacer("name: jobs", "name: mine\npool: jobs", "[good]", "[better]").Replace(string(text)))
	if out := run(t, "foldstream", "run", mine, "-s", url, "--out", t.TempDir()); !strings.Contains(out.stderr, "executed") {
		t.Errorf("%+v", out)
	}
	if counts := stat(t, url, "jobs"); counts[foldstream.Done] != 2 || counts[foldstream.Waiting] != 2 {
		t.Errorf("%v: want two of mine done, and two of the other's waiting", counts)
	}
}

// Secrets of the consumer reach no command, no log and no error.
func TestSecretsStay(t *testing.T) {
	const secret = "hunter2"
	server := passwordServer(t, secret)
	url := strings.Replace(server, "nats://", "nats://worker:"+secret+"@", 1)
	dir := t.TempDir()
	prices, err := filepath.Abs("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, fmt.Sprintf(`name: spy
calendar: {csv: %s}
worker: exec
exec: {command: [sh, -c, "env > %s/env; tr '\\0' '\\n' < /proc/$PPID/cmdline > %s/line; echo '{}'"]}
template: {model: {kind: good}}
leaks: warn
`, prices, dir, dir))
	t.Setenv(forPrograms+"NATS_USER", "worker")
	t.Setenv(forPrograms+"NATS_PASSWORD", secret)
	mustRun(t, "producer", "submit", file, "-s", server)
	consumer := start(t, "consumer", "run", "--pool", "spy", "--allow", "sh", "-s", server, "-v")
	eventually(t, "the task is done", func() bool {
		return strings.Contains(mustRun(t, "foldstream", "stat", "spy", "--json", "-s", server), `"done": 1`)
	})
	consumer.stop(t)
	for _, name := range []string{"env", "line"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || strings.Contains(string(text), secret) {
			t.Errorf("%s, %v:\n%s", name, err, text)
		}
	}
	if strings.Contains(consumer.stderr.String(), secret) {
		t.Errorf("the log has it:\n%s", consumer.stderr)
	}
	for _, args := range [][]string{
		{"stat", "-s", strings.Replace(url, secret, secret+"x", 1)}, {"stat", "-s", "nats://worker:" + secret + "@127.0.0.1:1"},
		{"stat", "-s", "nats://" + secret + "@127.0.0.1:1,nats://" + secret + "@127.0.0.1:2"}, {"stat", "-s", "nats://worker:" + secret + "@[::1"},
	} {
		if out := run(t, "foldstream", args...); out.code == 0 || strings.Contains(out.stderr+out.stdout, secret) {
			t.Errorf("%v: exit code %d: %s", args, out.code, out.stderr)
		}
	}
}

// passwordServer runs a server that asks for a user's password, until the test ends, and returns its address.
func passwordServer(t *testing.T, password string) string {
	t.Helper()
	return configured(t, &server.Options{JetStream: true, Users: []*server.User{{Username: "worker", Password: password}}})
}

// configured runs a server on a free loopback port until the test ends, and returns its address.
func configured(t *testing.T, o *server.Options) string {
	t.Helper()
	return streamtest.Configured(t, o).ClientURL()
}
