package collect

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/foldstream/foldstream"
)

// shelf is the place of one collection in the bucket: what is stored there now, by key. It writes by compare-and-set, and only
// what differs.
type shelf struct {
	*leader
	values   foldstream.Values
	there    map[string]entry
	ensemble foldstream.Digest // what the stored ensemble was made of; "" is none
}

type entry struct {
	revision uint64
	digest   foldstream.Digest
}

// openShelf reads what is stored of an experiment's collection and shows each value.
func openShelf(ctx context.Context, l *leader, experiment string, show func(foldstream.Value)) (*shelf, error) {
	s := &shelf{leader: l, values: l.Store.Values(foldstream.Collections), there: map[string]entry{}}
	for v, err := range s.values.List(ctx, experiment) {
		if err != nil {
			return nil, err
		}
		if v.Key != experiment && !strings.HasPrefix(v.Key, experiment+".") {
			continue // of an experiment whose name starts like this one's
		}
		s.there[v.Key] = entry{v.Revision, digestOf(v.Data)}
		if v.Key == ensembleKey(experiment) {
			_, s.ensemble, _, _ = decodeGroup(v.Key, v.Data)
		}
		show(v)
	}
	return s, nil
}

// put stores a value unless the same bytes are there. When somebody else wrote meanwhile, it makes sure that this aggregator
// still leads, and then writes over it: a leader has seen every event. Errors: Conflict (another one leads, or may).
func (s *shelf) put(ctx context.Context, key string, data []byte, mark foldstream.Cursor) error {
	digest := digestOf(data)
	there := s.there[key]
	if there.digest == digest {
		return nil
	}
	if s.lock.expired() {
		return foldstream.Errorf(foldstream.Conflict, "collect", "the lead ran out before %s was written", key)
	}
	revision, err := s.values.Put(ctx, foldstream.Value{Key: key, Data: data, Mark: mark, Revision: there.revision})
	if foldstream.Is(err, foldstream.Conflict) {
		if err := s.confirm(ctx); err != nil {
			return err
		}
		if err := s.refresh(ctx, key); err != nil {
			return err
		}
		if s.there[key].digest == digest {
			return nil
		}
		revision, err = s.values.Put(ctx, foldstream.Value{Key: key, Data: data, Mark: mark, Revision: s.there[key].revision})
	}
	if err == nil {
		s.there[key] = entry{revision, digest}
	}
	return err
}

// refresh reads what is stored under a key now.
func (s *shelf) refresh(ctx context.Context, key string) error {
	v, err := s.values.Get(ctx, key)
	switch {
	case err == nil:
		s.there[key] = entry{v.Revision, digestOf(v.Data)}
	case foldstream.Is(err, foldstream.NotFound):
		delete(s.there, key)
		err = nil
	}
	return err
}

// clear deletes what this shelf has stored of an experiment that is not there any more: whoever deleted it may have done so before
// the last of these values was written. What somebody else wrote since stays.
func (s *shelf) clear(ctx context.Context) error { return s.drop(ctx, s.there) }

// drop deletes values, unless somebody else has written them since.
func (s *shelf) drop(ctx context.Context, values map[string]entry) error {
	var errs []error
	for key, there := range maps.Clone(values) {
		err := s.values.Delete(ctx, key, there.revision)
		if err != nil && !foldstream.Is(err, foldstream.Conflict) {
			errs = append(errs, err)
			continue
		}
		delete(s.there, key)
	}
	return errors.Join(errs...)
}

// basis is the digest of the groups as they are stored, and of what the ensemble depends on besides.
func (s *shelf) basis(f *fold) foldstream.Digest {
	var all strings.Builder
	for _, g := range f.groups {
		all.WriteString(g.key.String() + "\n" + string(s.there[groupKey(f.experiment.Name, g.key)].digest) + "\n")
	}
	return digestOf([]byte(all.String()))
}
