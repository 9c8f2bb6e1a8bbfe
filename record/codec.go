package record

import (
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// version is the first of the two things in every stored document; the second is its body. It changes when a name or a meaning below
// does.
const version = 1

// wireExperiment is an experiment as it is stored, in msgpack: a map with these names in this order.
type wireExperiment struct {
	Name     string    `msgpack:"name"`
	Pool     string    `msgpack:"pool"`
	Calendar string    `msgpack:"calendar"`
	Members  string    `msgpack:"members"`
	Expected int       `msgpack:"expected"`
	Spec     wire.Spec `msgpack:"collection"`
	Policy   string    `msgpack:"policy"`
	Source   string    `msgpack:"source"`
	Notes    []string  `msgpack:"notes,omitempty"`
	Created  time.Time `msgpack:"created"`
	ID       string    `msgpack:"id,omitempty"`
	Deleting bool      `msgpack:"deleting,omitempty"` // its deletion has begun; nothing is added to it

	Replay *wireReplay    `msgpack:"replay,omitempty"`
	Before []wireRevision `msgpack:"before,omitempty"`
}

// wireRevision is what an experiment was.
type wireRevision struct {
	Until    time.Time `msgpack:"until"`
	Calendar string    `msgpack:"calendar,omitempty"`
	Members  string    `msgpack:"members"`
	Expected int       `msgpack:"expected"`
	Spec     wire.Spec `msgpack:"spec"`
	Policy   string    `msgpack:"policy,omitempty"`
}

func wireRevisions(before []foldstream.Revision) (all []wireRevision) {
	for _, r := range before {
		all = append(all, wireRevision{r.Until.UTC(), r.Calendar, string(r.Members), r.Expected, wire.SpecOf(r.Collection), string(r.Policy)})
	}
	return all
}

func revisions(before []wireRevision) (all []foldstream.Revision) {
	for _, w := range before {
		all = append(all, foldstream.Revision{
			Until: w.Until.In(time.UTC), Calendar: w.Calendar, Members: foldstream.Digest(w.Members), Expected: w.Expected, Collection: w.Spec.Spec(), Policy: foldstream.Policy(w.Policy),
		})
	}
	return all
}

// wireReplay is what an experiment makes anew.
type wireReplay struct {
	Of    string `msgpack:"of"`
	Life  string `msgpack:"life,omitempty"`
	Asked string `msgpack:"asked,omitempty"`
	Open  bool   `msgpack:"open,omitempty"`
}

func encodeExperiment(e foldstream.Experiment, deleting bool) ([]byte, error) {
	var replay *wireReplay
	if e.Replay != (foldstream.Replay{}) {
		r := wireReplay(e.Replay)
		replay = &r
	}
	return wire.Encode(version, &wireExperiment{
		Name: e.Name, Pool: e.Pool, Calendar: e.Calendar, Members: string(e.Members), Expected: e.Expected,
		Spec: wire.SpecOf(e.Collection), Policy: string(e.Policy), Source: e.Source, Notes: e.Notes, Created: e.Created.UTC(), ID: e.ID, Deleting: deleting,
		Replay: replay, Before: wireRevisions(e.Before),
	})
}

// DecodeExperiment reads an experiment from a value of the bucket Experiments whose key IsExperiment. alive is false where it is deleted, or
// being deleted. Errors: Invalid.
func DecodeExperiment(v foldstream.Value) (e foldstream.Experiment, alive bool, err error) {
	if v.Deleted {
		return foldstream.Experiment{Name: v.Key}, false, nil
	}
	var w wireExperiment
	if err := wire.Decode("experiment "+v.Key, version, v.Data, &w); err != nil {
		return foldstream.Experiment{}, false, err
	}
	if err := w.check(v.Key); err != nil {
		return foldstream.Experiment{}, false, foldstream.Errorf(foldstream.Invalid, "record", "experiment %s cannot be read: %w", v.Key, err)
	}
	if w.Replay != nil {
		e.Replay = foldstream.Replay(*w.Replay)
	}
	return foldstream.Experiment{
		Name: w.Name, Pool: w.Pool, Calendar: w.Calendar, Members: foldstream.Digest(w.Members), Expected: w.Expected,
		Collection: w.Spec.Spec(), Policy: foldstream.Policy(w.Policy), Source: w.Source, Notes: w.Notes, Created: w.Created.In(time.UTC), ID: w.ID,
		Replay: e.Replay, Before: revisions(w.Before),
	}, !w.Deleting, nil
}

func (w *wireExperiment) check(key string) error {
	if w.Name != key {
		return foldstream.Errorf(foldstream.Invalid, "", "its name is %.80q", w.Name)
	}
	if w.Pool == "" && w.Members == "" {
		return nil
	}
	return foldstream.ValidName("pool", w.Pool)
}

// EncodeArchived writes an experiment as it stands in an archive. Its list of members is an artifact of its own; what it was before stays behind.
func EncodeArchived(e foldstream.Experiment) ([]byte, error) {
	e.Before = nil
	return encodeExperiment(e, false)
}

// DecodeArchived reads what EncodeArchived wrote. Errors: Invalid.
func DecodeArchived(data []byte) (foldstream.Experiment, error) {
	var w wireExperiment
	if err := wire.Decode("the experiment", version, data, &w); err != nil {
		return foldstream.Experiment{}, err
	}
	if err := foldstream.ValidName("experiment", w.Name); err != nil {
		return foldstream.Experiment{}, err
	}
	e, _, err := DecodeExperiment(foldstream.Value{Key: w.Name, Data: data})
	return e, err
}

// DecodeMembers reads a list of members, the artifact Experiment.Members, and the sessions of their test periods. Errors: Invalid.
func DecodeMembers(what string, data []byte) ([]foldstream.Expectation, []foldstream.Time, error) {
	return decodeMembers(what, data)
}

func encodeMembers(members []foldstream.Expectation, sessions []foldstream.Time) ([]byte, error) {
	return wire.Encode(version, wire.MembersOf(members, foldstream.Tested(sessions, members)))
}

func decodeMembers(what string, data []byte) ([]foldstream.Expectation, []foldstream.Time, error) {
	var w wire.Members
	if err := wire.Decode(what, version, data, &w); err != nil {
		return nil, nil, err
	}
	members, sessions, err := w.List()
	return members, sessions, foldstream.E(foldstream.Invalid, what, err)
}
