package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen/qlib"
)

// submitKind is the kind of orders that submit an experiment.
const submitKind = "submit"

// submitOrder is such an order.
type submitOrder struct {
	File        string            `json:"file"`             // absolute, on the machine that executes the order
	Frozen      foldstream.Digest `json:"frozen,omitempty"` // the plan as it was when the schedule was made; "" reads the file anew
	As          string            `json:"as,omitempty"`     // the experiment's name, with placeholders; "" is the file's
	Zone        string            `json:"zone,omitempty"`   // of the placeholders; "" is UTC
	RetryFailed bool              `json:"retry_failed,omitempty"`
	Again       bool              `json:"again,omitempty"`
}

func readSubmit(order []byte) (o submitOrder, err error) {
	if err := json.Unmarshal(order, &o); err != nil {
		return o, foldstream.Errorf(foldstream.Invalid, "", "an order to submit that cannot be read: %w", err)
	}
	return o, nil
}

// runSubmit submits the experiment. Executed again it completes what was left: the name tells when the order came due, not when it is
// executed.
func runSubmit(ctx context.Context, store foldstream.Store, order foldstream.Order) (string, error) {
	o, err := readSubmit(order.Schedule().Order)
	if err != nil {
		return "", err
	}
	p, err := o.plan(ctx, store)
	if err != nil {
		return "", err
	}
	zone, err := zoneNamed(o.Zone, time.UTC)
	if err != nil {
		return "", err
	}
	name, err := expand(o.As, p.Experiment.Name, order.Due().In(zone))
	if err != nil {
		return "", err
	}
	p.rename(name)
	a, err := administration(store)
	if err != nil {
		return "", err
	}
	seen, err := p.look(ctx, a, KeyFlags{}.wants(Reuse{}, false))
	if err != nil {
		return "", err
	}
	created, err := p.do(ctx, a, seen)
	if err != nil {
		return "", err
	}
	out := tell(name, p.Experiment.Pool, seen, created)
	c := SubmitCmd{RetryFailed: o.RetryFailed, Again: o.Again}
	if out.PutBack, err = c.putBack(ctx, store, p.Experiment.Pool, created); err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s: %d tasks in pool %s: %v", name, out.Tasks, out.Pool, out)
	if out.PutBack > 0 {
		text += fmt.Sprintf(", %d put back", out.PutBack)
	}
	return text, nil
}

func describeSubmit(order []byte) ([][2]string, error) {
	o, err := readSubmit(order)
	facts := [][2]string{{"submits", o.File}, {"as", o.As}}
	if o.Frozen != "" {
		facts = append(facts, [2]string{"frozen", "as it was when the schedule was made, SHA-256 " + string(o.Frozen)})
	}
	if o.Again {
		facts = append(facts, [2]string{"puts back", "tasks that failed or were cancelled"})
	} else if o.RetryFailed {
		facts = append(facts, [2]string{"puts back", "tasks that failed"})
	}
	return facts, err
}

// plan makes the experiment ready: by its file as it is now, or as it was frozen.
func (o submitOrder) plan(ctx context.Context, store foldstream.Store) (*plan, error) {
	if o.Frozen == "" {
		return load(o.File)
	}
	return thaw(ctx, store, o.Frozen)
}

// rename gives the experiment another name. Its pool stays: tasks that it shares with one of before are worked once.
func (p *plan) rename(name string) {
	p.Experiment.Name = name
	for i := range p.Tasks {
		p.Tasks[i].Experiment = name
	}
}

// expand fills the placeholders of a name in: {name} is the experiment file's, {date} and {time} are when the order came due, as 20260302 and
// 180000. The empty text is the file's name. Errors: Invalid.
func expand(as, name string, due time.Time) (string, error) {
	if as == "" {
		return name, nil
	}
	out := strings.NewReplacer("{name}", name, "{date}", due.Format("20060102"), "{time}", due.Format("150405")).Replace(as)
	if err := foldstream.ValidName("experiment", out); err != nil {
		return "", foldstream.Errorf(foldstream.Invalid, "", "--as %q: %w; the placeholders are {name}, {date} and {time}", as, err)
	}
	return out, nil
}

// freeze stores all that it takes to submit the plan as it is now, and returns the artifact that lists it.
func (p *plan) freeze(ctx context.Context, store foldstream.Store) (foldstream.Digest, error) {
	if _, _, err := store.Artifacts().Put(ctx, bytes.NewReader(p.calendar.Text())); err != nil {
		return "", err
	}
	for _, d := range p.data {
		if err := upload(ctx, store, d); err != nil {
			return "", err
		}
	}
	data, err := p.frozen()
	if err != nil {
		return "", err
	}
	digest, _, err := store.Artifacts().Put(ctx, bytes.NewReader(data))
	return digest, err
}

// frozen writes the plan as an artifact has it.
func (p *plan) frozen() ([]byte, error) {
	f := frozen{Experiment: p.Experiment, Expectations: p.Expectations, Notes: p.Notes}
	for _, t := range p.Tasks {
		one := frozenTask{Rest: t, Dict: t.Dict()}
		one.Rest.Task, one.Rest.Segments = nil, nil
		f.Tasks = append(f.Tasks, one)
	}
	var b bytes.Buffer
	enc := msgpack.NewEncoder(&b)
	enc.SetSortMapKeys(true)
	err := enc.Encode(&f)
	return b.Bytes(), foldstream.E(foldstream.Invalid, "freeze", err)
}

// frozen is a plan as an artifact. Equal plans have equal bytes: of its maps none is of a kind that msgpack does not sort.
type frozen struct {
	Experiment   foldstream.Experiment
	Tasks        []frozenTask
	Expectations []foldstream.Expectation
	Notes        []string
}

// frozenTask is a task whose content is Qlib's dict, with the segments in it.
type frozenTask struct {
	Rest foldstream.Task
	Dict map[string]any
}

// thawed returns the task. Errors: Invalid.
func (f frozenTask) thawed() (foldstream.Task, error) {
	t, err := foldstream.TemplateOf(f.Dict)
	f.Rest.Task, f.Rest.Segments = t.Task, t.Segments
	return f.Rest, err
}

// thaw reads what freeze stored.
func thaw(ctx context.Context, store foldstream.Store, d foldstream.Digest) (_ *plan, err error) {
	r, err := store.Artifacts().Open(ctx, d)
	if err != nil {
		return nil, foldstream.Errorf(foldstream.KindOf(err), "", "the frozen experiment: %w", err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var f frozen
	dec := msgpack.NewDecoder(bytes.NewReader(data))
	dec.UseLooseInterfaceDecoding(true)
	if err := dec.Decode(&f); err != nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "artifact %s is no frozen experiment: %w", d, err)
	}
	if len(f.Tasks) == 0 {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "artifact %s is no frozen experiment: it has no tasks", d)
	}
	p := &plan{Plan: qlib.Plan{Experiment: f.Experiment, Expectations: f.Expectations, Notes: f.Notes}, data: f.Tasks[0].Rest.Data}
	for _, one := range f.Tasks {
		t, err := one.thawed()
		if err != nil {
			return nil, err
		}
		p.Tasks = append(p.Tasks, t)
	}
	p.calendar, err = (&calendars{artifacts: store.Artifacts()}).get(ctx, f.Experiment.Calendar)
	return p, err
}
