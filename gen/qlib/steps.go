package qlib

import (
	"errors"
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
)

// maxTasks is how many templates one generator may make in all: far above what a plan can hold, and below what a slip of
// the pen asks for.
const maxTasks = 250_000

// builder makes a generator on a calendar.
type builder func(*calendar.Calendar) foldstream.Generator

// step is one generator of the file, which waits for its calendar.
type step struct {
	at    string // where it stands
	build builder
	least float64       // tasks that it makes of one, at least
	rolls []gen.Rolling // the rollings that it is or has inside, without a calendar
}

// placedError is an error of a generator that says where in the file the generator stands.
type placedError struct{ err error }

func (e placedError) Error() string { return e.err.Error() }
func (e placedError) Unwrap() error { return e.err }

// generator returns the step's generator; its errors say where in the file it stands, the innermost of nested ones.
func (s step) generator(cal *calendar.Calendar) foldstream.Generator {
	g, total := s.build(cal), 0
	return foldstream.GeneratorFunc(func(t foldstream.Template) ([]foldstream.Template, error) {
		made, err := g.Generate(t)
		if total += len(made); err == nil && total > maxTasks {
			err = foldstream.Errorf(foldstream.Invalid, "", "makes more than %d tasks", maxTasks)
		}
		if _, placed := errors.AsType[placedError](err); err == nil || placed {
			return made, err
		}
		return nil, placedError{foldstream.E(foldstream.KindOf(err), "", fmt.Errorf("%s: %w", s.at, unwrapped(err)))}
	})
}

func generators(steps []step, cal *calendar.Calendar) []foldstream.Generator {
	var gs []foldstream.Generator
	for _, s := range steps {
		gs = append(gs, s.generator(cal))
	}
	return gs
}

func readSteps(v value) []step {
	var steps []step
	for _, item := range v.items() {
		steps = append(steps, readStep(item))
	}
	return steps
}

// refuseMany notes generators that make more tasks of so many templates than a plan can hold, before they make them.
func refuseMany(v value, templates int, steps []step) {
	least := float64(templates)
	for _, s := range steps {
		if least *= s.least; s.least > maxTasks {
			return // it says so itself
		}
	}
	if least > maxTasks {
		v.faultf("make %.15g tasks or more, more than %d", least, maxTasks)
	}
}

// readStep reads one item of generators: a map of one key, its kind.
func readStep(v value) step {
	kinds := map[string]func(value) step{
		"grid": readGrid, "horizon": readHorizon, "rolling": readRolling, "seeds": readSeeds, "either": readEither}
	fields := v.fields("grid", "horizon", "rolling", "seeds", "either")
	if v.is(yaml.MappingNode) && len(v.node.fields) != 1 {
		v.faultf("must be one generator, a map of one key (%d keys)", len(v.node.fields))
	}
	if len(fields) != 1 {
		return step{}
	}
	g := fields[0]
	s := kinds[g.key](g)
	s.at = g.at()
	return s
}

func readEither(v value) step {
	steps, either := readSteps(v), step{}
	for _, s := range steps {
		either.least += s.least
		either.rolls = append(either.rolls, s.rolls...)
	}
	either.build = func(cal *calendar.Calendar) foldstream.Generator { return gen.Either(generators(steps, cal)...) }
	return either
}

func readSeeds(v value) step {
	var seeds []int64
	for _, item := range v.items() {
		seeds = append(seeds, int64(item.whole(math.MinInt64, math.MaxInt64)))
	}
	build := func(*calendar.Calendar) foldstream.Generator { return gen.Seeds{Seeds: seeds} }
	return step{build: build, least: float64(len(seeds))}
}

func readHorizon(v value) step {
	v.fields("horizons", "leak")
	h := gen.Horizon{}
	for _, item := range v.must("horizons").items() {
		h.Horizons = append(h.Horizons, item.whole(0, math.MaxInt32))
	}
	if l := v.get("leak"); l.there() {
		n := l.whole(0, math.MaxInt32)
		h.Leak = &n
	}
	build := func(cal *calendar.Calendar) foldstream.Generator {
		on := h
		on.Calendar = cal
		return on
	}
	return step{build: build, least: float64(len(h.Horizons))}
}

func readRolling(v value) step {
	v.fields("type", "step", "trunc", "last", "roll_fit", "train_sessions", "keep_handler_end", "name")
	r := gen.Rolling{
		Type:           calendar.Mode(v.get("type").oneOf(string(calendar.Expanding), string(calendar.Sliding))),
		Step:           v.must("step").whole(1, math.MaxInt32),
		Last:           gen.Last(v.get("last").oneOf(string(gen.Keep), string(gen.Clip), string(gen.Merge), string(gen.Drop))),
		RollFit:        v.get("roll_fit").truth(),
		KeepHandlerEnd: v.get("keep_handler_end").truth(),
		Name:           v.get("name").text(),
	}
	if s := v.get("train_sessions"); s.there() {
		r.TrainSessions = s.whole(1, math.MaxInt32)
	}
	readTrunc(v.get("trunc"), &r)
	build := func(cal *calendar.Calendar) foldstream.Generator {
		on := r
		on.Calendar = cal
		return on
	}
	return step{build: build, least: 1, rolls: []gen.Rolling{r}}
}

// readTrunc reads how many sessions before the test the other segments end, or the word reach: as far as the label needs.
func readTrunc(v value, r *gen.Rolling) {
	if v.is(yaml.ScalarNode) && v.node.scalar == "reach" {
		r.TruncReach = true
		return
	}
	if _, text := v.plain().(string); text {
		v.faultf(`must be a whole number or the word reach (%s)`, v.show())
	} else if v.there() {
		n := v.whole(0, math.MaxInt32)
		r.Trunc = &n
	}
}

func readGrid(v value) step {
	axes, size := v.fields(), 1.0 // it may be beyond all whole numbers
	for _, axis := range axes {
		size *= sizeOf(axis)
	}
	var g gen.Grid
	switch {
	case v.is(yaml.MappingNode) && len(axes) == 0:
		v.faultf("must not be empty")
	case size > maxTasks:
		v.faultf("makes %.15g tasks of each template, more than %d", size, maxTasks)
	default:
		for _, axis := range axes {
			g.Axes = append(g.Axes, gen.Axis{Path: axis.key, Values: readValues(axis)})
		}
	}
	return step{build: func(*calendar.Calendar) foldstream.Generator { return g }, least: size}
}

// sizeOf returns how many values an axis has, without making them; 1 where it is no axis.
func sizeOf(axis value) float64 {
	if axis.is(yaml.SequenceNode) {
		return float64(len(axis.node.list))
	}
	ends := axis.get("range")
	if !ends.is(yaml.SequenceNode) || len(ends.node.list) != 3 {
		return 1
	}
	var x [3]float64
	for i, n := range ends.node.list {
		switch v := n.scalar.(type) {
		case int64:
			x[i] = float64(v)
		case float64:
			x[i] = v
		}
	}
	if n := math.Floor((x[1]-x[0])/x[2]) + 1; n <= maxRange { // what is more has a fault of its own
		return max(n, 1)
	}
	return 1
}

// maxRange is the most values of a range, as gen.Range has it.
const maxRange = 100_000

// readValues reads the values of an axis: a list, or {range: [from, to, step]} with both ends.
func readValues(v value) []any {
	if !v.is(yaml.MappingNode) {
		var values []any
		for _, item := range v.items() {
			values = append(values, item.plain())
		}
		return values
	}
	v.fields("range")
	r := v.must("range")
	ends := r.items()
	if !r.there() {
		return nil
	}
	if len(ends) != 3 {
		r.faultf("must be [from, to, step] (%d values)", len(ends))
		return nil
	}
	return readRange(r, ends)
}

// readRange reads the ends and the step of gen.Range: whole numbers where all three are whole.
func readRange(v value, ends []value) []any {
	var x [3]float64
	var n [3]int64
	whole := true
	for i, e := range ends {
		var is bool
		x[i] = e.real(-math.MaxFloat64, math.MaxFloat64)
		n[i], is = e.plain().(int64)
		whole = whole && is
	}
	values, err := gen.Range(x[0], x[1], x[2])
	if whole {
		values, err = gen.Range(n[0], n[1], n[2])
	}
	switch {
	case err != nil:
		v.faultf("%v", unwrapped(err))
	case len(values) == 0:
		v.faultf("never gets from %v to %v by steps of %v", x[0], x[1], x[2])
	}
	return values
}
