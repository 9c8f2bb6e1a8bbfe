package collect

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// PutExperiment stores an experiment and the list of members that its collection must have. e's Members and Expected are set
// from the list, e.Created to the time given there. Storing the same again, in any order of members, changes nothing.
//
// sessions are those of e's calendar. With them a collection can tell a session without rows inside a window that is there;
// without them only windows that are missing are known as gaps. Those outside the members' test periods are not kept.
//
// Errors: Invalid (the name, no members, two members of one key and window, an ensemble or weights that are none), Conflict (an experiment of that name has other
// members, another pool or another collection).
func PutExperiment(ctx context.Context, store foldstream.Store, e foldstream.Experiment, members []foldstream.Expectation, sessions ...foldstream.Time) error {
	e, err := withMembers(ctx, store, e, members, sessions)
	if err != nil {
		return err
	}
	body, err := encode(packExperiment(e))
	if err != nil {
		return err
	}
	_, err = store.Values(foldstream.Experiments).Put(ctx, foldstream.Value{Key: e.Name, Data: body})
	if !foldstream.Is(err, foldstream.Conflict) {
		return err
	}
	there, err := ReadExperiment(ctx, store, e.Name)
	if err != nil {
		return err
	}
	return sameExperiment(there, e)
}

// CheckExperiment fails as PutExperiment would and stores no experiment, so that its tasks can be created first. Errors: as PutExperiment.
func CheckExperiment(ctx context.Context, store foldstream.Store, e foldstream.Experiment, members []foldstream.Expectation, sessions ...foldstream.Time) error {
	e, err := withMembers(ctx, store, e, members, sessions)
	if err != nil {
		return err
	}
	there, err := ReadExperiment(ctx, store, e.Name)
	if foldstream.Is(err, foldstream.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return sameExperiment(there, e)
}

// withMembers returns the experiment with its list of members, which it stores as an artifact.
func withMembers(ctx context.Context, store foldstream.Store, e foldstream.Experiment, members []foldstream.Expectation, sessions []foldstream.Time) (foldstream.Experiment, error) {
	if err := foldstream.ValidName("experiment", e.Name); err != nil {
		return e, err
	}
	if err := e.Collection.Validate(); err != nil {
		return e, foldstream.Errorf(foldstream.Invalid, "experiment", "%s: %w", e.Name, err)
	}
	sorted, err := sortMembers(e.Name, members)
	if err != nil {
		return e, err
	}
	if err := e.Collection.Weigh(mapEach(ByKey(sorted), func(g []foldstream.Expectation) foldstream.Key { return g[0].Key })); err != nil {
		return e, foldstream.Errorf(foldstream.Invalid, "experiment", "%s: %w", e.Name, err)
	}
	data, err := encode(packMembers(sorted, sessions))
	if err != nil {
		return e, err
	}
	e.Members, _, err = store.Artifacts().Put(ctx, bytes.NewReader(data))
	e.Expected = len(sorted)
	return e, err
}

// sameExperiment reports how the experiment that is there differs from the one that was to be stored. When and from where
// it was submitted makes no difference.
func sameExperiment(there, e foldstream.Experiment) error {
	var what string
	switch {
	case there.Members != e.Members:
		return foldstream.Errorf(foldstream.Conflict, "experiment",
			"%s exists with other members: it has %d, this one %d; choose another name", e.Name, there.Expected, e.Expected)
	case there.Pool != e.Pool:
		what = "pool (" + there.Pool + ")"
	case there.Calendar != e.Calendar:
		what = "calendar"
	case !there.Collection.Equal(e.Collection):
		what = "collection"
	case cmp.Or(there.Policy, foldstream.Refuse) != cmp.Or(e.Policy, foldstream.Refuse):
		what = "policy on leaks (" + string(there.Policy) + ")"
	default:
		return nil
	}
	return foldstream.Errorf(foldstream.Conflict, "experiment", "%s exists with another %s; choose another name", e.Name, what)
}

// sortMembers puts the members in key order, then by window.
func sortMembers(experiment string, members []foldstream.Expectation) ([]foldstream.Expectation, error) {
	if len(members) == 0 {
		return nil, foldstream.Errorf(foldstream.Invalid, "experiment", "%s has no members", experiment)
	}
	sorted := slices.SortedStableFunc(slices.Values(members), compareMembers)
	for i := 1; i < len(sorted); i++ {
		if a, b := sorted[i-1], sorted[i]; compareMembers(a, b) == 0 {
			return nil, foldstream.Errorf(foldstream.Invalid, "experiment",
				"%s: two members, tasks %s and %s, are both window %d of %q", experiment, a.Task, b.Task, a.Window.Index, a.Key)
		}
	}
	return sorted, nil
}

func compareMembers(a, b foldstream.Expectation) int {
	return cmp.Or(CompareKeys(a.Key, b.Key), cmp.Compare(a.Window.Index, b.Window.Index))
}

// ReadExperiment reads a stored experiment. Errors: NotFound.
func ReadExperiment(ctx context.Context, store foldstream.Store, name string) (foldstream.Experiment, error) {
	if err := foldstream.ValidName("experiment", name); err != nil {
		return foldstream.Experiment{}, err
	}
	v, err := store.Values(foldstream.Experiments).Get(ctx, name)
	if foldstream.Is(err, foldstream.NotFound) {
		err = foldstream.Errorf(foldstream.NotFound, "experiment", "there is no experiment %q in this store", name)
	}
	if err != nil {
		return foldstream.Experiment{}, err
	}
	return decodeExperiment(v)
}

// Experiments reads the stored experiments in order of their names. It ends with its first error.
func Experiments(ctx context.Context, store foldstream.Store) iter.Seq2[foldstream.Experiment, error] {
	return func(yield func(foldstream.Experiment, error) bool) {
		for v, err := range store.Values(foldstream.Experiments).List(ctx, "") {
			if err == nil && !isExperiment(v.Key) {
				continue
			}
			var e foldstream.Experiment
			if err == nil {
				e, err = decodeExperiment(v)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// isExperiment tells experiments from the other things in their bucket, whose keys have dots or slashes.
func isExperiment(key string) bool { return key != "" && !strings.ContainsAny(key, "./=") }

// Members reads the list of members of an experiment, in key order, then by window. Errors: NotFound.
func Members(ctx context.Context, store foldstream.Store, e foldstream.Experiment) ([]foldstream.Expectation, error) {
	members, _, err := readMembers(ctx, store, e)
	return members, err
}

func readMembers(ctx context.Context, store foldstream.Store, e foldstream.Experiment) ([]foldstream.Expectation, []foldstream.Time, error) {
	data, err := readArtifact(ctx, store, e.Members)
	if err != nil {
		return nil, nil, err
	}
	what := "members of " + e.Name
	var w wireMembers
	if err := decode(what, data, &w); err != nil {
		return nil, nil, err
	}
	members, err := mapErr(w.Members, wireMember.unpack)
	if err != nil {
		return nil, nil, foldstream.E(foldstream.Invalid, what, err)
	}
	sessions, err := mapErr(w.Sessions, foldstream.ParseTime)
	return members, sessions, foldstream.E(foldstream.Invalid, what, err)
}

func readArtifact(ctx context.Context, store foldstream.Store, d foldstream.Digest) ([]byte, error) {
	r, err := store.Artifacts().Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func packMembers(members []foldstream.Expectation, sessions []foldstream.Time) *wireMembers {
	w := wireMembers{Members: mapEach(members, func(m foldstream.Expectation) wireMember {
		return wireMember{packKey(m.Key), m.Window.Index, m.Window.Of, packSegment(m.Test), string(m.Task)}
	})}
	w.Sessions = mapEach(inside(distinctTimes(sessions), members), foldstream.Time.String)
	return &w
}

// inside returns the times that are in the test period of a member. times must be sorted.
func inside(times []foldstream.Time, members []foldstream.Expectation) []foldstream.Time {
	tests := map[foldstream.Segment]bool{}
	for _, m := range members {
		tests[m.Test] = true
	}
	in := make([]bool, len(times))
	for test := range tests {
		from, to := within(times, test)
		for i := from; i < to; i++ {
			in[i] = true
		}
	}
	var out []foldstream.Time
	for i, t := range times {
		if in[i] {
			out = append(out, t)
		}
	}
	return out
}

func (w wireMember) unpack() (foldstream.Expectation, error) {
	test, err := unpackSegment(w.Test)
	return foldstream.Expectation{
		Key: unpackKey(w.Key), Window: foldstream.Window{Index: w.Index, Of: w.Of}, Test: test, Task: foldstream.TaskID(w.Task),
	}, err
}

func packExperiment(e foldstream.Experiment) *wireExperiment {
	return &wireExperiment{
		Name: e.Name, Pool: e.Pool, Calendar: e.Calendar, Members: string(e.Members), Expected: e.Expected,
		Spec: packSpec(e.Collection), Policy: string(e.Policy), Source: e.Source, Created: e.Created.UTC(),
	}
}

func decodeExperiment(v foldstream.Value) (foldstream.Experiment, error) {
	var w wireExperiment
	if err := decode("experiment "+v.Key, v.Data, &w); err != nil {
		return foldstream.Experiment{}, err
	}
	return foldstream.Experiment{
		Name: w.Name, Pool: w.Pool, Calendar: w.Calendar, Members: foldstream.Digest(w.Members), Expected: w.Expected,
		Collection: w.Spec.unpack(), Policy: foldstream.Policy(w.Policy), Source: w.Source, Created: w.Created.In(time.UTC),
	}, nil
}
