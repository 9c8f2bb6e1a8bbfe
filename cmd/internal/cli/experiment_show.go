package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
)

// ExperimentShowCmd shows one experiment.
type ExperimentShowCmd struct {
	Managed
	ExperimentArg
}

// provenance is what an experiment is and what became of it, for machines.
type provenance struct {
	experimentJSON
	Calendar  string                `json:"calendar"`
	Policy    foldstream.Policy     `json:"policy"`
	Members   foldstream.Digest     `json:"members"` // the artifact with their list
	Recorders map[record.Status]int `json:"recorders"`
	Free      int                   `json:"free"` // of them, no tasks
	Gaps      []foldstream.Segment  `json:"gaps"`
	Overlaps  []foldstream.Segment  `json:"overlaps"`
	Twice     []foldstream.Segment  `json:"duplicates"`
	Test      foldstream.Segment    `json:"test"` // from the first member's first session to the last one's last
	Codes     map[string]int        `json:"codes"`
	Workers   int                   `json:"workers"` // that made results
	Data      []dataJSON            `json:"data"`
	Groups    []membersJSON         `json:"groups"` // by configuration, in key order
}

// membersJSON is the members of one configuration.
type membersJSON struct {
	Key       map[string]string     `json:"key"`
	Members   int                   `json:"members"`
	Test      foldstream.Segment    `json:"test"`
	Recorders map[record.Status]int `json:"recorders"`
	name      string
}

// Run shows the experiment.
func (c *ExperimentShowCmd) Run(ctx context.Context, env *Env) error {
	name, err := chosen(c.Experiment)
	if err != nil {
		return err
	}
	active, err := activeExperiment()
	if err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		e, err := record.ReadExperiment(ctx, a, name)
		if err != nil {
			return err
		}
		p, err := provenanceOf(ctx, a, e, active)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, p)
		}
		p.print(env)
		return nil
	})
}

func provenanceOf(ctx context.Context, a administered, e foldstream.Experiment, active string) (*provenance, error) {
	p := &provenance{
		Calendar: e.Calendar, Policy: cmp.Or(e.Policy, foldstream.Refuse), Members: e.Members,
		Recorders: map[record.Status]int{}, Gaps: []foldstream.Segment{}, Overlaps: []foldstream.Segment{}, Twice: []foldstream.Segment{}, Codes: map[string]int{}, Data: []dataJSON{},
	}
	var err error
	if p.experimentJSON, err = experimentOf(ctx, a, e, active); err != nil {
		return nil, err
	}
	col, err := collect.Load(ctx, a, e.Name)
	if err == nil {
		p.Gaps, p.Overlaps = append(p.Gaps, col.Coverage.Gaps...), append(p.Overlaps, col.Coverage.Overlaps...)
		p.Twice = append(p.Twice, col.Coverage.Duplicates...)
	} else if !foldstream.Is(err, foldstream.NotFound) {
		return nil, err
	}
	members, _, err := record.Members(ctx, a, e)
	if err != nil {
		return nil, err
	}
	status, err := p.read(ctx, a, e)
	if err != nil {
		return nil, err
	}
	for _, some := range collect.ByKey(members) {
		p.group(some, status)
	}
	return p, nil
}

// read goes through the recorders, and returns the status of each.
func (p *provenance) read(ctx context.Context, a administered, e foldstream.Experiment) (map[string]record.Status, error) {
	status, workers, data := map[string]record.Status{}, map[string]bool{}, map[dataJSON]bool{}
	for r, err := range record.List(ctx, a, e.Name, record.Query{}) {
		if err != nil {
			return nil, err
		}
		status[r.ID] = r.Status
		p.Recorders[r.Status]++
		if !r.Task {
			p.Free++
		}
		if r.Status == record.Finished {
			p.Codes[r.Code]++
			workers[r.Worker] = true
		}
		for _, d := range r.Data {
			data[dataJSON{d.Name, d.Digest, d.Size}] = true
		}
	}
	p.Workers = len(workers)
	p.Data = slices.SortedFunc(maps.Keys(data), func(a, b dataJSON) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Digest), string(b.Digest)))
	})
	return status, nil
}

// group adds a configuration.
func (p *provenance) group(members []foldstream.Expectation, status map[string]record.Status) {
	g := membersJSON{Key: keyMap(members[0].Key), Members: len(members), Recorders: map[record.Status]int{}, name: members[0].Key.String()}
	for i, m := range members {
		g.Recorders[status[string(m.Task)]]++
		if i == 0 || m.Test.Start.Before(g.Test.Start) {
			g.Test.Start = m.Test.Start
		}
		if i == 0 || m.Test.End.IsOpen() || !g.Test.End.IsOpen() && m.Test.End.After(g.Test.End) {
			g.Test.End = m.Test.End
		}
	}
	if len(p.Groups) == 0 || g.Test.Start.Before(p.Test.Start) {
		p.Test.Start = g.Test.Start
	}
	if len(p.Groups) == 0 || g.Test.End.IsOpen() || !p.Test.End.IsOpen() && g.Test.End.After(p.Test.End) {
		p.Test.End = g.Test.End
	}
	p.Groups = append(p.Groups, g)
}

func (p *provenance) print(env *Env) {
	f := facts{env.Stdout}
	f.line("experiment", p.Experiment)
	if p.Active {
		f.line("active", "yes")
	}
	f.line("id", p.ID)
	f.line("created", instant(p.Created))
	f.line("source", p.Source)
	f.line("pool", p.Pool)
	if p.Members != "" {
		f.line("members", fmt.Sprintf("%d in %d configurations, tested from %s to %s", p.Expected, len(p.Groups), p.Test.Start, p.Test.End))
		f.line("coverage", fmt.Sprintf("%s: %d present, %d failed, %d gaps, %d overlaps, %d duplicates",
			percent(p.Coverage), p.Present, p.Failed, len(p.Gaps), len(p.Overlaps), len(p.Twice)))
		f.line("leaks", map[bool]string{true: "certified: none was let through", false: "uncertified: the policy is " + string(p.Policy)}[p.Certified])
		f.line("member list", "SHA-256 "+string(p.Members))
	}
	f.line("recorders", tally(p.Recorders))
	if p.Free > 0 {
		f.line("free", fmt.Sprintf("%d of them are no tasks", p.Free))
	}
	f.line("calendar", p.Calendar)
	for _, d := range p.Data {
		f.line("data "+d.Name, fmt.Sprintf("%d bytes, SHA-256 %s", d.Size, d.Digest))
	}
	for _, code := range slices.Sorted(maps.Keys(p.Codes)) {
		f.line("code", fmt.Sprintf("%s made %d results", code, p.Codes[code]))
	}
	if p.Workers > 0 {
		f.line("workers", fmt.Sprintf("%d made them", p.Workers))
	}
	if len(p.Groups) == 0 {
		return
	}
	t := newTable(env.Stdout, "configuration", "members", "tested from", "to", "recorders")
	for _, g := range p.Groups {
		t.AppendRow([]any{g.name, g.Members, g.Test.Start, g.Test.End, tally(g.Recorders)})
	}
	t.Render()
}

// tally writes how many recorders have each status; "" is what has none, as nobody made its task.
func tally(counts map[record.Status]int) string {
	var parts []string
	for _, s := range append(slices.Clone(record.Statuses), "") {
		if n := counts[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, cmp.Or(s, "not there")))
		}
	}
	return strings.Join(parts, ", ")
}
