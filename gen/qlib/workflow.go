package qlib

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"

	"github.com/foldstream/foldstream"
	"go.yaml.in/yaml/v3"
)

// drop is the mark by which a workflow file deletes a key of its base file.
const drop = "__DROP__"

// maxBases is how many files may stand on one another.
const maxBases = 8

// Opener opens a file that another file names, by a path with slashes. It is called one file at a time.
type Opener func(name string) (io.ReadCloser, error)

// Workflow is a file that Qlib's runner qrun reads (cli/run.py), as a source of a template.
type Workflow struct {
	Source     string
	Experiment string              // its experiment_name; "" where it has none
	Provider   string              // its qlib_init.provider_uri, the folder of Qlib's data and so of the calendar; "" where it has none
	Template   foldstream.Template // its task, with placeholders such as <MODEL> as they stand
}

// ReadWorkflow reads Qlib's workflow YAML: qlib_init, task, and any other keys, whose anchors may be used in both. A base
// file that BASE_CONFIG_PATH names, beside the file, is opened with open and laid under it, as are bases of bases; a nil
// open refuses them. Template marks of Jinja ({{ }} and {% %}), which qrun fills in from the environment, are refused: the
// grid of an experiment file varies values better. Errors: Invalid, as Read.
func ReadWorkflow(name string, r io.Reader, open Opener) (*Workflow, error) {
	root, err := readBases(name, r, open, 0)
	if err != nil {
		return nil, err
	}
	v := value{doc: &document{}, node: root}
	w := &Workflow{Source: name, Experiment: v.get("experiment_name").text()}
	v.fields()
	init := v.must("qlib_init")
	if init.fields(); init.get("provider_uri").is(yaml.ScalarNode) { // a map has a folder for each frequency
		w.Provider = init.get("provider_uri").text()
	}
	if task := v.must("task"); task.there() {
		w.Template = readTemplate(task)
	}
	if err := v.doc.err(); err != nil {
		return nil, err
	}
	return w, nil
}

func readBases(name string, r io.Reader, open Opener, depth int) (*node, error) {
	text, err := readText(name, r)
	if err != nil {
		return nil, err
	}
	if err := refuseJinja(name, text); err != nil {
		return nil, err
	}
	over, err := parseText(name, text)
	if err != nil {
		return nil, err
	}
	v := value{doc: &document{}, node: over}
	base := v.get("BASE_CONFIG_PATH")
	if !base.there() {
		return over, nil
	}
	file := base.text()
	switch {
	case depth == maxBases:
		base.faultf("more than %d files stand on one another here, or one stands on itself", maxBases)
	case open == nil:
		base.faultf("a base file cannot be read from here (%s)", base.show())
	}
	if err := v.doc.err(); err != nil {
		return nil, err
	}
	under, err := openBeside(base, file, open)
	if err != nil {
		return nil, err
	}
	defer under.Close()
	b, err := readBases(beside(name, file), under, open, depth+1)
	if err != nil {
		return nil, err
	}
	return lay(b, over), nil
}

// openBeside opens a file that v names.
func openBeside(v value, file string, open Opener) (io.ReadCloser, error) {
	r, err := open(beside(v.node.file, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "%s: there is no such file (%q)", v.at(), file)
	}
	if err != nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "%s: %w", v.at(), err)
	}
	return r, nil
}

// beside returns the path of a file that the file name mentions.
func beside(name, file string) string {
	if path.IsAbs(file) {
		return file
	}
	return path.Join(path.Dir(name), file)
}

// lay lays one value over another: maps key by key, anything else replaces, the drop mark deletes (Qlib's update_config,
// utils/__init__.py). A drop mark where there is nothing to delete vanishes, also inside a new map. An anchor of the base
// keeps its value: changing the anchored key in the file over it does not reach the places that used it.
func lay(base, over *node) *node {
	if over.kind != yaml.MappingNode {
		return over
	}
	n := *over
	n.fields = nil
	if base != nil && base.kind == yaml.MappingNode {
		n.fields = slices.Clone(base.fields)
	}
	at := make(map[string]int, len(n.fields))
	for i, f := range n.fields {
		at[f.key] = i
	}
	for _, f := range over.fields {
		i, there := at[f.key]
		switch {
		case f.value.scalar == drop && there:
			n.fields[i].value = nil
		case f.value.scalar == drop:
		case there:
			f.value = lay(n.fields[i].value, f.value)
			n.fields[i] = f
		default:
			f.value = lay(nil, f.value)
			n.fields = append(n.fields, f)
		}
	}
	n.fields = slices.DeleteFunc(n.fields, func(f field) bool { return f.value == nil })
	return &n
}

var jinja = regexp.MustCompile(`\{\{|\{%`)

// refuseJinja looks for template marks outside comment lines.
func refuseJinja(name string, text []byte) error {
	for i, line := range bytes.Split(text, []byte("\n")) {
		at := jinja.FindIndex(line)
		if at == nil || bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
			continue
		}
		return errorAt(name, i+1, at[0]+1, "a template mark (%s): values from the environment are not filled in; write the value", line[at[0]:at[1]])
	}
	return nil
}
