package qlib

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// Environment looks up a variable of the environment, as os.LookupEnv does.
type Environment func(name string) (value string, ok bool)

// The template marks that are filled in: {{ NAME }}, {{ NAME | default("text") }}, and on one line
// {% if NAME %}…{% else %}…{% endif %}, which is about whether a variable is set and not empty.
var (
	choiceMark   = regexp.MustCompile(`\{%\s*if\s+([A-Za-z_]\w*)\s*%\}(.*?)(?:\{%\s*else\s*%\}(.*?))?\{%\s*endif\s*%\}`)
	variableMark = regexp.MustCompile(`^\{\{\s*([A-Za-z_]\w*)\s*(?:\|\s*default\(\s*(?:"([^"]*)"|'([^']*)')\s*\)\s*)?\}\}`)
	anyMark      = regexp.MustCompile(`\{\{|\{%|\{#`)
)

// render fills in the template marks of a workflow file from the environment, line by line, and tells of which variables: not
// with which values, since one may be a secret that goes no further than the file. Lines
// that are a comment stay as they are. It is the part of Jinja that names one variable at a time: all else is refused by
// place, since half of a language that looks like the whole is worse than none.
func render(file string, text []byte, env Environment) (rendered []byte, used []string, err error) {
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		if !anyMark.Match(line) || bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
			continue
		}
		r := renderer{file: file, line: i + 1, env: env}
		if lines[i], err = r.fill(r.choose(line)); err != nil {
			return nil, nil, err
		}
		for _, u := range r.used {
			if !slices.Contains(used, u) {
				used = append(used, u)
			}
		}
	}
	return bytes.Join(lines, []byte("\n")), used, nil
}

// renderer is the rendering of one line.
type renderer struct {
	file string
	line int
	env  Environment
	used []string // the variables that were asked for and are set
}

func (r *renderer) look(name string) (string, bool) {
	if r.env == nil {
		return "", false
	}
	v, ok := r.env(name)
	if ok {
		r.used = append(r.used, name)
	}
	return v, ok
}

// choose settles the conditions of a line.
func (r *renderer) choose(line []byte) []byte {
	return choiceMark.ReplaceAllFunc(line, func(mark []byte) []byte {
		m := choiceMark.FindSubmatch(mark)
		if bytes.Contains(m[2], []byte("{%")) || bytes.Contains(m[3], []byte("{%")) {
			return mark // one inside another: fill refuses it
		}
		if v, _ := r.look(string(m[1])); v != "" {
			return m[2]
		}
		return m[3]
	})
}

// fill fills in the variables of a line. What is filled in is not looked at again.
func (r *renderer) fill(line []byte) ([]byte, error) {
	var out []byte
	for at := 0; ; {
		mark := anyMark.FindIndex(line[at:])
		if mark == nil {
			return append(out, line[at:]...), nil
		}
		out = append(out, line[at:at+mark[0]]...)
		at += mark[0]
		m := variableMark.FindSubmatch(line[at:])
		if m == nil {
			return nil, errorAt(r.file, r.line, at+1, `a template mark (%.40s): only {{ NAME }}, {{ NAME | default("text") }} and {%% if NAME %%}…{%% else %%}…{%% endif %%} on one line are filled in`, line[at:])
		}
		v, err := r.value(m, at+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v...)
		at += len(m[0])
	}
}

// value is what stands for a variable. A value of several lines would make another file of it.
func (r *renderer) value(m [][]byte, column int) (string, error) {
	name := string(m[1])
	v, ok := r.look(name)
	switch {
	case !ok && m[2] != nil:
		v = string(m[2])
	case !ok && m[3] != nil:
		v = string(m[3])
	case !ok && r.env == nil:
		return "", errorAt(r.file, r.line, column, "the variable %s: the environment is not read here", name)
	case !ok:
		return "", errorAt(r.file, r.line, column, "the variable %s is not set in the environment", name)
	case strings.ContainsAny(v, "\r\n"):
		return "", errorAt(r.file, r.line, column, "the variable %s has a value of several lines", name)
	}
	return v, nil
}
