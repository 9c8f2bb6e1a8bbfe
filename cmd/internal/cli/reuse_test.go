package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/stream/mem"
)

// reuser submits small experiments, of which the data can be changed, to a store in memory, and works them as code of one version.
type reuser struct {
	*mem.Store
	dir string
}

func newReuser(t *testing.T) reuser {
	t.Helper()
	r := reuser{mem.New(mem.Options{}), t.TempDir()}
	r.write(t, "prices.csv", "1\n")
	r.experiment(t, "one", "1, 10")
	return r
}

func (r reuser) write(t *testing.T, name, text string) {
	t.Helper()
	ok(t, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600))
}

// experiment writes a file of twenty windows for each alpha.
func (r reuser) experiment(t *testing.T, name, alphas string) {
	t.Helper()
	text, err := os.ReadFile(small)
	ok(t, err)
	calendar, err := filepath.Abs("../../../examples/dow30/prices.csv")
	ok(t, err)
	r.write(t, name+".yaml", strings.NewReplacer("name: small", "name: "+name, "csv: ../../../examples/dow30/prices.csv", "csv: "+calendar,
		"prices: ../../../examples/dow30/prices.csv", "prices: prices.csv", "[1, 100, 10000]", "["+alphas+"]", "[1, 5]", "[1]").Replace(string(text)))
}

func (r reuser) submit(t *testing.T, name string, args ...string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: r.Store}, append([]string{"producer", "submit", filepath.Join(r.dir, name+".yaml")}, args...)...)
}

func (r reuser) plan(t *testing.T, name string, args ...string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: r.Store}, append([]string{"plan", filepath.Join(r.dir, name+".yaml")}, args...)...)
}

// work works so many tasks of a pool as code of a version, here.
func (r reuser) work(t *testing.T, pool, code string, n int) {
	t.Helper()
	for range n {
		l, err := r.Pool(pool).Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		ok(t, l.Commit(t.Context(), foldstream.Result{Code: code, Data: foldstream.DataDigest(l.Task().Data), Environment: "here", Params: map[string]string{"pool": pool, "code": code}}))
	}
	if _, err := r.Pool(pool).Fetch(t.Context(), foldstream.Filter{}); !foldstream.Is(err, foldstream.NotFound) {
		t.Errorf("more than %d tasks of pool %s are to be worked: %v", n, pool, err)
	}
}

// whole wants a pool to have lost and doubled nothing.
func (r reuser) whole(t *testing.T, pool string, want foldstream.Counts) {
	t.Helper()
	c, err := r.Verify(t.Context(), pool)
	ok(t, err)
	if len(c.Faults) > 0 || fmt.Sprint(c.Counts) != fmt.Sprint(want) {
		t.Errorf("pool %s: %v, %q; want %v", pool, c.Counts, c.Faults, want)
	}
}

var v1 = []string{"--code", "v1", "--environment", "here"}

func TestReuse_AcrossPools(t *testing.T) {
	r := newReuser(t)
	r.submit(t, "one", v1...).says(t, 0, "40 new, 0 known")
	r.work(t, "one", "v1", 40)
	r.submit(t, "one", v1...).says(t, 0, "0 new, 40 known")

	r.experiment(t, "two", "10, 100")
	r.plan(t, "two", v1...).says(t, 0, "two: 40 tasks for 40 members: 20 new, 0 known, 0 done, 20 cached; leaks")
	r.submit(t, "two", append(v1, "--no-cache", "--dry-run")...).says(t, 0, "40 new, 0 known")
	r.submit(t, "two", "--code", "v2", "--environment", "here", "--dry-run").says(t, 0, "40 new, 0 known")
	r.submit(t, "two", "--code", "v1", "--environment", "there", "--dry-run").says(t, 0, "40 new, 0 known")
	r.submit(t, "two", v1...).says(t, 0, "20 new, 20 cached, 0 known")
	r.submit(t, "two", v1...).says(t, 0, "0 new, 40 known")
	r.whole(t, "two", foldstream.Counts{foldstream.Done: 20, foldstream.Waiting: 20})
	r.work(t, "two", "v1", 20)
	r.whole(t, "two", foldstream.Counts{foldstream.Done: 40})
}

func TestReuse_WhatChanged(t *testing.T) {
	r := newReuser(t)
	r.submit(t, "one", v1...)
	r.work(t, "one", "v1", 40)

	r.submit(t, "one", "--dry-run").says(t, 0, "0 new, 40 known") // a guess ends no life
	v2 := []string{"--code", "v2", "--environment", "here"}
	r.plan(t, "one", v2...).says(t, 0, "changed: code")
	r.submit(t, "one", v2...).says(t, 0, "0 new, 40 changed, 0 known")
	r.submit(t, "one", v2...).says(t, 0, "0 new, 40 known")
	r.work(t, "one", "v2", 40)
	r.submit(t, "one", v1...).says(t, 0, "0 new, 40 changed, 0 known") // and back: by the results of the first lives
	r.whole(t, "one", foldstream.Counts{foldstream.Done: 40})
	r.work(t, "one", "v1", 0)

	r.write(t, "prices.csv", "2\n")
	r.submit(t, "one").says(t, 0, "0 new, 40 changed, 0 known")
	r.write(t, "prices.csv", "3\n")
	r.submit(t, "one").says(t, 0, "0 new, 40 changed, 0 known") // what waits has other data, too
	r.work(t, "one", "v1", 40)
	r.submit(t, "one", "--refresh").says(t, 0, "0 new, 40 changed, 0 known")
	r.work(t, "one", "v1", 40)
	r.whole(t, "one", foldstream.Counts{foldstream.Done: 40})
}

// TestReuse_RequiredCode has a pool that requires a version: that is wanted there.
func TestReuse_Revise(t *testing.T) {
	r := newReuser(t)
	r.submit(t, "one", v1...)
	r.work(t, "one", "v1", 40)
	r.experiment(t, "one", "10, 100")
	r.plan(t, "one", v1...).says(t, 0, "20 new, 0 known, 20 done, 20 dropped")
	r.submit(t, "one", v1...).says(t, 4, "revise it")
	r.whole(t, "one", foldstream.Counts{foldstream.Done: 40})
	revise := append(v1[:len(v1):len(v1)], "--revise")
	r.submit(t, "one", revise...).says(t, 0, "20 new, 20 known")
	r.submit(t, "one", v1...).says(t, 0, "0 new, 40 known")
	r.work(t, "one", "v1", 20)
	r.whole(t, "one", foldstream.Counts{foldstream.Done: 60})
}

// The tasks that took longest in their lives before are the first of the new ones, where that is asked for.
func TestReuse_LongestFirst(t *testing.T) {
	r := newReuser(t)
	r.submit(t, "one", v1...)
	for range 40 {
		l, err := r.Pool("one").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		took := time.Duration(1+l.Task().Window.Index) * time.Second
		ok(t, l.Commit(t.Context(), foldstream.Result{Code: "v1", Data: foldstream.DataDigest(l.Task().Data), Environment: "here", Duration: took}))
	}
	r.submit(t, "one", append(v1[:len(v1):len(v1)], "--refresh", "--longest-first")...).says(t, 0, "0 new, 40 changed")
	last := 20
	for range 40 {
		l, err := r.Pool("one").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		if at := l.Task().Window.Index; at > last {
			t.Errorf("window %d comes after window %d", at, last)
		} else {
			last = at
		}
	}
}

func TestReuse_RequiredCode(t *testing.T) {
	r := newReuser(t)
	r.submit(t, "one")
	r.work(t, "one", "v1", 40)
	_, err := r.Change(t.Context(), "one", func(s *foldstream.PoolSettings) { s.Code = "v2" })
	ok(t, err)
	r.submit(t, "one", "--dry-run").says(t, 0, "0 new, 40 changed, 0 known")
}

// TestReuse_Interrupted ends lives and makes tasks as a command does that dies in between: repeating it completes it.
func TestReuse_Interrupted(t *testing.T) {
	r := newReuser(t)
	r.submit(t, "one", v1...)
	r.work(t, "one", "v1", 40)
	ids := r.ids(t)
	_, err := r.Remove(t.Context(), "one", "changed: data", ids[:10]...) // died while lives ended
	ok(t, err)
	r.experiment(t, "two", "1, 10")
	state, err := r.Task(t.Context(), "one", ids[25])
	ok(t, err)
	_, err = r.Pool("two").Create(t.Context(), state.Task) // died between a definition and its end
	ok(t, err)

	r.submit(t, "one", v1...).says(t, 0, "0 new, 10 cached, 30 known")
	r.submit(t, "two", v1...).says(t, 0, "0 new, 40 cached, 0 known")
	for _, pool := range []string{"one", "two"} {
		r.whole(t, pool, foldstream.Counts{foldstream.Done: 40})
		r.work(t, pool, "v1", 0)
	}
}

// ids are those of pool one.
func (r reuser) ids(t *testing.T) (ids []foldstream.TaskID) {
	t.Helper()
	for state, err := range r.Tasks(t.Context(), "one") {
		ok(t, err)
		ids = append(ids, state.ID)
	}
	return ids
}

func TestWhyMiss(t *testing.T) {
	r := newReuser(t)
	r.submit(t, "one", v1...)
	r.work(t, "one", "v1", 40)
	one := r.ids(t)[0]
	r.experiment(t, "two", "1, 10")
	r.submit(t, "two", "--code", "v2", "--environment", "here")
	why := func(args ...string) (out struct {
		Hit     bool
		Results []struct {
			Pool             string
			Differs, Unknown []string
		}
	}) {
		t.Helper()
		args = append([]string{"why-miss", "two", string(one), "--json"}, args...)
		told := command(t, &cli.Env{Store: r.Store}, args...)
		if err := json.Unmarshal([]byte(told.stdout), &out); err != nil || told.code != 0 {
			t.Fatalf("%v: %+v", err, told)
		}
		return out
	}
	differs := func(want string, args ...string) {
		t.Helper()
		if got := why(args...); got.Hit != (want == "") || len(got.Results) == 0 || strings.Join(got.Results[0].Differs, " ") != want {
			t.Errorf("%q: %+v, want %q", args, got, want)
		}
	}
	differs("", v1...)
	differs("code", "--code", "v2", "--environment", "here")
	differs("code environment", "--code", "v2", "--environment", "there")
	r.write(t, "prices.csv", "2\n")
	differs("data", append(v1, "--file", filepath.Join(r.dir, "two.yaml"))...)
	r.work(t, "two", "v2", 40)
	if got := why(); got.Results[0].Differs[0] != "code" || len(got.Results[1].Differs) != 0 { // why it had to be worked
		t.Errorf("of a task that is done: %+v", got)
	}
	command(t, &cli.Env{Store: r.Store}, "why-miss", "two", string(one)).says(t, 0, "│ code ")
	command(t, &cli.Env{Store: r.Store}, "why-miss", "two", "nobody").says(t, 3, "nobody")
}

func (r reuser) apply(t *testing.T, file string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: r.Store}, "apply", file)
}

// TestApply carries a plan out that has something of everything, and again: the second time changes nothing.
func TestApply(t *testing.T) {
	r := newReuser(t)
	r.submit(t, "one", v1...)
	r.work(t, "one", "v1", 40)
	r.experiment(t, "two", "10, 100")
	r.submit(t, "two", "--code", "v2", "--environment", "here")
	r.work(t, "two", "v2", 40)
	file := filepath.Join(r.dir, "two.plan")
	r.plan(t, "two", append(v1, "--out", file)...).says(t, 0, "0 new, 0 known, 0 done, 40 changed")
	r.apply(t, file).says(t, 0, "0 new, 40 changed, 0 known")
	r.work(t, "two", "v1", 20) // the others came from pool one
	r.apply(t, file).says(t, 0, "0 new, 40 known")
	r.whole(t, "two", foldstream.Counts{foldstream.Done: 40})

	r.plan(t, "two", append(v1, "--refresh", "--out", file)...)
	r.apply(t, file).says(t, 0, "0 new, 40 changed, 0 known")
	r.work(t, "two", "v1", 40)
	r.apply(t, file).says(t, 0, "0 new, 40 known")
	r.work(t, "two", "v1", 0)
}

// TestApply_Interrupted repeats it after a part of each of its steps was done.
func TestApply_Interrupted(t *testing.T) {
	r := newReuser(t)
	r.submit(t, "one", v1...)
	r.work(t, "one", "v1", 40)
	r.experiment(t, "two", "10, 100")
	file := filepath.Join(r.dir, "two.plan")
	r.plan(t, "two", append(v1, "--out", file)...)
	for i, id := range r.ids(t) { // some were made, of those some were ended
		state, err := r.Task(t.Context(), "one", id)
		ok(t, err)
		if i < 20 || i%2 == 0 { // those of alpha 1 are not two's
			continue
		}
		_, err = r.Pool("two").Create(t.Context(), state.Task)
		ok(t, err)
	}
	r.apply(t, file).says(t, 0, "20 new, 20 cached, 0 known")
	r.whole(t, "two", foldstream.Counts{foldstream.Done: 20, foldstream.Waiting: 20})

	plan := filepath.Join(r.dir, "one.plan")
	r.plan(t, "one", "--code", "v2", "--environment", "here", "--out", plan)
	_, err := r.Remove(t.Context(), "one", "changed: code", r.ids(t)[:13]...)
	ok(t, err)
	r.apply(t, plan).says(t, 0, "13 new, 27 changed, 0 known")
	r.work(t, "one", "v2", 40)
	r.whole(t, "one", foldstream.Counts{foldstream.Done: 40})
}

// TestApply_Moved changes each thing that a plan depends on.
func TestApply_Moved(t *testing.T) {
	r := newReuser(t)
	r.submit(t, "one", v1...)
	r.work(t, "one", "v1", 40)
	r.experiment(t, "two", "10, 100")
	file := filepath.Join(r.dir, "two.plan")
	again := func() { t.Helper(); r.plan(t, "two", append(v1, "--out", file)...).says(t, 0, "20 cached") }
	refused := func(want string) {
		t.Helper()
		r.apply(t, file).says(t, 4, want)
		if c, err := r.Pool("two").Stat(t.Context()); err != nil || c.Total() != 0 {
			t.Errorf("a refused plan made %v, %v", c, err)
		}
	}
	again()
	r.write(t, "prices.csv", "2\n")
	refused("data prices: it was ")
	r.write(t, "prices.csv", "1\n")
	r.experiment(t, "two", "10, 1000")
	refused("experiment file: it was ")
	r.experiment(t, "two", "10, 100")
	_, err := r.Change(t.Context(), "two", func(s *foldstream.PoolSettings) { s.Code = "v3" })
	ok(t, err)
	refused("code: it was v1, now it is v3")
	_, err = r.Change(t.Context(), "two", func(s *foldstream.PoolSettings) { s.Code = "" })
	ok(t, err)
	again()
	_, err = r.Purge(t.Context(), "one", func() []foldstream.TaskID {
		ids := r.ids(t)
		_, err := r.Remove(t.Context(), "one", "gone", ids...)
		ok(t, err)
		return ids
	}()...)
	ok(t, err)
	refused("it was cached, now it is new")

	text, err := os.ReadFile(file)
	ok(t, err)
	ok(t, os.WriteFile(file, []byte(strings.Replace(string(text), `"do":"cached"`, `"do":"new"`, 1)), 0o600))
	r.apply(t, file).says(t, 2, "it was changed after it was written")
	r.apply(t, filepath.Join(r.dir, "no.plan")).says(t, 2, "there is no file")
	command(t, nil, "plan", filepath.Join(r.dir, "two.yaml"), "--out", file).says(t, 2, "--out: a plan is made against a store")
}

// modest is a store whose user may make tasks, and no more.
type modest struct{ *mem.Store }

func (modest) Adopt(context.Context, string, ...foldstream.Adoption) ([]foldstream.Created, error) {
	return nil, foldstream.Errorf(foldstream.Denied, "adopt", "no")
}

func (modest) Remove(context.Context, string, string, ...foldstream.TaskID) (int, error) {
	return 0, foldstream.Errorf(foldstream.Denied, "remove", "no")
}

func TestReuse_Denied(t *testing.T) {
	r := newReuser(t)
	submit := func(name string, want string) {
		t.Helper()
		args := append([]string{"producer", "submit", filepath.Join(r.dir, name+".yaml")}, v1...)
		command(t, &cli.Env{Store: modest{r.Store}}, args...).says(t, 0, want)
	}
	submit("one", "40 new, 0 known (")
	r.work(t, "one", "v1", 40)
	r.experiment(t, "two", "10, 100")
	submit("two", "40 new, 0 known, 20 not reused: this user may not")
	r.work(t, "two", "v1", 40)
	r.write(t, "prices.csv", "2\n")
	submit("one", "0 new, 40 known, 40 not reused: this user may not")
	r.whole(t, "one", foldstream.Counts{foldstream.Done: 40})
}
