package cli_test

import (
	"os"
	"strings"
	"testing"

	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/stream/mem"
)

// A piece is made once for the content of its files, wherever they are, and anew for another content or name.
func TestPrepare(t *testing.T) {
	store, count := mem.New(mem.Options{}), t.TempDir()+"/count"
	prices := write(t, t.TempDir()+"/prices.csv", "1,2,3\n")
	copied := write(t, t.TempDir()+"/copied.csv", "1,2,3\n")
	run := func(name, of string, more ...string) ran {
		t.Helper()
		args := append([]string{"prepare", name, "--of", of, "--cache", t.TempDir()}, more...)
		return command(t, &cli.Env{Store: store}, append(args, "--", "sh", "-c", "echo made >>"+count+"; tr , ' ' <"+of)...)
	}
	made := func(want int) {
		t.Helper()
		text, err := os.ReadFile(count)
		ok(t, err)
		if n := strings.Count(string(text), "made"); n != want {
			t.Errorf("made %d times, want %d", n, want)
		}
	}
	run("features", prices).says(t, 0, "1 2 3")
	run("features", prices).says(t, 0, "1 2 3")
	run("features", copied).says(t, 0, "1 2 3")
	made(1)
	run("features-5", prices).says(t, 0, "1 2 3")
	made(2)
	write(t, prices, "4,5,6\n")
	run("features", prices).says(t, 0, "4 5 6")
	made(3)
	out := t.TempDir() + "/features"
	if r := run("features", prices, "--out", out); r.code != 0 || r.stdout != "" {
		t.Errorf("%+v", r)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != "4 5 6\n" {
		t.Errorf("%s %v", text, err)
	}
	made(3)
}

func TestPrepareRefuses(t *testing.T) {
	store := mem.New(mem.Options{})
	run := func(args ...string) ran {
		t.Helper()
		return command(t, &cli.Env{Store: store}, append([]string{"prepare", "--cache", t.TempDir()}, args...)...)
	}
	run("features", "--", "sh", "-c", "echo half; exit 3").says(t, 5, "sh: exit status 3")
	run("features", "--", "nowhere-to-be-found").says(t, 5, "nowhere-to-be-found")
	run("features", "--of", "none.csv", "--", "true").says(t, 2, "none.csv")
	run("features").says(t, 2, "")
	run("features", "--", "echo", "whole").says(t, 0, "whole")
}
