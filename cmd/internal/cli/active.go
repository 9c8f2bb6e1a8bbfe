package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foldstream/foldstream"
)

// experimentVariable names the experiment of commands that are not told one. A flag or an argument comes before it, the active experiment
// after it.
const experimentVariable = "FOLDSTREAM_EXPERIMENT"

// stateHome returns the folder of what this user's commands remember.
func stateHome(getenv func(string) string) string {
	if dir := getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "foldstream")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, ".local", "state", "foldstream")
}

// activeFile is where the name of the active experiment is kept.
func activeFile() string { return filepath.Join(stateHome(os.Getenv), "experiment") }

// activeExperiment returns the name of the active experiment, "" where none is. Errors: Invalid (the file cannot be read).
func activeExperiment() (string, error) {
	data, err := os.ReadFile(activeFile())
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fileError("active experiment", activeFile(), err)
	}
	return strings.TrimSpace(string(data)), nil
}

// activate keeps the name of the active experiment; "" makes none active.
func activate(name string) error {
	path := activeFile()
	if name == "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileError("active experiment", path, err)
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fileError("active experiment", path, err)
	}
	err := writeFile(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, name)
		return err
	})
	if err != nil {
		return fileError("active experiment", path, err)
	}
	return nil
}

// chosen returns the experiment that a command is about: the one it is told, or that of the variable, or the active one. Errors: Invalid.
func chosen(told string) (string, error) {
	name := told
	if name == "" {
		name = os.Getenv(experimentVariable)
	}
	if name == "" {
		var err error
		if name, err = activeExperiment(); err != nil {
			return "", err
		}
	}
	if name == "" {
		return "", foldstream.Errorf(foldstream.Invalid, "", "no experiment is named and none is active: name one, set %s, or choose one with `foldstream experiment activate NAME`", experimentVariable)
	}
	return name, foldstream.ValidName("experiment", name)
}

// ExperimentArg is the experiment that a command is about, as its argument.
type ExperimentArg struct {
	Experiment string `arg:"" optional:"" help:"Experiment; default: $$FOLDSTREAM_EXPERIMENT, then the active one."`
}

// ExperimentFlag is the experiment that a command is about, as a flag.
type ExperimentFlag struct {
	Experiment string `short:"e" env:"FOLDSTREAM_EXPERIMENT" placeholder:"NAME" help:"Experiment; default: the active one."`
}
