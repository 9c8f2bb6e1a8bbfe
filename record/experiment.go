package record

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// Create makes an experiment of no tasks, or returns the one of that name that is there, whoever made it. Of many who do it at once one
// makes it. Errors: Invalid (the name), Conflict (it is being deleted).
func Create(ctx context.Context, store foldstream.Store, name string, now time.Time) (foldstream.Experiment, error) {
	if err := foldstream.ValidName("experiment", name); err != nil {
		return foldstream.Experiment{}, err
	}
	made := foldstream.Experiment{Name: name, ID: newID(), Created: now}
	var there foldstream.Experiment
	err := change(ctx, store, name, func(v foldstream.Value) ([]byte, error) {
		if v.Revision == 0 {
			there = made
			return encodeExperiment(made, false)
		}
		e, alive, err := DecodeExperiment(v)
		if there = e; err == nil && !alive {
			err = beingDeleted(name)
		}
		return nil, err
	})
	return there, err
}

// PutExperiment stores an experiment and the list of members that its collection must have. e's ID, Members and Expected are set
// from the list, e.Created to the time given there. Storing the same again, in any order of members, changes nothing; an experiment of
// no tasks takes the members over.
//
// sessions are those of e's calendar. With them a collection can tell a session without rows inside a window that is there;
// without them only windows that are missing are known as gaps. Those outside the members' test periods are not kept.
//
// Errors: Invalid (the name, no members, two members of one key and window, an ensemble or weights that are none), Conflict (an experiment of that name has other
// members, another pool or another collection, or is being deleted).
func PutExperiment(ctx context.Context, store foldstream.Store, e foldstream.Experiment, members []foldstream.Expectation, sessions ...foldstream.Time) error {
	return put(ctx, store, e, members, sessions, SameExperiment)
}

// ReviseExperiment is PutExperiment that gives an experiment of the name other members, another calendar, collection or policy on leaks. It goes
// on with its recorders and with what people added to them; its collection is folded anew, and what it was before is kept, see
// foldstream.Experiment.At. Errors: those of PutExperiment; Conflict where it has another pool, or is a replay.
func ReviseExperiment(ctx context.Context, store foldstream.Store, e foldstream.Experiment, members []foldstream.Expectation, sessions ...foldstream.Time) error {
	return put(ctx, store, e, members, sessions, revisable)
}

// Renew has an experiment's collection folded anew, because tasks of it that were done have ended their lives and begin others: what is stored of a
// complete configuration would else stay. It is called when the old lives are over and before the new ones begin. now is what becomes the
// end of its round. An experiment that is not stored, or has no tasks, is none to renew.
func Renew(ctx context.Context, store foldstream.Store, name string, now time.Time) error {
	return change(ctx, store, name, func(v foldstream.Value) ([]byte, error) {
		if v.Revision == 0 {
			return nil, nil
		}
		e, alive, err := DecodeExperiment(v)
		if err != nil || !alive || e.Members == "" {
			return nil, err
		}
		next := e
		next.Created = now
		return encodeExperiment(next.Revised(e), false)
	})
}

// put stores an experiment, where there is another of the name only if that may become it.
func put(ctx context.Context, store foldstream.Store, e foldstream.Experiment, members []foldstream.Expectation, sessions []foldstream.Time, may func(there, e foldstream.Experiment) error) error {
	e, err := withMembers(ctx, store, e, members, sessions)
	if err != nil {
		return err
	}
	e.ID = newID()
	return change(ctx, store, e.Name, func(v foldstream.Value) ([]byte, error) {
		if v.Revision == 0 {
			return encodeExperiment(e, false)
		}
		there, alive, err := DecodeExperiment(v)
		switch {
		case err != nil:
			return nil, err
		case !alive:
			return nil, beingDeleted(e.Name)
		case there.Members == "":
			full := e
			full.ID, full.Created = there.ID, there.Created
			return encodeExperiment(full, false)
		case SameExperiment(there, e) == nil:
			return nil, nil
		}
		if err := may(there, e); err != nil {
			return nil, err
		}
		return encodeExperiment(e.Revised(there), false)
	})
}

// EndReplay notes that all tasks of a replay are made. Repeating it changes nothing. Errors: NotFound, Conflict (it is being deleted).
func EndReplay(ctx context.Context, store foldstream.Store, name string) error {
	return change(ctx, store, name, func(v foldstream.Value) ([]byte, error) {
		if v.Revision == 0 {
			return nil, foldstream.Errorf(foldstream.NotFound, "experiment", "there is no experiment %q in this store", name)
		}
		e, alive, err := DecodeExperiment(v)
		switch {
		case err != nil:
			return nil, err
		case !alive:
			return nil, beingDeleted(name)
		case !e.Replay.Open:
			return nil, nil
		}
		e.Replay.Open = false
		return encodeExperiment(e, false)
	})
}

// CheckExperiment fails as PutExperiment would and stores no experiment, so that its tasks can be created first. Errors: as PutExperiment.
func CheckExperiment(ctx context.Context, store foldstream.Store, e foldstream.Experiment, members []foldstream.Expectation, sessions ...foldstream.Time) error {
	return check(ctx, store, e, members, sessions, SameExperiment)
}

// CheckRevision is CheckExperiment for ReviseExperiment.
func CheckRevision(ctx context.Context, store foldstream.Store, e foldstream.Experiment, members []foldstream.Expectation, sessions ...foldstream.Time) error {
	return check(ctx, store, e, members, sessions, revisable)
}

func check(ctx context.Context, store foldstream.Store, e foldstream.Experiment, members []foldstream.Expectation, sessions []foldstream.Time, may func(there, e foldstream.Experiment) error) error {
	e, err := withMembers(ctx, store, e, members, sessions)
	if err != nil {
		return err
	}
	v, err := store.Values(foldstream.Experiments).Get(ctx, e.Name)
	if foldstream.Is(err, foldstream.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	there, alive, err := DecodeExperiment(v)
	switch {
	case err != nil:
		return err
	case !alive:
		return beingDeleted(e.Name)
	case there.Members == "":
		return nil
	}
	return may(there, e)
}

// revisable reports why one experiment cannot become another. Errors: Conflict.
func revisable(there, e foldstream.Experiment) error {
	if there.Pool != e.Pool || there.Replay.Of != "" || e.Replay.Of != "" {
		return SameExperiment(there, e)
	}
	return nil
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
	if err := e.Collection.Weigh(keysOf(sorted)); err != nil {
		return e, foldstream.Errorf(foldstream.Invalid, "experiment", "%s: %w", e.Name, err)
	}
	data, err := encodeMembers(sorted, sessions)
	if err != nil {
		return e, err
	}
	e.Members, _, err = store.Artifacts().Put(ctx, bytes.NewReader(data))
	e.Expected = len(sorted)
	return e, err
}

// SameExperiment reports how the experiment that is there differs from the one that was to be stored. When and from where
// it was submitted makes no difference. Errors: Conflict.
func SameExperiment(there, e foldstream.Experiment) error {
	var what string
	switch {
	case there.Members != e.Members:
		return foldstream.Errorf(foldstream.Conflict, "experiment",
			"%s exists with other members: it has %d, this one %d; choose another name, or revise it", e.Name, there.Expected, e.Expected)
	case there.Pool != e.Pool:
		what = "pool (" + there.Pool + ")"
	case there.Calendar != e.Calendar:
		what = "calendar"
	case !there.Collection.Equal(e.Collection):
		what = "collection"
	case cmp.Or(there.Policy, foldstream.Refuse) != cmp.Or(e.Policy, foldstream.Refuse):
		what = "policy on leaks (" + string(there.Policy) + ")"
	case e.Replay.Of != "" && !there.Replay.Same(e.Replay):
		what = "origin"
	default:
		return nil
	}
	return foldstream.Errorf(foldstream.Conflict, "experiment", "%s exists with another %s; choose another name, or revise it", e.Name, what)
}

// sortMembers puts the members in their order.
func sortMembers(experiment string, members []foldstream.Expectation) ([]foldstream.Expectation, error) {
	if len(members) == 0 {
		return nil, foldstream.Errorf(foldstream.Invalid, "experiment", "%s has no members", experiment)
	}
	sorted := slices.SortedStableFunc(slices.Values(members), foldstream.CompareMembers)
	for i := 1; i < len(sorted); i++ {
		if a, b := sorted[i-1], sorted[i]; foldstream.CompareMembers(a, b) == 0 {
			return nil, foldstream.Errorf(foldstream.Invalid, "experiment",
				"%s: two members, tasks %s and %s, are both window %d of %q", experiment, a.Task, b.Task, a.Window.Index, a.Key)
		}
	}
	return sorted, nil
}

// keysOf returns the keys of sorted members, each once.
func keysOf(sorted []foldstream.Expectation) []foldstream.Key {
	keys := wire.Each(sorted, func(m foldstream.Expectation) foldstream.Key { return m.Key })
	return slices.CompactFunc(keys, func(a, b foldstream.Key) bool { return a.Compare(b) == 0 })
}

// ReadExperiment reads a stored experiment. Errors: Invalid (the name), NotFound, also of one that is being deleted.
func ReadExperiment(ctx context.Context, store foldstream.Store, name string) (foldstream.Experiment, error) {
	if err := foldstream.ValidName("experiment", name); err != nil {
		return foldstream.Experiment{}, err
	}
	v, err := store.Values(foldstream.Experiments).Get(ctx, name)
	var e foldstream.Experiment
	alive := false
	if err == nil {
		e, alive, err = DecodeExperiment(v)
	}
	if foldstream.Is(err, foldstream.NotFound) || err == nil && !alive {
		err = foldstream.Errorf(foldstream.NotFound, "experiment", "there is no experiment %q in this store", name)
	}
	if err != nil {
		return foldstream.Experiment{}, err
	}
	return e, nil
}

// Experiments reads the stored experiments in order of their names, and passes over what is none. It ends with its first error.
func Experiments(ctx context.Context, store foldstream.Store) iter.Seq2[foldstream.Experiment, error] {
	return func(yield func(foldstream.Experiment, error) bool) {
		for v, err := range store.Values(foldstream.Experiments).List(ctx, "") {
			if err == nil && !IsExperiment(v.Key) {
				continue
			}
			if err != nil {
				yield(foldstream.Experiment{}, err)
				return
			}
			if e, alive, err := DecodeExperiment(v); err == nil && alive && !yield(e, nil) {
				return
			}
		}
	}
}

// IsExperiment tells experiments from the other things in their bucket by their keys: those have dots or slashes.
func IsExperiment(key string) bool { return key != "" && !strings.ContainsAny(key, "./=") }

// Members reads the list of members of an experiment, in their order, and the sessions of their test periods. An experiment of no tasks
// has none. Errors: NotFound.
func Members(ctx context.Context, store foldstream.Store, e foldstream.Experiment) ([]foldstream.Expectation, []foldstream.Time, error) {
	if e.Members == "" {
		return nil, nil, nil
	}
	data, err := wire.ReadArtifact(ctx, store.Artifacts(), e.Members)
	if err != nil {
		return nil, nil, err
	}
	return decodeMembers("members of "+e.Name, data)
}

func beingDeleted(name string) error {
	return foldstream.Errorf(foldstream.Conflict, "experiment", "%s is being deleted; delete it again to complete that", name)
}

// newID returns a name that no other experiment and no other run has.
func newID() string { return rand.Text()[:13] }
