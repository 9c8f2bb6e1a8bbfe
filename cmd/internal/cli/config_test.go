package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream/cmd/internal/cli"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the expected output in testdata")

// testdata is where it is whatever folder a test goes to.
var testdata, _ = filepath.Abs("testdata")

// ran is what a command line came to.
type ran struct {
	code           int
	stdout, stderr string
}

// command runs the person's tool in this process.
func command(t *testing.T, env *cli.Env, args ...string) ran {
	t.Helper()
	return program(t, "foldstream", &cli.Foldstream{}, env, args...)
}

func program(t *testing.T, name string, grammar any, env *cli.Env, args ...string) ran {
	t.Helper()
	if env == nil {
		env = &cli.Env{}
	}
	var stdout, stderr bytes.Buffer
	env.Stdout, env.Stderr = &stdout, &stderr
	code := cli.Run(context.Background(), name, "About.", grammar, args, env)
	return ran{code, stdout.String(), stderr.String()}
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(testdata, name)
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run with -rewrite where this is right):\n%s", name, diff)
	}
}

// nowhere is a folder with no settings in it or around it. It returns the user's folder of settings.
func nowhere(t *testing.T) string {
	t.Helper()
	t.Chdir(t.TempDir())
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "NATS_") || strings.HasPrefix(name, "FOLDSTREAM_") {
			t.Setenv(name, "")
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return home
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type setting struct{ Name, Value, Origin string }

// timeoutOf asks config show where --timeout comes from.
func timeoutOf(t *testing.T, args ...string) setting {
	t.Helper()
	return settingOf(t, "timeout", append([]string{"config", "show", "--json"}, args...)...)
}

func settingOf(t *testing.T, name string, args ...string) setting {
	t.Helper()
	r := command(t, nil, args...)
	var found []setting
	if err := json.Unmarshal([]byte(r.stdout), &found); err != nil {
		t.Fatalf("%v: %s%s", err, r.stdout, r.stderr)
	}
	for _, s := range found {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no setting %s in %v", name, found)
	return setting{}
}

// Each pair of neighbours in the order flag, environment, file, default, where the lower one is set as well.
func TestPrecedence(t *testing.T) {
	nowhere(t)
	if got, want := timeoutOf(t), (setting{"timeout", "5s", "default"}); got != want {
		t.Errorf("by default: %v", got)
	}
	write(t, ".foldstream.yaml", "# mine\ntimeout: 6s\n")
	if got, want := timeoutOf(t), (setting{"timeout", "6s", ".foldstream.yaml:2"}); got != want {
		t.Errorf("file over default: %v", got)
	}
	t.Setenv("NATS_TIMEOUT", "7s")
	if got, want := timeoutOf(t), (setting{"timeout", "7s", "env NATS_TIMEOUT"}); got != want {
		t.Errorf("environment over file: %v", got)
	}
	if got, want := timeoutOf(t, "--timeout", "8s"), (setting{"timeout", "8s", "flag"}); got != want {
		t.Errorf("flag over environment: %v", got)
	}
}

// wait has a --timeout of its own: what is said for the connection of all commands goes to its --server-timeout.
func TestTimeoutsOfWait(t *testing.T) {
	s := foldOne(t, 0)
	nowhere(t)
	of := func(name string, args ...string) setting {
		t.Helper()
		return settingOf(t, name, append([]string{"config", "show", "wait", "--json"}, args...)...)
	}
	write(t, ".foldstream.yaml", "timeout: 6s\n")
	if got, want := of("server-timeout"), (setting{"server-timeout", "6s", ".foldstream.yaml:1"}); got != want {
		t.Errorf("the word for all: %v", got)
	}
	if got, want := of("timeout"), (setting{"timeout", "", "default"}); got != want {
		t.Errorf("the wait's own: %v", got)
	}
	t.Setenv("NATS_TIMEOUT", "7s")
	if got, want := of("server-timeout"), (setting{"server-timeout", "7s", "env NATS_TIMEOUT"}); got != want {
		t.Errorf("the environment over the file: %v", got)
	}
	if got, want := of("timeout"), (setting{"timeout", "", "default"}); got != want {
		t.Errorf("the environment is not the wait's: %v", got)
	}
	write(t, ".foldstream.yaml", "timeout: 6s\nwait: {timeout: 1ms}\n")
	if got, want := of("timeout"), (setting{"timeout", "1ms", ".foldstream.yaml:2"}); got != want {
		t.Errorf("the word for wait: %v", got)
	}
	command(t, &cli.Env{Store: s.Store}, "wait", "small").says(t, 6, "when the time ran out") // by the file's word for wait
	write(t, ".foldstream.yaml", "timeout: 1ms\n")
	command(t, &cli.Env{Store: s.Store}, "wait", "small", "--timeout", "300ms").says(t, 6, "0 of 120 members are there")
	write(t, ".foldstream.yaml", "server-timeout: 1s\n")
	command(t, nil, "config", "show").says(t, 2, "server-timeout: unknown setting")
}

// What config show tells is what a command gets: the address that cannot be reached tells which one it took.
func TestPrecedenceReachesCommands(t *testing.T) {
	nowhere(t)
	tried := func(args ...string) string {
		t.Helper()
		r := command(t, nil, append([]string{"stat", "--timeout", "200ms"}, args...)...)
		_, rest, _ := strings.Cut(r.stderr, "no NATS server at ")
		at, _, _ := strings.Cut(rest, " ")
		return at
	}
	write(t, ".foldstream.yaml", "server: nats://127.0.0.1:1\nstat: {server: 'nats://127.0.0.1:2'}\n")
	if got := tried(); got != "nats://127.0.0.1:2" {
		t.Errorf("the command's own word is not taken: %q", got)
	}
	write(t, ".foldstream.yaml", "server: nats://127.0.0.1:1\n")
	if got := tried(); got != "nats://127.0.0.1:1" {
		t.Errorf("the word for all is not taken: %q", got)
	}
	t.Setenv("NATS_URL", "nats://127.0.0.1:3")
	if got := tried(); got != "nats://127.0.0.1:3" {
		t.Errorf("the file beat the environment: %q", got)
	}
	if got := tried("-s", "nats://127.0.0.1:4"); got != "nats://127.0.0.1:4" {
		t.Errorf("the environment beat the flag: %q", got)
	}
}

// The places of the file, each pair of neighbours.
func TestPlaces(t *testing.T) {
	home := nowhere(t)
	path := func(args ...string) string {
		t.Helper()
		return strings.TrimSpace(command(t, nil, append([]string{"config", "path"}, args...)...).stdout)
	}
	if r := command(t, nil, "config", "path"); r.code != 3 || !strings.Contains(r.stderr, ".foldstream.yaml") {
		if r.stdout != "/etc/foldstream/config.yaml\n" { // a machine that has one
			t.Errorf("nowhere: %+v", r)
		}
	}
	user := write(t, filepath.Join(home, "foldstream", "config.yaml"), "timeout: 1s\n")
	if got := path(); got != user {
		t.Errorf("the user's: %q", got)
	}
	write(t, ".foldstream.yaml", "timeout: 2s\n")
	if got := path(); got != ".foldstream.yaml" {
		t.Errorf("the folder's before the user's: %q", got)
	}
	named := write(t, filepath.Join(t.TempDir(), "a.yaml"), "timeout: 3s\n")
	t.Setenv("FOLDSTREAM_CONFIG", named)
	if got := path(); got != named {
		t.Errorf("the variable's before the folder's: %q", got)
	}
	flagged := write(t, filepath.Join(t.TempDir(), "b.yaml"), "timeout: 4s\n")
	if got := path("--config", flagged); got != flagged {
		t.Errorf("the flag's before the variable's: %q", got)
	}
	if r := command(t, nil, "config", "path", "--config", "gone.yaml"); r.code != 2 || !strings.Contains(r.stderr, "there is no file gone.yaml") {
		t.Errorf("a named file that is not there: %+v", r)
	}
}

func TestSettingsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"servr: nats://x\n":                     `f.yaml:1:1: servr: unknown setting (did you mean "server"?)`,
		"# c\nconsumer.rum: {concurrency: 1}\n": `f.yaml:2:1: consumer.rum: unknown setting (did you mean "consumer.run"?)`,
		"consumer.run:\n  concurency: 1\n":      `f.yaml:2:3: concurency: unknown setting (did you mean "concurrency"?)`,
		"consumer.run:\n  concurrency: many\n":  `f.yaml:2:16: concurrency: expected a valid 64 bit int but got "many"`,
		"timeout: 5\n":                          `f.yaml:1:10: timeout: `,
		"consumer.run: 5\n":                     `f.yaml:1:15: consumer.run: a command's settings are a map of its flags`,
		"server: a\nserver: b\n":                `f.yaml:2:1: server: stands twice`,
		"server:\n":                             `f.yaml:1:8: server: the value of a flag is`,
		"- server\n":                            `f.yaml:1:1: settings are a map`,
		"a: [\n":                                `f.yaml:`,
		"xyzzyx: 1\n":                           `f.yaml:1:1: xyzzyx: unknown setting` + "\n",
		"config: other.yaml\n":                  `f.yaml:1:1: config: unknown setting`,
		"json: maybe\n":                         `f.yaml:1:7: json: bool value must be`,
	} {
		nowhere(t)
		write(t, "f.yaml", text)
		r := command(t, nil, "config", "show", "--config", "f.yaml")
		if r.code != 2 || !strings.Contains(r.stderr, want) {
			t.Errorf("%q: code %d, %s, not %s", text, r.code, r.stderr, want)
		}
	}
}

// One file serves all programs: a service takes what the file says of it under its name.
func TestServicesReadTheSameFile(t *testing.T) {
	nowhere(t)
	write(t, ".foldstream.yaml", "consumer.run: {concurrency: 3, pool: mine}\nserver: nats://127.0.0.1:1\n")
	r := program(t, "consumer", &cli.Consumer{}, nil, "run", "--pool", "x y")
	if r.code != 2 || !strings.Contains(r.stderr, `--pool "x y"`) {
		t.Errorf("the flag: %+v", r)
	}
	r = program(t, "consumer", &cli.Consumer{}, nil, "run")
	if r.code != 1 || !strings.Contains(r.stderr, "nats://127.0.0.1:1") {
		t.Errorf("a required flag from the file, and the server: %+v", r)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	nowhere(t)
	write(t, ".foldstream.yaml", "password: tiger\nuser: scott\nserver: 'nats://a:b@h:1,nats://tok@h:2,h:3'\n")
	r := command(t, nil, "config", "show", "--origin")
	golden(t, "config_show.txt", r.stdout)
	write(t, ".foldstream.yaml", "user: sesame\nstat: {user: sesame}\n")
	r = command(t, nil, "config", "show")
	if strings.Contains(r.stdout, "sesame") || strings.Count(r.stdout, "****") != 2 {
		t.Errorf("a token is shown:\n%s", r.stdout)
	}
}

func TestConfigShowOfACommand(t *testing.T) {
	nowhere(t)
	write(t, ".foldstream.yaml", "consumer.run: {concurrency: 3}\n")
	if got, want := settingOf(t, "concurrency", "config", "show", "consumer", "run", "--json"), (setting{"concurrency", "3", ".foldstream.yaml:1"}); got != want {
		t.Errorf("%v", got)
	}
	if r := command(t, nil, "config", "show", "consumer", "rum"); r.code != 3 || !strings.Contains(r.stderr, `did you mean "run"`) {
		t.Errorf("%+v", r)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("server: x\nconsumer.run: {concurrency: 4}\n")
	f.Add("a: &a [1, *a]\n")
	f.Add("<<: {server: x}\n? [a]\n: b\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := cli.ParseConfig("f.yaml", []byte(text)); err != nil && !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Errorf("an error without its place: %v", err)
		}
	})
}
