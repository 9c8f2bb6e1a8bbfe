package cli_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// played is what there is of an experiment and its pool, without what differs from one replay to the next.
type played struct {
	Experiment foldstream.Experiment
	Settings   foldstream.PoolSettings
	Counts     foldstream.Counts
	Tasks      []foldstream.Task // in order of creation
	Members    []foldstream.Expectation
}

func playedOf(t *testing.T, s foldstream.Store, name string) played {
	t.Helper()
	ctx, p := t.Context(), played{}
	var err error
	p.Experiment, err = record.ReadExperiment(ctx, s, name)
	ok(t, err)
	p.Members, _, err = record.Members(ctx, s, p.Experiment)
	ok(t, err)
	p.Experiment.ID, p.Experiment.Replay.Life, p.Experiment.Created = "", "", time.Time{}
	p.Settings, err = s.(foldstream.PoolAdmin).Settings(ctx, p.Experiment.Pool)
	ok(t, err)
	p.Counts, err = s.Pool(p.Experiment.Pool).Stat(ctx)
	ok(t, err)
	for task, err := range s.(foldstream.Archive).Definitions(ctx, p.Experiment.Pool) {
		ok(t, err)
		p.Tasks = append(p.Tasks, task)
	}
	return p
}

var sameTimes = cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })

// recorded submits the small experiment with priorities and stages, lets two tasks be done and three fail.
func recorded(t *testing.T) *mem.Store {
	t.Helper()
	s := mem.New(mem.Options{})
	submitter{s}.tell(t)
	for i := range 5 {
		l, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		if i < 2 {
			ok(t, l.Commit(t.Context(), foldstream.Result{Metrics: map[string]float64{"ic": 0.5}}))
		} else {
			ok(t, l.Fail(t.Context(), errors.New("no")))
		}
	}
	return s
}

func replayed(t *testing.T, s foldstream.Store, args ...string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: s}, append([]string{"replay"}, args...)...)
}

func TestReplayMakesTheSameTasksInTheSameOrder(t *testing.T) {
	s := recorded(t)
	want := playedOf(t, s, "small")
	replayed(t, s, "small").says(t, 0, "small-2: 120 recorded tasks of small: 120 new, 0 known\n")
	got := playedOf(t, s, "small-2")
	if got.Counts[foldstream.Waiting] != 120 || got.Experiment.Source != "replay of small" || got.Experiment.Replay.Open {
		t.Errorf("%+v, %v", got.Experiment, got.Counts)
	}
	for i := range want.Tasks {
		want.Tasks[i].Experiment = "small-2"
	}
	if d := cmp.Diff(want.Tasks, got.Tasks, sameTimes); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want.Members, got.Members, sameTimes); d != "" {
		t.Error(d)
	}
	if after := playedOf(t, s, "small"); after.Counts[foldstream.Dead] != 3 || after.Counts[foldstream.Done] != 2 {
		t.Errorf("the original has %v", after.Counts)
	}

	replayed(t, s, "small").says(t, 0, "small-3: 120 recorded tasks of small: 120 new") // it was finished: another one
	replayed(t, s, "small", "--as", "small-3").says(t, 0, "small-3: 120 recorded tasks of small: 0 new, 120 known")
	replayed(t, s, "small-2").says(t, 0, "small-4: 120 recorded tasks of small-2: 120 new")
	again := playedOf(t, s, "small-4")
	for i := range again.Tasks {
		again.Tasks[i].Experiment = "small-2"
	}
	if d := cmp.Diff(got.Tasks, again.Tasks, sameTimes); d != "" {
		t.Error("the replay of a replay:", d)
	}
}

func TestReplayKeepsPrioritiesStagesAndRetries(t *testing.T) {
	s, two := mem.New(mem.Options{}), 2
	a, b := task(1), task(2)
	a.Priority, a.Stages, a.Retry, a.Deadline, a.Keys = &two, []string{"fit", "score"}, foldstream.Retry{Attempts: 7}, time.Minute, []string{"gpu"}
	var members []foldstream.Expectation
	for _, task := range []foldstream.Task{a, b} {
		members = append(members, foldstream.Expectation{Key: task.Key, Window: task.Window, Test: task.Segments["test"], Task: task.ID})
	}
	calendar, _, err := s.Artifacts().Put(t.Context(), strings.NewReader("1996-01-02\n1996-04-01\n"))
	ok(t, err)
	_, err = s.Pool("e").Create(t.Context(), b, a)
	ok(t, err)
	ok(t, record.PutExperiment(t.Context(), s, foldstream.Experiment{Name: "e", Pool: "e", Calendar: string(calendar)}, members))
	replayed(t, s, "e", "--as", "f").says(t, 0, "f: 2 recorded tasks of e: 2 new")
	for _, want := range []foldstream.TaskID{a.ID, b.ID} { // by priority, not by order
		l, err := s.Pool("f").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		if got := l.Task(); got.ID != want || want == a.ID && (got.Stage != "fit" || got.Retry.Attempts != 7 || got.Deadline != time.Minute || got.Keys[0] != "gpu") {
			t.Errorf("%+v comes, want %s", got, want)
		}
	}
}

func TestReplayOfSome(t *testing.T) {
	s := recorded(t)
	failed := map[foldstream.TaskID]bool{}
	for state, err := range s.Tasks(t.Context(), "small") {
		ok(t, err)
		failed[state.ID] = state.Status == foldstream.Dead
	}
	for name, c := range map[string]struct {
		args  []string
		tasks int
	}{
		"failed":  {[]string{"--failed"}, 3},
		"where":   {[]string{"--where", `key.horizon == "5" and window < 4`}, 12},
		"both":    {[]string{"--failed", "--where", "window == 3"}, 1},
		"sample":  {[]string{"--sample", "17"}, 17},
		"most":    {[]string{"--sample", "17", "--failed"}, 3},
		"since":   {[]string{"--since", "2000-01-02T00:00:00Z"}, 120},
		"changed": {[]string{"-S", "collection.portfolio.cost=0.01", "-S", "collection.ensemble=rank"}, 120},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"small", "--as", name}, c.args...)
			replayed(t, s, append(args, "--dry-run")...).says(t, 0, fmt.Sprintf("%s: nothing published; %d recorded tasks of small (", name, c.tasks))
			if _, err := record.ReadExperiment(t.Context(), s, name); !foldstream.Is(err, foldstream.NotFound) {
				t.Errorf("the dry run stored the experiment: %v", err)
			}
			replayed(t, s, args...).says(t, 0, fmt.Sprintf("%d new, 0 known", c.tasks))
			got := playedOf(t, s, name)
			if len(got.Tasks) != c.tasks || got.Experiment.Expected != c.tasks {
				t.Errorf("%d tasks, %d members", len(got.Tasks), got.Experiment.Expected)
			}
			if name == "failed" && slices.ContainsFunc(got.Tasks, func(task foldstream.Task) bool { return !failed[task.ID] }) {
				t.Error("one of them did not fail")
			}
			if spec := got.Experiment.Collection; name == "changed" && (spec.Portfolio != foldstream.PortfolioSpec{TopK: 5, Cost: 0.01} || spec.Ensemble != "rank") {
				t.Errorf("%+v", spec)
			}
			replayed(t, s, args...).says(t, 0, fmt.Sprintf("0 new, %d known", c.tasks))
			replayed(t, s, append(args, "--code", "v9")...).says(t, 4, "with other flags")
		})
	}
}

// What fails after a replay was begun is no member of it: what is replayed is what was asked for at first.
func TestReplayRepeatedAfterTheOriginalWentOn(t *testing.T) {
	s := recorded(t)
	replayed(t, dying(s, 3), "small", "--failed").says(t, 1, "power cut")
	l, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
	ok(t, err)
	ok(t, l.Fail(t.Context(), errors.New("no")))
	replayed(t, s, "small", "--failed").says(t, 0, "small-2: 3 recorded tasks of small (--failed): ")
	replayed(t, s, "small", "--failed").says(t, 0, "small-3: 4 recorded tasks of small (--failed): 4 new")
}

// Dying at each write in turn and repeating the command comes to the same as one that is left alone.
func TestReplayRepeatedAfterDying(t *testing.T) {
	args := []string{"small", "--code", "v2", "--where", "window > 2"}
	s := recorded(t)
	replayed(t, s, args...).says(t, 0, "102 new")
	want := playedOf(t, s, "small-2")
	deaths := 0
	for n := 1; ; n++ {
		s := recorded(t)
		d := dying(s, n)
		r := replayed(t, d, args...)
		if r.code == 0 {
			break
		}
		deaths++
		replayed(t, s, args...).says(t, 0, "small-2: 102 recorded tasks of small")
		if diff := cmp.Diff(want, playedOf(t, s, "small-2"), sameTimes); diff != "" {
			t.Errorf("after dying at write %d: %s", n, diff)
		}
		if _, err := record.ReadExperiment(t.Context(), s, "small-3"); !foldstream.Is(err, foldstream.NotFound) {
			t.Errorf("after dying at write %d there are two replays", n)
		}
	}
	if deaths < 4 { // experiment, code, tasks, end
		t.Errorf("only %d writes", deaths)
	}
}

func TestReplayRefuses(t *testing.T) {
	s := recorded(t)
	_, err := s.Pool("taken").Create(t.Context(), task(1))
	ok(t, err)
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{3, `there is no experiment "nobody"`, []string{"nobody"}},
		{2, "needs another name", []string{"small", "--as", "small"}},
		{2, "--as", []string{"small", "--as", "a b"}},
		{4, "there is a pool taken with 1 task", []string{"small", "--as", "taken"}},
		{2, "--sample -1", []string{"small", "--sample=-1"}},
		{2, "unknown name colour", []string{"small", "--where", "colour == 1"}},
		{2, `--since "soon"`, []string{"small", "--since", "soon"}},
		{3, "none of the 120 tasks of small is asked for (--where", []string{"small", "--where", "window > 99"}},
		{2, "collection.portfolio.cost", []string{"small", "-S", "model.kwargs.alpha=1"}},
		{2, "collection has no portfolio.costs", []string{"small", "-S", "collection.portfolio.costs=1"}},
		{2, "a number from 0 to 1", []string{"small", "-S", "collection.portfolio.cost=2"}},
		{2, "a whole number", []string{"small", "-S", "collection.portfolio.top_k=1.5"}},
		{2, "is not known", []string{"small", "-S", "collection.ensemble=no"}},
		{2, "at most 200 bytes", []string{"small", "--code", strings.Repeat("v", 201)}},
	} {
		replayed(t, s, c.args...).says(t, c.code, c.want)
	}
	if pools, err := s.Pools(t.Context()); err != nil || len(pools) != 2 {
		t.Errorf("pools %v, %v", pools, err)
	}
}

// mortal is a store whose process dies at its n-th write: of tasks half are made, of all else nothing, and nothing after that.
type mortal struct {
	*mem.Store
	left *int
}

func dying(s *mem.Store, n int) mortal { return mortal{s, &n} }

var errDied = errors.New("power cut")

// write counts a write; half tells that it is the last, of which half is done.
func (m mortal) write() (half bool, err error) {
	*m.left--
	if *m.left < 1 {
		return *m.left == 0, errDied
	}
	return false, nil
}

func (m mortal) Pool(name string) foldstream.Pool { return mortalPool{m.Store.Pool(name), m} }

func (m mortal) Values(bucket string) foldstream.Values {
	return mortalValues{m.Store.Values(bucket), m}
}

func (m mortal) Change(ctx context.Context, pool string, change func(*foldstream.PoolSettings)) (foldstream.PoolSettings, error) {
	if _, err := m.write(); err != nil {
		return foldstream.PoolSettings{}, err
	}
	return m.Store.Change(ctx, pool, change)
}

// Copy copies the first of the tasks that are wanted when it dies.
func (m mortal) Copy(ctx context.Context, from, to, experiment string, wanted func(foldstream.TaskID) bool) iter.Seq2[[]foldstream.Created, error] {
	half, died := m.write()
	if died == nil {
		return m.Store.Copy(ctx, from, to, experiment, wanted)
	}
	return func(yield func([]foldstream.Created, error) bool) {
		if half {
			n := 0
			first := func(id foldstream.TaskID) bool {
				ours := n < 40 && wanted(id)
				if ours {
					n++
				}
				return ours
			}
			for _, err := range m.Store.Copy(ctx, from, to, experiment, first) {
				died = errors.Join(died, err)
			}
		}
		yield(nil, died)
	}
}

type mortalPool struct {
	foldstream.Pool
	m mortal
}

func (p mortalPool) Create(ctx context.Context, tasks ...foldstream.Task) ([]foldstream.Created, error) {
	half, err := p.m.write()
	if half {
		_, _ = p.Pool.Create(ctx, tasks[:len(tasks)/2]...)
	}
	if err != nil {
		return nil, err
	}
	return p.Pool.Create(ctx, tasks...)
}

type mortalValues struct {
	foldstream.Values
	m mortal
}

func (v mortalValues) Put(ctx context.Context, value foldstream.Value) (uint64, error) {
	if _, err := v.m.write(); err != nil {
		return 0, err
	}
	return v.Values.Put(ctx, value)
}
