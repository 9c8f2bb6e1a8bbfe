package qlib

import (
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/foldstream/foldstream"
)

// File is an experiment file that was read and checked. What it names is not opened: From, Calendar and Data say what to
// open, with paths as written, relative to the file's folder.
type File struct {
	Source     string // the file's name, as given to Read
	Name       string // of the experiment; "" where the file has From and no name, until Import
	Pool       string // Name where the file says none
	Calendar   CalendarSource
	Data       []foldstream.Data // name, path as written, and whether to upload; digest and size are for the caller
	Worker     string
	From       string // a Qlib workflow file whose template Import adds; "" where the file has its own
	Leaks      foldstream.Policy
	Reach      foldstream.Reach // how far the labels look ahead, where the file declares it
	Priority   *int
	Tags       map[string]string
	Retry      foldstream.Retry
	Deadline   time.Duration
	Silence    time.Duration
	Keys       []string
	Stages     []string
	Collection foldstream.CollectionSpec
	Notes      []string // what whoever reads a result must know

	exec      map[string]any // the command of worker exec, which travels in the task dict
	from      value          // where From stands
	weights   value          // where the collection's weights stand
	templates []foldstream.Template
	steps     []step
	leaksSet  bool // the file says what to do with leaks
}

// Read reads and checks an experiment file. name stands in errors and in the plan. Errors: Invalid, all that were found,
// a line each: FILE:LINE:COL: path.to.field: what.
func Read(name string, r io.Reader) (*File, error) {
	root, err := parse(name, r)
	if err != nil {
		return nil, err
	}
	v := value{doc: &document{}, node: root}
	f := readFile(v)
	if err := v.doc.err(); err != nil {
		return nil, err
	}
	return f, nil
}

func readFile(v value) *File {
	v.fields("name", "pool", "calendar", "data", "worker", "exec", "template", "templates", "from", "generators", "leaks",
		"priority", "tags", "retry", "deadline", "silence", "keys", "stages", "collection", "notes")
	f := &File{Source: v.node.file, Name: v.get("name").name("experiment"), Pool: v.get("pool").name("pool")}
	if !v.get("from").there() {
		v.must("name") // a workflow file may have one, too
	}
	f.Pool = cmp.Or(f.Pool, f.Name)
	f.readSources(v)
	f.readWorker(v)
	f.readLeaks(v.get("leaks"))
	f.readRun(v)
	f.steps = readSteps(v.get("generators"))
	refuseMany(v.get("generators"), max(len(f.templates), 1), f.steps)
	f.Collection, f.weights = readCollection(v.get("collection")), v.get("collection", "weights")
	f.Notes = v.get("notes").words()
	return f
}

// readSources reads the templates and where the rest comes from.
func (f *File) readSources(v value) {
	one, many, from := v.get("template"), v.get("templates"), v.get("from")
	if sources := count(one, many, from); v.is(yaml.MappingNode) && sources != 1 {
		v.faultf("must have exactly one of template, templates and from (%d of them)", sources)
	}
	if one.there() {
		f.templates = []foldstream.Template{readTemplate(one)}
	}
	for _, t := range many.items() {
		f.templates = append(f.templates, readTemplate(t))
	}
	f.From, f.from = from.text(), from
	f.Calendar = readCalendar(v.get("calendar"))
	if !from.there() {
		v.must("calendar") // a workflow file may name Qlib's data, and so a calendar
	}
	f.Data = readData(v.get("data"))
}

func count(values ...value) int {
	n := 0
	for _, v := range values {
		if v.there() {
			n++
		}
	}
	return n
}

func readData(v value) []foldstream.Data {
	var data []foldstream.Data
	for _, d := range v.fields() {
		s := foldstream.Data{Name: d.key, Upload: true}
		if err := foldstream.ValidName("data", s.Name); err != nil {
			d.faultf("%v", err)
		}
		if d.is(yaml.MappingNode) {
			d.fields("path", "upload")
			s.Path = d.must("path").text()
			if u := d.get("upload"); u.there() {
				s.Upload = u.truth()
			}
		} else {
			s.Path = d.text()
		}
		data = append(data, s)
	}
	return data
}

// readWorker reads who runs the tasks. What worker exec runs is part of the task: it goes into the dict as it stands.
func (f *File) readWorker(v value) {
	f.Worker = v.must("worker").name("worker")
	e := v.get("exec")
	switch {
	case e.there() && f.Worker != "exec":
		e.faultf("belongs to worker: exec (worker: %s)", f.Worker)
	case f.Worker == "exec" && !e.there():
		v.get("worker").faultf("needs exec: {command: [PROGRAM, ARGUMENT, …]}")
	case e.there() && v.get("template", "exec").there():
		e.faultf("cannot stand beside template.exec: this is what that becomes")
	case e.there():
		e.fields("command")
		for _, c := range e.must("command").items() {
			c.text()
		}
		f.exec, _ = e.plain().(map[string]any)
	}
}

func (f *File) readLeaks(v value) {
	f.Leaks, f.leaksSet = foldstream.Refuse, v.there()
	policy := v
	if v.is(yaml.MappingNode) {
		v.fields("policy", "reach")
		policy = v.get("policy")
		if r := v.get("reach"); r.there() {
			f.Reach = foldstream.Ahead(r.whole(0, math.MaxInt32))
		}
		f.leaksSet = policy.there()
	}
	if p := policy.oneOf(string(foldstream.Refuse), string(foldstream.Warn)); p != "" {
		f.Leaks = foldstream.Policy(p)
	}
}

// readRun reads how the tasks run.
func (f *File) readRun(v value) {
	if p := v.get("priority"); p.there() {
		n := p.whole(foldstream.MinPriority, foldstream.MaxPriority)
		f.Priority = &n
	}
	if t := v.get("tags"); t.there() {
		f.Tags = t.texts()
	}
	r := v.get("retry")
	r.fields("attempts", "backoff", "ceiling", "never", "always")
	f.Retry = foldstream.Retry{Backoff: r.get("backoff").duration(), Ceiling: r.get("ceiling").duration(),
		Never: r.get("never").words(), Always: r.get("always").words()}
	if a := r.get("attempts"); a.there() {
		f.Retry.Attempts = a.whole(1, 1000)
	}
	if err := (foldstream.Retry{Never: f.Retry.Never, Always: f.Retry.Always}).Validate(); err != nil {
		r.faultf("%v", errors.Unwrap(err)) // the place says that it is about retry
	}
	f.Deadline, f.Silence, f.Keys = v.get("deadline").duration(), v.get("silence").duration(), v.get("keys").words()
	f.readStages(v.get("stages"))
}

func (f *File) readStages(v value) {
	for _, s := range v.items() {
		name := s.name("stage")
		if name != "" && slices.Contains(f.Stages, name) {
			s.faultf("%q stands twice", name)
		}
		f.Stages = append(f.Stages, name)
	}
}

func readCollection(v value) foldstream.CollectionSpec {
	v.fields("frame", "score", "label", "return", "ensemble", "weights", "portfolio")
	c := foldstream.CollectionSpec{Frame: v.get("frame").text(), Score: v.get("score").text(), Label: v.get("label").text(),
		Return: v.get("return").text(), Ensemble: v.get("ensemble").oneOf(foldstream.Ensembles()...)}
	c.Weights = readWeights(v.get("weights"), v.get("ensemble"))
	if p := v.get("portfolio"); p.there() {
		p.fields("top_k", "n_drop", "cost")
		c.Portfolio = foldstream.PortfolioSpec{TopK: p.must("top_k").whole(1, math.MaxInt32), Cost: p.get("cost").real(0, 1)}
		if n := p.get("n_drop"); n.there() {
			c.Portfolio.NDrop = n.whole(1, math.MaxInt32)
		}
	}
	return c
}
