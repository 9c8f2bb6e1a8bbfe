package cli

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// examplePart is how many tasks the example has for each ridge penalty.
const examplePart = 120

// chaosScript is what a part of the example's tasks run, so that there are commands which hang.
//
//go:embed chaos.sh
var chaosScript []byte

// plan loads the experiment: the user's, or the example with more penalties, of which one is worked by a command.
func (c *ChaosCmd) plan(env *Env) (*plan, error) {
	if c.File != "" {
		return load(c.File)
	}
	if env.Example == nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "this program has no example inside: name an experiment file")
	}
	dir := filepath.Join(c.Dir, "example")
	if err := unpack(env.Example, dir); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "experiment.yaml")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "chaos.sh"), chaosScript, 0o600)
	}
	if err == nil {
		err = os.WriteFile(file, c.enlarge(text), 0o600)
	}
	if err != nil {
		return nil, err
	}
	c.File = file
	return load(file)
}

// enlarge makes the example one of as many tasks as are asked for.
func (c *ChaosCmd) enlarge(text []byte) []byte {
	var penalties []string
	for i := range c.Tasks/examplePart - 1 {
		penalties = append(penalties, fmt.Sprint(1+i))
	}
	grids := "  - either:\n"
	if len(penalties) > 0 {
		grids += "      - grid: {worker: [ridge], model.kwargs.alpha: [" + strings.Join(penalties, ", ") + "]}\n"
	}
	grids += "      - grid: {worker: [exec], model.kwargs.alpha: [0]}\n"
	for _, change := range []struct{ from, to string }{
		{"  prices: prices.csv ", "  script: chaos.sh\n  prices: prices.csv "},
		{"worker: ridge\n", "worker: ridge\nsilence: 3s\nretry: {always: [silence]}\n"},
		{"template:\n", "template:\n  exec: {command: [sh, <data.script>, <data.prices>]}\n"},
		{"  - grid: {model.kwargs.alpha: [1, 1000, 10000, 100000]}\n", ""},
		{"\nleaks: refuse\n", grids + "\nleaks: refuse\n"}, // they vary fastest, so that commands run all the time
	} {
		text = bytes.Replace(text, []byte(change.from), []byte(change.to), 1)
	}
	return text
}

// limited reports whether each of the tasks ends that hangs.
func limited(tasks []foldstream.Task) bool {
	return !slices.ContainsFunc(tasks, func(t foldstream.Task) bool { return t.Deadline == 0 && t.Silence == 0 })
}
