package test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var rewriteDocs = flag.Bool("rewrite-docs", false, "write into the documents' consoles what the commands print")

// elision is a line of a document that stands for any number of lines.
const elision = "…"

// The consoles of each document are one session, from the top of the document to its end: they show what the commands print today.
// A command that ends with & goes on in the background until the document ends, and its output is not shown.
func TestDocsShowRealOutput(t *testing.T) {
	files, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	consoles := 0
	for _, file := range append(files, "../README.md", "../examples/runall/README.md") {
		text := read(t, file)
		blocks := blocks(text, "console")
		if len(blocks) == 0 {
			continue
		}
		consoles += len(blocks)
		t.Run(strings.TrimPrefix(file, "../"), func(t *testing.T) {
			if strings.Contains(text, "examples/python") {
				needsPython(t)
			}
			s := newSession(t)
			for _, block := range blocks {
				text = strings.Replace(text, block, s.replay(t, block), 1)
			}
			if *rewriteDocs {
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if consoles < 5 {
		t.Errorf("only %d consoles", consoles)
	}
}

// The experiment file in the README is the example's.
func TestReadmeShowsTheExample(t *testing.T) {
	yaml := blocks(read(t, "../README.md"), "yaml")
	if len(yaml) != 1 || !strings.Contains(read(t, "../examples/dow30/experiment.yaml"), yaml[0]) {
		t.Error("the experiment file in the README is not the example's")
	}
}

// session is a shell in a folder that has the repository's examples and tests, with the programs in its path and nothing of the machine's settings.
// What it prints tells of a machine vm and a repository in /home/ann/foldstream, as the documents do.
type session struct {
	dir string
	env []string
	url string // of the server that it started; "" is none
}

// needsPython skips the test where there is no Python to work its tasks.
func needsPython(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3 on this machine")
	}
}

func newSession(t *testing.T) *session {
	t.Helper()
	bin := filepath.Dir(program(t, "foldstream"))
	env := quiet(t)
	for i, v := range env {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			env[i] = "PATH=" + bin + ":" + path
		}
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"examples", "test"} {
		if err := os.Symlink(abs(t, "../"+name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return &session{dir: dir, env: env}
}

// replay runs the commands of a console one after the other, and returns the console with what they print.
func (s *session) replay(t *testing.T, console string) string {
	t.Helper()
	var out strings.Builder
	for _, step := range strings.Split("\n"+strings.TrimSuffix(console, "\n"), "\n$ ")[1:] {
		command, want, _ := strings.Cut(step+"\n", "\n")
		fmt.Fprintf(&out, "$ %s\n", command)
		got := ""
		if words, background := strings.CutSuffix(command, " &"); background {
			s.start(t, strings.Fields(words))
		} else {
			got = s.run(command)
		}
		if !shows(steady(want), steady(got)) {
			if !*rewriteDocs {
				t.Errorf("%s prints\n%s\nand not\n%s", command, got, want)
			}
			want = got
		}
		out.WriteString(want)
	}
	return out.String()
}

// start starts a program in the background: a server on a port of its own, all others with its address.
func (s *session) start(t *testing.T, words []string) {
	t.Helper()
	if strings.Join(words[:2], " ") == "foldstream serve" {
		store := "store"
		if len(words) == 4 && words[2] == "--store" {
			store = words[3]
		}
		s.url, _ = serve(t, filepath.Join(s.dir, store))
		s.env = append(s.env, "NATS_URL="+s.url)
		return
	}
	start(t, words[0], append(words[1:], "-s", s.url)...)
}

func (s *session) run(command string) string {
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, _ := cmd.CombinedOutput() // the exit code is not shown, but by a command that does
	text := strings.ReplaceAll(string(out), s.dir, "/home/ann/foldstream")
	if root, err := filepath.Abs(".."); err == nil {
		text = strings.ReplaceAll(text, root, "/home/ann/foldstream")
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n" // an artifact may end without one
	}
	if name, err := os.Hostname(); err == nil {
		text = regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).ReplaceAllString(text, "vm")
	}
	return text
}

// volatile is what differs from one time to the next, and what stands for it.
var volatile = []struct {
	is   *regexp.Regexp
	word string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\dZ?`), "TIME"},
	{regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?(µs|ms|s)\b`), "DURATION"},
	{regexp.MustCompile(`\b[A-Za-z][\w.]*-\d{2,8}\b`), "WORKER"},
	{regexp.MustCompile(`\b[\w.-]+@[\w.-]+\b`), "PERSON"},
	{regexp.MustCompile(`─+`), "─"},
	{regexp.MustCompile(` +`), " "},
}

// steady is a text without what differs from one time, and one machine, to the next.
func steady(text string) string {
	for _, v := range volatile {
		text = v.is.ReplaceAllString(text, v.word)
	}
	return text
}

func TestShows(t *testing.T) {
	for _, c := range []struct {
		document, output string
		want             bool
	}{
		{"a\nb\n", "a\nb\n", true},
		{"a\nb\n", "a\nc\n", false},
		{"a\n…\nd\n", "a\nb\nc\nd\n", true},
		{"a\n…\nd\n", "a\nb\n", false},
		{"a\n", "a\nb\n", false},
		{"a\n…\n", "a\nb\n", true},
		{"│ vm-1234 │ 2026-01-01 10:00:00 │\n", "│ vm-99  │ 2027-02-03 11:22:33 │\n", true},
		{"╭────╮ (15ms)\n", "╭──╮ (1.5s)\n", true},
		{"2 done\n", "3 done\n", false},
	} {
		if shows(steady(c.document), steady(c.output)) != c.want {
			t.Errorf("%q shows %q is not %t", c.document, c.output, c.want)
		}
	}
}

// shows reports whether a document's text is the output, where a line of an ellipsis stands for any lines.
func shows(document, output string) bool {
	parts := strings.Split(document, elision+"\n")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile(`^(?s)` + strings.Join(parts, `.*`) + `$`).MatchString(output)
}

// blocks returns the fenced blocks of a language.
func blocks(markdown, language string) []string {
	var all []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(markdown, -1) {
		all = append(all, m[1])
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
