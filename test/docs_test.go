package test

import (
	"os/exec"
	"strings"
	"testing"
)

// The consoles in the documents of commands that need no store show what they print today.
func TestDocumentsShowRealOutput(t *testing.T) {
	consoles := blocks(read(t, "../docs/calendars.md"), "console")
	if len(consoles) < 2 {
		t.Fatalf("only %d consoles", len(consoles))
	}
	for _, console := range consoles {
		command, want, _ := strings.Cut(strings.TrimPrefix(console, "$ "), "\n")
		words := strings.Fields(command)
		cmd := exec.CommandContext(t.Context(), program(t, words[0]), words[1:]...)
		cmd.Dir, cmd.Env = "..", quiet(t)
		if got, err := cmd.CombinedOutput(); err != nil || !shows(want, string(got)) {
			t.Errorf("%s prints\n%s\nand not\n%s", command, got, want)
		}
	}
}
