package cli

import (
	"strings"

	"github.com/foldstream/foldstream"
)

// override is one -S of a command line, in Hydra's grammar: PATH=VALUE changes what is there, +PATH=VALUE adds what is not,
// ++PATH=VALUE does either, ~PATH takes away. Several values make a task each: PATH=1,2,3 and choice(1,2,3) and
// range(FROM,TO,STEP), whose end is not in it.
type override struct {
	text   string
	mode   overrideMode
	path   []string
	values []any // one nil where mode is modeDrop
}

type overrideMode string

const (
	modeChange overrideMode = ""
	modeAdd    overrideMode = "+"
	modePut    overrideMode = "++"
	modeDrop   overrideMode = "~"
)

// maxSweep is how many values one override may have.
const maxSweep = 100_000

// parseOverride reads an override. A value is null, true, false, a number, a text with or without quotes, [a, b] or {k: v}.
// Errors: Invalid, with the column.
func parseOverride(text string) (override, error) {
	o := override{text: text}
	rest := text
	for _, mode := range []overrideMode{modePut, modeAdd, modeDrop} {
		if after, ok := strings.CutPrefix(rest, string(mode)); ok {
			o.mode, rest = mode, after
			break
		}
	}
	path, value, valued := strings.Cut(rest, "=")
	o.path = strings.Split(strings.TrimSpace(path), ".")
	for _, key := range o.path {
		if key == "" || strings.ContainsAny(key, " \t@:[]{}()\"'") {
			return o, overrideFault(text, 0, "%q is no path: keys joined by dots", path)
		}
	}
	switch {
	case o.mode == modeDrop && valued:
		return o, overrideFault(text, len(text)-len(value), "what is taken away has no value")
	case o.mode == modeDrop:
		o.values = []any{nil}
		return o, nil
	case !valued:
		return o, overrideFault(text, len(text), "PATH=VALUE is wanted")
	}
	p := &valueParser{text: text, at: len(text) - len(value)}
	var err error
	o.values, err = p.sweep()
	return o, err
}

func overrideFault(text string, at int, format string, args ...any) error {
	return foldstream.Errorf(foldstream.Invalid, "", "-S %q: column %d: "+format, append([]any{text, at + 1}, args...)...)
}
