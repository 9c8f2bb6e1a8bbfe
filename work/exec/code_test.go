//go:build unix

package exec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work/exec"
)

func TestCode(t *testing.T) {
	dir := t.TempDir()
	script, other := filepath.Join(dir, "train"), filepath.Join(t.TempDir(), "copy")
	write(t, script, "#!/bin/sh\necho '{}'\n")
	write(t, other, "#!/bin/sh\necho '{}'\n")
	code := func(task foldstream.Task) string {
		t.Helper()
		c, err := new(exec.Codes).Of(task)
		if err != nil || !strings.HasPrefix(c, "exec-") || len(c) != 31 {
			t.Fatalf("code %q, %v", c, err)
		}
		return c
	}
	data := func(digest foldstream.Digest) foldstream.Task {
		task := command("python3", "<data.script>")
		task.Data = []foldstream.Data{{Name: "script", Path: "/cache/somewhere", Digest: digest}, {Name: "prices", Digest: "77"}}
		return task
	}
	first := code(command(script, "fast"))
	if first != code(command(other, "slow")) {
		t.Error("the place of a file and words that name none make another code")
	}
	if first != code(command("sh", script)) {
		t.Error("an interpreter makes another code")
	}
	if first == code(command("sh", "-c", "exit 0")) || first == code(data("ab")) {
		t.Error("another command has the same code")
	}
	moved := data("ab")
	moved.Data[0].Path = "/elsewhere"
	if code(data("ab")) == code(data("cd")) || code(data("ab")) != code(moved) {
		t.Error("the code of a script that travels is not its content's")
	}
	if code(command(script, other)) == code(command(script)) {
		t.Error("a file among the arguments makes no other code")
	}
	if _, err := new(exec.Codes).Of(command(filepath.Join(dir, "none"))); !foldstream.Is(err, foldstream.NotFound) {
		t.Errorf("a program that is not there: %v", err)
	}
}

// TestTheResultHasTheCode changes the command between two attempts of one worker.
func TestTheResultHasTheCode(t *testing.T) {
	script := filepath.Join(t.TempDir(), "train")
	w := &exec.Worker{}
	seen := map[string]bool{}
	for _, text := range []string{"#!/bin/sh\necho '{}'\n", "#!/bin/sh\necho '{}' # longer\n", "#!/bin/sh\necho '{}' # longer\n"} {
		write(t, script, text)
		want, err := new(exec.Codes).Of(command(script))
		if err != nil {
			t.Fatal(err)
		}
		result, err := w.Work(t.Context(), command(script), newRecord())
		if err != nil || result.Code != want {
			t.Errorf("a result of code %q, %v; the command's is %q", result.Code, err, want)
		}
		seen[want] = true
	}
	if len(seen) != 2 {
		t.Errorf("three results of two codes have %d", len(seen))
	}
}

// write replaces a program; the old file keeps its content for those who run it.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o700); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
