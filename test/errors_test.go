package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// experiment is a small experiment file; change it by replacing some text of it.
const experiment = `name: bad
calendar: {csv: %s}
data: {prices: %s}
worker: ridge
template:
  model: {class: Ridge, kwargs: {alpha: 1}}
  dataset: {class: Panel, kwargs: {
    handler: {class: PriceFeatures, kwargs: {fit_start_time: 1991-01-02, fit_end_time: 1995-12-29}},
    segments: {train: [1991-01-02, 1995-12-29], test: [1996-01-02, 2000-12-29]}}}
generators:
  - horizon: {horizons: [1]}
  - rolling: {step: 252, trunc: reach, roll_fit: true, last: merge}
leaks: refuse
`

// Bad input is one clear line, a documented exit code, and nothing published.
func TestBadInputIsOneLineAndPublishesNothing(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	for name, c := range map[string]struct {
		old, new string
		code     int
		want     []string
	}{
		"unknown key":          {"worker:", "workr:", 2, []string{":4:1: workr", `did you mean "worker"`}},
		"unreadable YAML":      {"worker: ridge", "worker: [ridge", 2, []string{"bad.yaml:"}},
		"no calendar file":     {"calendar: {csv: ", "calendar: {csv: no", 2, []string{"calendar", "there is no file"}},
		"no data file":         {"prices: ", "prices: no", 2, []string{"data prices", "there is no file"}},
		"date out of calendar": {"1991-01-02, 1995", "1985-01-02, 1995", 2, []string{"1985-01-02"}},
		"reversed segment":     {"[1991-01-02, 1995-12-29]", "[1995-12-29, 1991-01-02]", 2, []string{":9:", "train"}},
		"a leak":               {"horizons: [1]}\n  - rolling: {step: 252, trunc: reach,", "horizons: [5], leak: 0}\n  - rolling: {step: 252, trunc: 0,", 2, []string{"leak"}},
		"an unknown reach":     {"horizon: {horizons: [1]}\n  - rolling: {step: 252, trunc: reach,", "rolling: {step: 252, trunc: 5,", 2, []string{"leak", "reach"}},
		"not a date":           {"1996-01-02", "NaT", 2, []string{":9:", "NaT"}},
		"unknown generator":    {"horizon:", "horizont:", 2, []string{":11:", `did you mean "horizon"`}},
		"bad name":             {"name: bad", "name: b.d", 2, []string{":1:", "b.d"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, strings.Replace(text(t), c.old, c.new, 1))
			out := run(t, "producer", "submit", file, "-s", url)
			if out.code != c.code || out.stdout != "" {
				t.Errorf("exit code %d, want %d; stdout %q", out.code, c.code, out.stdout)
			}
			for _, want := range c.want {
				if !strings.Contains(out.stderr, want) {
					t.Errorf("stderr does not say %q:\n%s", want, out.stderr)
				}
			}
			if lines := strings.Count(out.stderr, "\n"); lines != 1 {
				t.Errorf("%d lines:\n%s", lines, out.stderr)
			}
		})
	}
	if pools := mustRun(t, "foldstream", "stat", "--json", "-s", url); strings.TrimSpace(pools) != "[]" {
		t.Errorf("something was published: %s", pools)
	}
	if list := mustRun(t, "foldstream", "collection", "ls", "--json", "-s", url); strings.TrimSpace(list) != "[]" {
		t.Errorf("an experiment was published: %s", list)
	}
}

func TestNoServerSaysWhichAndHowToStartOne(t *testing.T) {
	for _, args := range [][]string{{"stat"}, {"wait", "x"}, {"consumer", "run", "--pool", "p"}, {"replay", "a", "--as", "b"}} {
		out := run(t, "foldstream", append(args, "-s", "nats://127.0.0.1:1")...)
		if out.code != 1 || !strings.Contains(out.stderr, "nats://127.0.0.1:1") || !strings.Contains(out.stderr, "foldstream serve") {
			t.Errorf("%v: exit code %d: %s", args, out.code, out.stderr)
		}
	}
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	url, _ := serve(t, dir)
	for _, c := range []struct {
		code int
		args []string
	}{
		{0, []string{"version"}},
		{0, []string{"--help"}},
		{2, []string{"no-such-command"}},
		{2, []string{"stat", "--no-such-flag"}},
		{2, []string{"consumer", "run", "--pool", "a.b", "-s", url}},
		{2, []string{"replay", "a", "--as", "a", "-s", url}},
		{3, []string{"stat", "nobody", "-s", url}},
		{3, []string{"wait", "nobody", "-s", url}},
		{3, []string{"collection", "show", "nobody", "-s", url}},
		{3, []string{"replay", "nobody", "--as", "b", "-s", url}},
		{3, []string{"diff", "nobody", "b", "-s", url}},
		{4, []string{"run", write(t, text(t)), "--store", dir}}, // the server has it
	} {
		if out := run(t, "foldstream", c.args...); out.code != c.code {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, out.code, c.code, out.stderr)
		}
	}
	submitted := write(t, text(t))
	mustRun(t, "producer", "submit", submitted, "-s", url)
	if out := run(t, "foldstream", "wait", "bad", "-s", url, "--for", "300ms"); out.code != 6 {
		t.Errorf("waiting without consumers: exit code %d: %s", out.code, out.stderr)
	}
	if out := run(t, "foldstream", "collection", "show", "bad", "-s", url); out.code != 5 {
		t.Errorf("showing an incomplete collection: exit code %d: %s", out.code, out.stderr)
	}
	unknown := write(t, strings.Replace(text(t), "worker: ridge", "worker: nobody", 1))
	if out := run(t, "foldstream", "run", unknown, "--store", t.TempDir()); out.code != 2 || !strings.Contains(out.stderr, "known: exec, ridge") {
		t.Errorf("an unknown worker: exit code %d: %s", out.code, out.stderr)
	}
	other := write(t, strings.Replace(text(t), "step: 252", "step: 126", 1))
	if out := run(t, "producer", "submit", other, "-s", url); out.code != 4 {
		t.Errorf("another experiment of the same name: exit code %d: %s", out.code, out.stderr)
	}
}

// What stands before us on the command line and on the disk: one line each that names the flag or the file, and the exit code of bad
// input, whatever the server is, and nothing is made.
func TestCarelessness(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"plain.txt": "hello", "good.yaml": text(t), "large.yaml": "x: " + strings.Repeat("y", 2<<20), "empty.yaml": "", "settings.yaml": "servr: x"} {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(in("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	file, store, out := in("good.yaml"), in("store"), in("out")
	run1 := func(args ...string) []string {
		return append([]string{"run", file, "--store", store, "--out", out}, args...)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"plan", in("nothing.yaml")}, 2, "experiment file: there is no file " + in("nothing.yaml")},
		{[]string{"plan", in("folder")}, 2, "experiment file " + in("folder") + ": it is a folder"},
		{[]string{"plan", in("empty.yaml")}, 2, "empty.yaml:1:1: the file is empty"},
		{[]string{"plan", in("large.yaml")}, 2, "longer than 1048576 bytes"},
		{[]string{"plan", os.DevNull}, 2, os.DevNull + ":1:1: the file is empty"},
		{[]string{"plan"}, 2, `expected "<file>"`},
		{[]string{"plann", file}, 2, `did you mean "plan"`},
		{[]string{"plan", file, "--jsn"}, 2, `did you mean "--json"`},
		{run1("-n", "0"), 2, "--concurrency 0"},
		{run1("-n", "x"), 2, `--concurrency: expected`},
		{run1("--grace", "-1s"), 2, "--grace"},
		{run1("--cache", in("plain.txt")), 2, "--cache " + in("plain.txt")},
		{run1("--out", in("plain.txt")), 2, "--out " + in("plain.txt")},
		{run1("--out", in("plain.txt/below")), 2, in("plain.txt") + " is no folder"},
		{run1("--store", in("plain.txt")), 2, in("plain.txt")},
		{run1("--command-memory", "1Q"), 2, `--command-memory: size "1Q"`},
		{run1("--command-memory", "0"), 2, `size "0"`},
		{run1("--config", in("folder")), 2, "settings " + in("folder") + ": it is a folder"},
		{run1("--config", in("settings.yaml")), 2, `did you mean "server"`},
		{run1("--config", in("large.yaml")), 2, "it is longer than 1048576 bytes"},
		{[]string{"serve", "--port", "70000", "--store", store}, 2, "port 70000"},
		{[]string{"serve", "--store", in("plain.txt")}, 2, in("plain.txt")},
		{[]string{"stat", "-s", "ftp://x"}, 2, `--server ftp://x is no address of a NATS server: "ftp" is none of nats, tls, ws, wss`},
		{[]string{"stat", "-s", "nats://"}, 2, "it names no host"},
		{[]string{"stat", "-s", "nats://a b"}, 2, "--server nats://a b is no address"},
		{[]string{"stat", "-s", "nats://127.0.0.1:1,http://x"}, 2, "--server http://x"},
		{[]string{"stat", "--context", "nosuch"}, 3, `--context: the nats command has no context "nosuch"`},
		{[]string{"stat", "--creds", in("nothing")}, 2, in("nothing")},
		{[]string{"stat", "--creds", in("plain.txt")}, 2, "--creds " + in("plain.txt")},
		{[]string{"stat", "--nkey", in("plain.txt")}, 2, "--nkey " + in("plain.txt")},
		{[]string{"stat", "--tlscert", in("plain.txt")}, 2, "--tlscert and --tlskey need each other"},
		{[]string{"stat", "--tlscert", in("plain.txt"), "--tlskey", in("plain.txt")}, 2, "--tlscert " + in("plain.txt")},
		{[]string{"stat", "--tlsca", in("plain.txt")}, 2, "--tlsca " + in("plain.txt") + ": it has no certificate"},
		{[]string{"completion", "tcsh"}, 2, `must be one of "bash","zsh","fish"`},
		{[]string{"config", "show", "no", "such"}, 3, `there is no command "no"`},
		{[]string{"calendar", "show", "XNYZ"}, 2, `exchange "XNYZ" is not known`},
		{[]string{"check", "--format", "xml"}, 2, `--format must be one of`},
		{[]string{"replay", "p", "--as", "p"}, 2, "another name"},
		{[]string{"prioritize", "p", "10", "--all"}, 2, `priority "10"`},
		{[]string{"consumer", "run", "--pool", "p", "--command-file-size", "-5"}, 2, "--command-file-size"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			oneLine(t, c.args, c.code, c.want)
		})
	}
	for _, path := range []string{store, out} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was made", path)
		}
	}
}

// oneLine wants a command to end with a code and one line on its standard error, and nothing else.
func oneLine(t *testing.T, args []string, code int, want string) {
	t.Helper()
	got := run(t, "foldstream", args...)
	if got.code != code || got.stdout != "" || !strings.Contains(got.stderr, want) || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("exit code %d, want %d, and %q on one line:\n%s%s", got.code, code, want, got.stdout, got.stderr)
	}
}

// An unreadable file is named as such, unless root reads it all the same.
func TestUnreadableFiles(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads every file")
	}
	file := write(t, text(t))
	if err := os.Chmod(file, 0); err != nil {
		t.Fatal(err)
	}
	oneLine(t, []string{"plan", file}, 2, "permission denied")
}

// Pipes and devices where files belong would never end, or be read twice.
func TestFilesThatAreNone(t *testing.T) {
	prices, err := filepath.Abs("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ calendar, data, want string }{
		{"/dev/zero", prices, "calendar /dev/zero: it is no plain file"},
		{prices, "/dev/zero", "data prices /dev/zero: it is no plain file"},
		{filepath.Dir(prices), prices, "calendar " + filepath.Dir(prices) + ": it is a folder"},
		{prices, filepath.Dir(prices), "data prices " + filepath.Dir(prices) + ": it is a folder"},
	} {
		oneLine(t, []string{"plan", write(t, fmt.Sprintf(experiment, c.calendar, c.data))}, 2, c.want)
	}
}

// Bombs and sizes beyond reason are refused before memory goes, with their number.
func TestBombs(t *testing.T) {
	base := text(t)
	grid := func(axes string) string {
		return strings.Replace(base, "generators:\n", "generators:\n  - grid: {"+axes+"}\n", 1)
	}
	laughs := "a: &a [" + strings.Repeat("x, ", 9) + "]\n"
	for c := 'b'; c <= 'k'; c++ {
		laughs += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"a billion tasks":     {grid("model.a: {range: [1, 1000, 1]}, model.b: {range: [1, 1000, 1]}, model.c: {range: [1, 1000, 1]}"), "makes 1000000000 tasks of each template, more than 250000"},
		"more than numbers":   {grid(strings.TrimSuffix(strings.Repeat("model.%c: {range: [1, 99999, 1]}, ", 20), ", ")), "tasks of each template, more than 250000"},
		"a range":             {grid("model.a: {range: [0, 1e18, 1]}"), "1e+18 values, more than 100000"},
		"a chain":             {strings.Replace(grid("model.a: {range: [1, 2000, 1]}, model.b: {range: [1, 100, 1]}"), "horizons: [1]", "horizons: [1, 2, 3]", 1), "make 600000 tasks or more, more than 250000"},
		"aliases":             {laughs, "more than 100000 values once its aliases are expanded"},
		"an anchor in itself": {"a: &a [*a]\n", "nested more than 100 deep"},
		"lists in lists":      {"a: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n", "nested more than 100 deep"},
		"lists without end":   {"a: " + strings.Repeat("[", 100_000) + "\n", "not valid YAML"},
		"maps in maps":        {strings.Repeat("{a: ", 20_000), "not valid YAML"},
		"a large integer":     {grid("model.a: [99999999999999999999]"), "beyond"},
		"a large step":        {strings.Replace(base, "step: 252", "step: 99999999999", 1), "step"},
		"a large horizon":     {strings.Replace(base, "horizons: [1]", "horizons: [2147483647]", 1), "horizon 2147483647"},
		"a large train":       {strings.Replace(base, "step: 252", "step: 252, train_sessions: 2147483647", 1), "train"},
	} {
		t.Run(name, func(t *testing.T) {
			text := c.text
			for letter := 'a'; strings.Contains(text, "%c"); letter++ {
				text = strings.Replace(text, "%c", string(letter), 1)
			}
			got := run(t, "foldstream", "plan", write(t, text))
			if got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, c.want) || len(got.stderr) > 5000 {
				t.Errorf("exit code %d, want 2 and %q:\n%.3000s", got.code, c.want, got.stderr)
			}
		})
	}
}

// Servers that cannot be used: one line says why, with the kind's exit code.
func TestServersThatCannotBeUsed(t *testing.T) {
	password := passwordServer(t, "right")
	submit := func(url string, more ...string) []string {
		return append([]string{"producer", "submit", write(t, text(t)), "-s", url}, more...)
	}
	newer, _ := serve(t, t.TempDir())
	js, err := jetstream.New(connected(t, newer))
	if err == nil {
		_, err = js.Publish(t.Context(), "$KV.FOLD_POOLS.bad", []byte{2, 0x80})
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"without JetStream":      {submit(configured(t, &server.Options{})), 1, "no JetStream answers for this account; start the server with -js"},
		"a wrong password":       {submit(strings.Replace(password, "nats://", "nats://worker:wrong@", 1)), 1, "refused the credentials"},
		"no password":            {submit(password), 1, "refused the credentials"},
		"no storage":             {submit(configured(t, &server.Options{JetStream: true, JetStreamMaxStore: 4096})), 1, "the server has no room left in its store"},
		"messages too small":     {submit(configured(t, &server.Options{JetStream: true, MaxPayload: 1024})), 2, "over the server's limit of 1024"},
		"a newer program's pool": {submit(newer), 1, "which a newer program wrote; this one reads version 1"},
		"three replicas on one":  {submit(configured(t, &server.Options{JetStream: true}), "--replicas", "3"), 1, "replicas"},
	} {
		t.Run(name, func(t *testing.T) { oneLine(t, c.args, c.code, c.want) })
	}
}

// Names that are not there are answered with those that may be meant.
func TestNamesThatAreMeant(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	mustRun(t, "producer", "submit", write(t, strings.Replace(text(t), "name: bad", "name: momentum", 1)), "-s", url)
	for _, args := range [][]string{
		{"stat", "momentun"}, {"wait", "momentun"}, {"collection", "show", "momentun"}, {"task", "ls", "momentun"}, {"verify", "momentun"}, {"pause", "momentun"},
		{"cancel", "momentun", "--all"}, {"dlq", "ls", "momentun"},
	} {
		oneLine(t, append(args, "-s", url), 3, `(did you mean "momentum"?)`)
	}
	oneLine(t, []string{"stat", "zzz", "-s", url}, 3, "created in it\n")
	oneLine(t, []string{"task", "show", "momentum", "abc", "-s", url}, 3, "no task abc")
	oneLine(t, []string{"task", "ls", "momentum", "--where", "statu == 1", "-s", url}, 2, `did you mean "status"`)
}

// A data file that changed after it was submitted is found by the consumer, and the experiment says so.
func TestChangedDataFails(t *testing.T) {
	dir := t.TempDir()
	prices, err := os.ReadFile("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(dir, "prices.csv")
	if err := os.WriteFile(shared, prices, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "shared.yaml")
	yaml := strings.Replace(fmt.Sprintf(experiment, shared, "{path: "+shared+", upload: false}"), "name: bad", "name: shared", 1)
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	url, _ := serve(t, filepath.Join(dir, "store"))
	mustRun(t, "producer", "submit", file, "-s", url)
	if err := os.WriteFile(shared, append(prices, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "consumer", "run", "--pool", "shared", "-s", url)
	if out := run(t, "foldstream", "wait", "shared", "-s", url, "--for", "60s"); out.code != 5 {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
	if out := run(t, "foldstream", "collection", "show", "shared", "-s", url); !strings.Contains(out.stdout, "failed") {
		t.Errorf("the collection does not name what failed:\n%s", out.stdout)
	}
}

// text is the experiment file with the example's prices.
func text(t *testing.T) string {
	t.Helper()
	prices, err := filepath.Abs("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(experiment, prices, prices)
}

// write puts an experiment file into a folder of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
