package test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// elision is a line of a document that stands for any number of lines.
const elision = "…"

// The consoles in the README show what the commands print today, and the experiment file is the example's.
func TestReadmeShowsRealOutput(t *testing.T) {
	readme := read(t, "../README.md")
	consoles := blocks(readme, "console")
	if len(consoles) < 2 {
		t.Fatalf("only %d consoles", len(consoles))
	}
	for _, console := range consoles {
		command, want, _ := strings.Cut(strings.TrimPrefix(console, "$ "), "\n")
		words := strings.Fields(command)
		cmd := exec.CommandContext(t.Context(), program(t, words[0]), words[1:]...)
		cmd.Dir, cmd.Env = "..", quiet(t)
		got, _ := cmd.CombinedOutput() // the exit code is not shown
		if !shows(want, string(got)) {
			t.Errorf("%s prints\n%s\nand not\n%s", command, got, want)
		}
	}
	yaml := blocks(readme, "yaml")
	if len(yaml) != 1 || !strings.Contains(read(t, "../examples/dow30/experiment.yaml"), yaml[0]) {
		t.Error("the experiment file in the README is not the example's")
	}
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
	} {
		if shows(c.document, c.output) != c.want {
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
