package test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
	"github.com/foldstream/foldstream/online"
	"github.com/foldstream/foldstream/stream/mem"
)

// The notes of online_rolling.json that say what to return.
const (
	noteDoubled   = "each append keeps the last old day AND recomputes it, so that day is in the signals twice; keep one row per key"
	noteCutToLast = "a current time past the calendar is cut to the last day"
	noteBeginTime = "begin time defaults to the last day of the current calendar"
)

// onlineStrategy is a strategy as the vectors spell it.
type onlineStrategy struct {
	Name  string
	Step  int
	RType string
	Tasks []map[string]any
}

// runOnline mirrors workflow/online/manager.py:OnlineManager. What it does is done by our routine on a store; the events are told in
// the original's words: a model is called by its strategy and its place in the order of training, and the newest are listed first.
func runOnline(v *vector) (any, error) {
	m, err := newManager(v)
	if err != nil {
		return nil, err
	}
	var mode string
	var strategies []onlineStrategy
	if err := cmp.Or(v.into("mode", &mode), v.into("delay", &m.delay), v.into("strategies", &strategies), v.into("begin_time", &m.now)); err != nil {
		return nil, err
	}
	if m.now.IsOpen() {
		m.now = m.cal.Now()
	}
	for _, s := range strategies {
		m.strategies = append(m.strategies, &rolled{onlineStrategy: s, manager: m, names: map[foldstream.TaskID]string{}})
	}
	if mode == "simulate" {
		err = m.simulate(v)
	} else {
		err = m.script(v)
	}
	if err != nil {
		return nil, err
	}
	return m.told()
}

// manager plays the original's OnlineManager.
type manager struct {
	ctx        context.Context
	store      *mem.Store
	cal        *calendar.Calendar
	now        foldstream.Time
	delay      bool
	postpones  bool // the trainer is a delayed one, and history is simulated
	strategies []*rolled
	models     int
	events     []any
	history    []any
	signals    bool
}

// rolled is one strategy of it.
type rolled struct {
	onlineStrategy
	*manager
	names  map[foldstream.TaskID]string
	set    []online.Switch // as the original lists it now
	fresh  []online.Switch // what its last routine brought online
	rounds []round         // one a routine that brought any
}

type round struct {
	at  foldstream.Time
	set []online.Switch
}

func newManager(v *vector) (*manager, error) {
	cal, err := v.calendar()
	return &manager{ctx: context.Background(), store: mem.New(mem.Options{}), cal: cal, events: []any{}, history: []any{}}, err
}

func (m *manager) tell(event ...any) { m.events = append(m.events, event) }

// simulate trains the first models and does the routine of each session. A delayed trainer does all of it at once: our routine makes
// up for the sessions between, and what it did on each of them is read from the history that it leaves.
func (m *manager) simulate(v *vector) error {
	var end foldstream.Time
	if err := v.into("end_time", &end); err != nil {
		return err
	}
	m.postpones = m.delay
	sessions, err := m.cal.Slice(foldstream.Segment{Start: m.now, End: end})
	if err != nil {
		return err
	}
	if err := m.first(m.strategies); err != nil {
		return err
	}
	if m.delay {
		for _, s := range m.strategies {
			if err := s.bring(end); err != nil {
				return err
			}
		}
	}
	for _, at := range sessions {
		if err := m.routine(at, false); err != nil {
			return err
		}
	}
	m.finish()
	return nil
}

// finish tells the end of the delayed trainings: of each set that history knows, in its order.
func (m *manager) finish() {
	if !m.delay {
		return
	}
	var rounds []func()
	var times []foldstream.Time
	for _, s := range m.strategies {
		for _, r := range s.rounds {
			i, _ := slices.BinarySearchFunc(times, r.at, func(a, b foldstream.Time) int {
				return cmp.Or(a.Compare(b), -1) // behind those of the same time
			})
			times = slices.Insert(times, i, r.at)
			rounds = slices.Insert(rounds, i, func() {
				m.tell("end_train", s.Name, s.called(r.set))
				m.tell("reset_online", s.Name, s.called(r.set))
			})
		}
	}
	for _, tell := range rounds {
		tell()
	}
}

// script does the steps of a case.
func (m *manager) script(v *vector) error {
	var steps []struct {
		Op       string
		CurTime  *string `json:"cur_time"`
		Strategy onlineStrategy
	}
	if err := v.into("steps", &steps); err != nil {
		return err
	}
	for _, step := range steps {
		m.tell("step", step.Op, step.CurTime)
		var err error
		switch step.Op {
		case "first_train":
			err = m.first(m.strategies)
		case "add_strategy":
			s := &rolled{onlineStrategy: step.Strategy, manager: m, names: map[foldstream.TaskID]string{}}
			m.strategies = append(m.strategies, s)
			err = m.first([]*rolled{s})
		case "routine":
			at := m.cal.Now()
			if step.CurTime != nil {
				if at, err = foldstream.ParseTime(*step.CurTime); err != nil {
					return err
				}
			}
			err = m.routine(m.cal.ClipEnd(at), true)
		default:
			err = fmt.Errorf("unknown step %s", step.Op)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// first does the first routine of some strategies.
func (m *manager) first(some []*rolled) error {
	for _, s := range some {
		spec := foldstream.CollectionSpec{}
		if _, err := online.Begin(m.ctx, m.store, s.Name, online.State{Pool: s.Name, Begin: m.now, Spec: spec}); err != nil {
			return err
		}
		if err := s.bring(m.now); err != nil {
			return err
		}
		if err := s.look(m.now); err != nil {
			return err
		}
	}
	m.endTraining(some)
	m.remember()
	return nil
}

// routine does the routine of a session for all strategies.
func (m *manager) routine(at foldstream.Time, serving bool) error {
	m.now, m.signals = at, true
	for _, s := range m.strategies {
		if !m.postpones {
			if err := s.bring(at); err != nil {
				return err
			}
		}
		if err := s.look(at); err != nil {
			return err
		}
		if serving {
			m.tell("update_online_pred", s.Name)
		}
	}
	m.endTraining(m.strategies)
	m.remember()
	return nil
}

func (m *manager) endTraining(some []*rolled) {
	for _, s := range some {
		if !m.postpones {
			m.tell("end_train", s.Name, s.called(s.fresh))
		}
	}
}

// remember writes the online sets down under the session.
func (m *manager) remember() {
	sets := []any{}
	for _, s := range m.strategies {
		sets = append(sets, []any{s.Name, s.called(s.set)})
	}
	if n := len(m.history); n > 0 && m.history[n-1].([]any)[0] == m.now {
		m.history = m.history[:n-1]
	}
	m.history = append(m.history, []any{m.now, sets})
}

// bring does the strategy's routine with a worker that works all there is.
func (s *rolled) bring(session foldstream.Time) error {
	r := online.Routine{Store: s.store, Name: s.Name, Windows: s}
	for {
		p, err := r.Step(s.ctx, session)
		if err != nil || p.Done {
			return err
		}
		if err := s.work(); err != nil {
			return err
		}
	}
}

// look tells what the routine of a session brought online, in the original's order: that of the models before, as it lists them.
func (s *rolled) look(at foldstream.Time) error {
	state, _, err := online.Read(s.ctx, s.store, s.Name)
	if err != nil {
		return err
	}
	s.fresh = nil
	for _, w := range state.Switches {
		if s.names[w.Model.Task] == "" && (!w.From.After(at) || len(s.names) == 0) {
			s.fresh = append(s.fresh, w)
		}
	}
	slices.SortStableFunc(s.fresh, func(a, b online.Switch) int {
		return cmp.Or(cmp.Compare(s.rank(a), s.rank(b)), cmp.Compare(a.Model.Window.Index, b.Model.Window.Index))
	})
	told := []any{}
	for _, w := range s.fresh {
		s.models++
		s.names[w.Model.Task] = fmt.Sprintf("%s-%d", s.Name, s.models)
		told = append(told, []any{s.names[w.Model.Task], w.Model.Key.Get("model"), w.Model.Test})
	}
	s.tell("train", s.Name, told)
	switch {
	case len(s.fresh) > 0:
		s.set = s.fresh
		s.rounds = append(s.rounds, round{at, s.set})
		s.tell("reset_online", s.Name, s.called(s.fresh))
	case slices.IsSortedFunc(s.set, func(a, b online.Switch) int { return s.place(a) - s.place(b) }):
		s.set = slices.Clone(s.set)
		slices.Reverse(s.set) // listed anew: the newest first
		if n := len(s.rounds); n > 0 && s.rounds[n-1].at == at {
			s.rounds[n-1].set = s.set
		}
	}
	return nil
}

// rank is the place of a model's configuration in the listing: that of its newest model; of a first one that of its template.
func (s *rolled) rank(w online.Switch) int {
	listing := slices.SortedFunc(slices.Values(s.set), func(a, b online.Switch) int { return s.place(b) - s.place(a) })
	same := func(o online.Switch) bool { return o.Model.Key.Compare(w.Model.Key) == 0 }
	if i := slices.IndexFunc(listing, same); i >= 0 {
		return i
	}
	return slices.IndexFunc(s.Tasks, func(t map[string]any) bool { return classOf(t) == w.Model.Key.Get("model") })
}

// place is a model's place in the order of training.
func (s *rolled) place(w online.Switch) int {
	var n int
	_, _ = fmt.Sscanf(s.names[w.Model.Task], s.Name+"-%d", &n)
	return n
}

func (s *rolled) called(set []online.Switch) []string {
	out := []string{}
	for _, w := range set {
		out = append(out, s.names[w.Model.Task])
	}
	return out
}

func classOf(task map[string]any) string {
	model, _ := task["model"].(map[string]any)
	class, _ := model["class"].(string)
	return class
}

var _ online.Windows = (*rolled)(nil)

func (s *rolled) Calendar() *calendar.Calendar { return s.cal }

func (s *rolled) First(begin foldstream.Time) ([]foldstream.Task, error) {
	cal, err := s.cal.WithNow(begin)
	if err != nil {
		return nil, err
	}
	var all []foldstream.Template
	for _, task := range s.Tasks {
		t, err := foldstream.TemplateOf(task)
		if err != nil {
			return nil, err
		}
		t.Key = t.Key.With("model", classOf(task))
		if s.delay {
			t.Stages = []string{"prepare", "fit"}
		}
		made, err := s.rolling(cal).Generate(t)
		if err != nil {
			return nil, err
		}
		all = append(all, made...)
	}
	return gen.Tasks(all)
}

func (s *rolled) Following(model foldstream.Template, until foldstream.Time) ([]foldstream.Task, error) {
	made, err := s.rolling(s.cal).Following(model, until)
	if err != nil {
		return nil, err
	}
	return gen.Tasks(made)
}

func (s *rolled) Predicting(model foldstream.Task, test foldstream.Segment) (foldstream.Task, error) {
	t, err := gen.Retest(model.Template, s.cal, test)
	if err != nil {
		return foldstream.Task{}, err
	}
	t.Task["predict"] = map[string]any{"of": string(model.ID)}
	made, err := gen.Tasks([]foldstream.Template{t})
	if err != nil {
		return foldstream.Task{}, err
	}
	return made[0], nil
}

func (s *rolled) rolling(cal *calendar.Calendar) gen.Rolling {
	return gen.Rolling{Calendar: cal, Step: s.Step, Type: calendar.Mode(s.RType)}
}

// work works every task of the strategy's pool: three instruments have a score at each session of the test that has come.
func (s *rolled) work() error {
	for {
		l, err := s.store.Pool(s.Name).Fetch(s.ctx, foldstream.Filter{})
		if foldstream.Is(err, foldstream.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		var result foldstream.Result
		if l.Task().LastStage() {
			test := l.Task().Segments["test"]
			test.End = s.cal.ClipEnd(test.End)
			sessions, err := s.cal.Slice(test)
			if err != nil {
				return err
			}
			result.Frames = map[string]foldstream.Frame{"pred": scoresOf(sessions)}
		}
		if err := l.Commit(s.ctx, result); err != nil {
			return err
		}
	}
}

func scoresOf(sessions []foldstream.Time) foldstream.Frame {
	var f foldstream.Frame
	var scores []float64
	for i, t := range sessions {
		for j, name := range []string{"A", "B", "C"} {
			f.Times, f.Instruments = append(f.Times, t), append(f.Instruments, name)
			scores = append(scores, float64((i+j*j)%7))
		}
	}
	f.Columns = []foldstream.Column{{Name: "score", Values: scores}}
	return f
}

// told is the answer in the original's shape.
func (m *manager) told() (any, error) {
	out := map[string]any{"events": m.events, "history": m.history, "cur_time": m.now, "status": "online", "signals": nil}
	rows, keys := 0, map[string]bool{}
	dates := map[foldstream.Time]bool{}
	var first, last foldstream.Time
	for _, s := range m.strategies {
		state, _, err := online.Read(m.ctx, m.store, s.Name)
		if err != nil {
			return nil, err
		}
		f, err := online.Signals(m.ctx, m.store, state)
		if err != nil {
			return nil, err
		}
		own := map[string]bool{}
		for i, t := range f.Times {
			key := t.String() + f.Instruments[i]
			if own[key] {
				rows++ // it would be counted as one more than there are keys
			}
			own[key], keys[key], dates[t] = true, true, true
			if first.IsOpen() || t.Before(first) {
				first = t
			}
			if t.After(last) {
				last = t
			}
		}
	}
	if len(keys) > 0 {
		out["signals"] = map[string]any{"rows": len(keys) + rows, "first": first, "last": last, "duplicate_rows": rows, "dates": len(dates)}
	}
	return out, nil
}

// slowOnline is what was recorded with each signal once, and up to the session that it was at: what a model says of sessions to come is no
// signal yet. Sessions past the calendar are its last.
func slowOnline(v *vector) (any, error) {
	var want map[string]any
	if err := json.Unmarshal(v.Expect, &want); err != nil {
		return nil, err
	}
	last, err := foldstream.ParseTime(want["cur_time"].(string))
	if err != nil {
		return nil, err
	}
	if now, err := foldstream.ParseTime(v.Now); err == nil && last.After(now) {
		last = now
		want["cur_time"] = now
		history := want["history"].([]any)
		history[len(history)-1].([]any)[0] = now
	}
	first := foldstream.DateOf(2019, 4, 1) // of the one case that says no signals
	if signals, ok := want["signals"].(map[string]any); ok {
		if first, err = foldstream.ParseTime(signals["first"].(string)); err != nil {
			return nil, err
		}
	}
	n := 0
	for _, day := range v.set.days[v.Calendar] {
		if !day.Before(first) && !day.After(last) {
			n++
		}
	}
	want["signals"] = map[string]any{"rows": 3 * n, "first": first, "last": last, "duplicate_rows": 0, "dates": n}
	return want, nil
}
