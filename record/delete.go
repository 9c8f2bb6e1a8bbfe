package record

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// Deleter is a Store from which experiments can be deleted.
type Deleter interface {
	Store
	foldstream.Admin
	foldstream.Purger
}

// Deletion says what to delete with an experiment. The zero Deletion leaves its tasks.
type Deletion struct {
	Tasks bool   // end the tasks that are recorders of no other experiment, and forget them
	Why   string // for people
}

// Deleted is what was deleted. Repeated after an error, a deletion counts what was left.
type Deleted struct {
	Recorders int // documents of recorders
	Values    int // of its collection
	Tasks     int
}

// Delete deletes an experiment: what people added to its recorders, its free recorders, its published metrics, its collection, and at last the
// experiment itself, after which its name is free. A free recorder that is running learns of it. Artifacts stay. Whatever it dies of, repeating
// it completes it; meanwhile nothing can be added to the experiment. Errors: NotFound (there is nothing of it), Invalid (the name).
func Delete(ctx context.Context, store Deleter, name string, o Deletion) (Deleted, error) {
	var did Deleted
	if err := foldstream.ValidName("experiment", name); err != nil {
		return did, err
	}
	e, there, err := condemn(ctx, store, name)
	if err != nil {
		return did, err
	}
	if there && o.Tasks {
		if did.Tasks, err = deleteTasks(ctx, store, e, o.Why); err != nil {
			return did, err
		}
	}
	if did.Recorders, err = deleteValues(ctx, store.Values(foldstream.Experiments), documentKey(name, ""), under(name)); err != nil {
		return did, err
	}
	if err := store.Metrics().Delete(ctx, name, ""); err != nil {
		return did, err
	}
	if did.Values, err = deleteValues(ctx, store.Values(foldstream.Collections), name, whole(name)); err != nil {
		return did, err
	}
	if there {
		return did, deleteValue(ctx, store.Values(foldstream.Experiments), name)
	}
	if did == (Deleted{}) {
		return did, nothingOf(name)
	}
	return did, nil
}

// Meant tells what Delete would delete, and changes nothing. Errors: as Delete.
func Meant(ctx context.Context, store Deleter, name string, o Deletion) (Deleted, error) {
	var meant Deleted
	if err := foldstream.ValidName("experiment", name); err != nil {
		return meant, err
	}
	v, err := store.Values(foldstream.Experiments).Get(ctx, name)
	there := err == nil
	if err != nil && !foldstream.Is(err, foldstream.NotFound) {
		return meant, err
	}
	if there && o.Tasks {
		e, _, err := DecodeExperiment(v)
		if err != nil {
			return meant, err
		}
		ids, err := ownTasks(ctx, store, e)
		if err != nil {
			return meant, err
		}
		meant.Tasks = len(ids)
	}
	if meant.Recorders, err = countValues(ctx, store.Values(foldstream.Experiments), documentKey(name, ""), under(name)); err != nil {
		return meant, err
	}
	if meant.Values, err = countValues(ctx, store.Values(foldstream.Collections), name, whole(name)); err != nil {
		return meant, err
	}
	if !there && meant == (Deleted{}) {
		return meant, nothingOf(name)
	}
	return meant, nil
}

// under and whole tell the keys that are of an experiment: those behind its name, and its name itself.
func under(name string) func(key string) bool {
	return func(key string) bool { return strings.HasPrefix(key, name+".") }
}

func whole(name string) func(key string) bool {
	return func(key string) bool { return key == name || strings.HasPrefix(key, name+".") }
}

func nothingOf(name string) error {
	return foldstream.Errorf(foldstream.NotFound, "experiment", "there is no experiment %q in this store", name)
}

func countValues(ctx context.Context, values foldstream.Values, prefix string, meant func(key string) bool) (n int, err error) {
	for v, err := range values.List(ctx, prefix) {
		if err != nil {
			return n, err
		}
		if meant(v.Key) {
			n++
		}
	}
	return n, nil
}

// condemn marks an experiment, so that nothing is added to it any more; false where it is not there.
func condemn(ctx context.Context, store foldstream.Store, name string) (e foldstream.Experiment, there bool, err error) {
	err = change(ctx, store, name, func(v foldstream.Value) ([]byte, error) {
		if there = v.Revision > 0; !there {
			return nil, nil
		}
		var alive bool
		if e, alive, err = DecodeExperiment(v); err != nil || !alive {
			return nil, err
		}
		return encodeExperiment(e, true)
	})
	return e, there, err
}

// deleteTasks removes and purges the tasks of an experiment that no other experiment has.
func deleteTasks(ctx context.Context, store Deleter, e foldstream.Experiment, why string) (int, error) {
	ids, err := ownTasks(ctx, store, e)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	if _, err := store.Remove(ctx, e.Pool, why, ids...); err != nil {
		return 0, err
	}
	return store.Purge(ctx, e.Pool, ids...)
}

// ownTasks returns the tasks of an experiment that are recorders of no other one, also those that are half purged.
func ownTasks(ctx context.Context, store Deleter, e foldstream.Experiment) ([]foldstream.TaskID, error) {
	if e.Pool == "" {
		return nil, nil
	}
	own, err := memberTasks(ctx, store, e)
	if err != nil {
		return nil, err
	}
	others, shared, err := otherTasks(ctx, store, e)
	if err != nil {
		return nil, err
	}
	for s, err := range store.Tasks(ctx, e.Pool) {
		if err != nil {
			return nil, err
		}
		own[s.ID] = own[s.ID] && !others[s.Experiment] || s.Experiment == e.Name
	}
	maps.DeleteFunc(own, func(id foldstream.TaskID, is bool) bool { return !is || shared[id] })
	return slices.Sorted(maps.Keys(own)), foldstream.E(foldstream.Cancelled, "experiment", ctx.Err())
}

// otherTasks returns the other experiments of the pool, and the tasks of their members.
func otherTasks(ctx context.Context, store foldstream.Store, e foldstream.Experiment) (names map[string]bool, tasks map[foldstream.TaskID]bool, err error) {
	names, tasks = map[string]bool{}, map[foldstream.TaskID]bool{}
	for other, err := range Experiments(ctx, store) {
		if err != nil {
			return nil, nil, err
		}
		if other.Pool != e.Pool || other.Name == e.Name {
			continue
		}
		names[other.Name] = true
		members, err := memberTasks(ctx, store, other)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(tasks, members)
	}
	return names, tasks, nil
}

// deleteValues deletes those of the values under a prefix whose keys are meant.
func deleteValues(ctx context.Context, values foldstream.Values, prefix string, meant func(key string) bool) (n int, err error) {
	for v, err := range values.List(ctx, prefix) {
		if err != nil {
			return n, err
		}
		if !meant(v.Key) {
			continue
		}
		if err := deleteValue(ctx, values, v.Key); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// deleteValue deletes a value whatever its revision; one that is not there is no error.
func deleteValue(ctx context.Context, values foldstream.Values, key string) error {
	for {
		v, err := values.Get(ctx, key)
		if foldstream.Is(err, foldstream.NotFound) {
			return nil
		}
		if err == nil {
			err = values.Delete(ctx, key, v.Revision)
		}
		if !foldstream.Is(err, foldstream.Conflict) {
			return err
		}
	}
}
