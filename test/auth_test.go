package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream/stream/streamtest"
)

// guarded runs a nats-server on the configuration that auth init wrote, and returns its address and the folder of the seeds.
func guarded(t *testing.T, args ...string) (url, dir string) {
	t.Helper()
	return guardedBy(t, "", args...)
}

// guardedBy is guarded with more in the server's own configuration.
func guardedBy(t *testing.T, more string, args ...string) (url, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "auth")
	mustRun(t, "foldstream", append([]string{"auth", "init", dir}, args...)...)
	conf := filepath.Join(dir, "server.conf")
	text := "listen: 127.0.0.1:-1\njetstream {store_dir: \"" + filepath.Join(t.TempDir(), "store") + "\"}\n" + more + "include \"foldstream.conf\"\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	opts, err := server.ProcessConfigFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	return streamtest.Configured(t, opts).ClientURL(), dir
}

// Each role does its work with what it was granted: the whole of an experiment, by five users.
func TestAuth_EachRoleCanDoItsWork(t *testing.T) {
	url, dir := guarded(t, "--pool", "small,jobs")
	as := func(role string, args ...string) []string {
		return append(args, "-s", url, "--nkey", filepath.Join(dir, role+".nk"))
	}
	mustRun(t, "foldstream", as("admin", "stat")...)
	mustRun(t, "producer", as("producer", "submit", small)...)
	for _, role := range []string{"viewer", "producer"} {
		if out := run(t, "foldstream", as(role, "cancel", "small", "--all", "--force")...); out.code == 0 || !strings.Contains(out.stderr, "ermission") {
			t.Errorf("a %s may cancel tasks: %+v", role, out)
		}
	}
	start(t, "aggregator", as("aggregator", "run")...)
	start(t, "consumer", as("consumer", "run", "--pool", "small")...)
	mustRun(t, "foldstream", as("viewer", "wait", "small", "--timeout", "2m")...)
	for _, command := range []string{
		"stat small", "collection show small", "task ls small", "verify small", "workers ls", "recorder ls -e small", "experiment show small", "dlq ls small", "doctor",
	} {
		if out := run(t, "foldstream", as("viewer", strings.Fields(command)...)...); out.code != 0 {
			t.Errorf("%s: %+v", command, out)
		}
	}
	// Who may begin a removed task anew may also end tasks and write their results: a producer is told who may.
	again := []string{"submit", small, "--no-cache", "--json"}
	mustRun(t, "foldstream", as("admin", "remove", "small", "--all", "--force")...)
	if out := run(t, "producer", as("producer", again...)...); out.code != 1 || strings.Count(out.stderr, "was removed") != 1 || strings.Count(out.stderr, "\n") != 1 {
		t.Errorf("a producer submits removed tasks: %+v", out)
	}
	if out := mustRun(t, "producer", as("admin", again...)...); !strings.Contains(out, `"new": 120,`) {
		t.Errorf("an admin submits removed tasks: %s", out)
	}
}

// No role reaches what is another's, nor the subjects of pools that it is not for.
func TestAuth_NoRoleCanDoMore(t *testing.T) {
	url, dir := guarded(t, "--pool", "mine")
	const id = ".aaaaaaaaaaaaaaaaaaaaaaaaaa"
	forbidden := map[string][]string{
		"viewer": {
			"fold.def.mine" + id, "fold.work.mine._.0" + id, "fold.event.mine" + id, "$KV.FOLD_EXPERIMENTS.x", "$KV.FOLD_LOCKS.aggregator", "$O.FOLD_ARTIFACTS.C.x",
			"$JS.API.CONSUMER.MSG.NEXT.FOLD_WORK.mine=_=0", "$JS.API.CONSUMER.CREATE.FOLD_WORK.x.fold.work.>", "$JS.ACK.FOLD_WORK.mine=_=0.1.1.1.1.1",
		},
		"producer": {
			"fold.event.mine" + id, "fold.def.other" + id, "fold.work.other._.0" + id, "$KV.FOLD_COLLECTIONS.x", "$KV.FOLD_POOLS.other", "$JS.API.CONSUMER.MSG.NEXT.FOLD_WORK.mine=_=0",
		},
		"consumer": {
			"fold.def.mine" + id, "fold.event.other" + id, "fold.work.other._.0" + id, "fold.dlq.other._" + id, "$KV.FOLD_COLLECTIONS.x", "$KV.FOLD_EXPERIMENTS.x",
			"$JS.API.CONSUMER.MSG.NEXT.FOLD_WORK.other=_=0", "$JS.ACK.FOLD_WORK.other=_=0.1.1.1.1.1",
		},
		"aggregator": {"fold.def.mine" + id, "fold.event.mine" + id, "$KV.FOLD_EXPERIMENTS.x", "$JS.API.CONSUMER.MSG.NEXT.FOLD_WORK.mine=_=0"},
	}
	for role, subjects := range forbidden {
		subjects = append(subjects, "$JS.API.STREAM.DELETE.FOLD_EVENTS", "$JS.API.STREAM.PURGE.FOLD_EVENTS", "$JS.API.STREAM.CREATE.FOLD_X", "$JS.API.STREAM.UPDATE.FOLD_EVENTS", "other.subject")
		refused := make(chan string, 100)
		key, err := nats.NkeyOptionFromSeed(filepath.Join(dir, role+".nk"))
		if err != nil {
			t.Fatal(err)
		}
		nc, err := nats.Connect(url, key, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err.Error() }))
		if err != nil {
			t.Fatal(err)
		}
		for _, subject := range subjects {
			if err := nc.Publish(subject, nil); err != nil {
				t.Fatal(err)
			}
			if err := nc.Flush(); err != nil {
				t.Fatal(err)
			}
			select {
			case text := <-refused:
				if !strings.Contains(text, subject) {
					t.Errorf("%s: publishing to %s is told as %s", role, subject, text)
				}
			case <-time.After(10 * time.Second):
				t.Errorf("a %s may publish to %s", role, subject)
			}
		}
		if _, err := nc.SubscribeSync("fold.>"); err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-refused:
		case <-time.After(10 * time.Second):
			t.Errorf("a %s may listen to everything", role)
		}
		nc.Close()
	}
}

func TestErrAuth(t *testing.T) {
	dir := t.TempDir()
	mustRun(t, "foldstream", "auth", "init", filepath.Join(dir, "a"))
	for want, args := range map[string]string{
		"is there already":        filepath.Join(dir, "a"),
		"a.b":                     filepath.Join(dir, "b") + " --pool a.b",
		"--stage is nothing with": filepath.Join(dir, "c") + " --stage fit",
	} {
		if out := run(t, "foldstream", append([]string{"auth", "init"}, strings.Fields(args)...)...); out.code == 0 || !strings.Contains(out.stderr, want) {
			t.Errorf("%s: %+v", args, out)
		}
	}
	for _, name := range []string{"b", "c"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("a refused command left the folder %s: %v", name, err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "a", "consumer.nk"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
