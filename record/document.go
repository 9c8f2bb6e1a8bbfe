package record

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// document is what is stored of a recorder: what people added to it and, of free work, all there is. It counts while the experiment of
// its life does.
type document struct {
	Life string            `msgpack:"life"`           // the experiment's ID
	Tags map[string]string `msgpack:"tags"`           // people's
	Gone []string          `msgpack:"gone,omitempty"` // tags that people took away
	Note string            `msgpack:"note,omitempty"`
	Work *work             `msgpack:"work,omitempty"` // nil of a task's recorder
}

// work is what a run of free work says of itself. Only the run whose name it has changes it.
type work struct {
	Run       string                `msgpack:"run"`
	Name      string                `msgpack:"name"`
	Status    Status                `msgpack:"status"` // Running, Finished or Failed
	Worker    string                `msgpack:"worker"`
	Code      string                `msgpack:"code"`
	Params    map[string]any        `msgpack:"params"`
	Large     map[string]Large      `msgpack:"large,omitempty"` // params that are too large to stand in Params
	Metrics   map[string]float64    `msgpack:"metrics"`
	Tags      map[string]string     `msgpack:"tags"`
	Artifacts []foldstream.Artifact `msgpack:"artifacts"`
	Series    foldstream.Series     `msgpack:"series,omitempty"`
	Error     string                `msgpack:"error,omitempty"`
	Created   time.Time             `msgpack:"created"`
	Started   time.Time             `msgpack:"started"`
	Ended     time.Time             `msgpack:"ended"`
	Expires   time.Time             `msgpack:"expires"` // while Running: it is lost when it is not heard of until then
}

// Large is a parameter of free work that is too large to stand among the others: an artifact has it. Get brings its value; in a list it
// stays what it is.
type Large struct {
	Digest foldstream.Digest `msgpack:"digest"`
	Size   int64             `msgpack:"size"` // in the artifact
}

func (d *document) encode() ([]byte, error) { return wire.Encode(version, d) }

// decodeDocument reads a recorder's document. One of another life of the experiment is as if it were not there: nil.
func decodeDocument(v foldstream.Value, life string) (*document, error) {
	var d document
	if err := wire.Decode("recorder "+v.Key, version, v.Data, &d); err != nil {
		return nil, err
	}
	if d.Life != life {
		return nil, nil
	}
	return &d, nil
}

// documentKey is where the document of a recorder is.
func documentKey(experiment, id string) string { return experiment + "." + id }

// documents reads the documents of an experiment, by recorder.
func documents(ctx context.Context, store foldstream.Store, e foldstream.Experiment) (map[string]*document, error) {
	found := map[string]*document{}
	prefix := documentKey(e.Name, "")
	for v, err := range store.Values(foldstream.Experiments).List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		d, err := decodeDocument(v, e.ID)
		if err != nil {
			return nil, err
		}
		if d != nil {
			found[strings.TrimPrefix(v.Key, prefix)] = d
		}
	}
	return found, nil
}

// readDocument reads the document of one recorder; nil where there is none.
func readDocument(ctx context.Context, store foldstream.Store, e foldstream.Experiment, id string) (*document, error) {
	v, err := store.Values(foldstream.Experiments).Get(ctx, documentKey(e.Name, id))
	if foldstream.Is(err, foldstream.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeDocument(v, e.ID)
}

// tagged returns the tags of a recorder, of which these are its own, with what people did to them.
func (d *document) tagged(own map[string]string) map[string]string {
	tags := map[string]string{}
	maps.Copy(tags, own)
	if d == nil {
		return tags
	}
	maps.Copy(tags, d.Tags)
	for _, name := range d.Gone {
		delete(tags, name)
	}
	return tags
}

// tag sets a tag, and untag takes one away, whoever set it.
func (d *document) tag(name, value string) {
	if d.Tags == nil {
		d.Tags = map[string]string{}
	}
	d.Tags[name] = value
	d.Gone = slices.DeleteFunc(d.Gone, func(gone string) bool { return gone == name })
}

func (d *document) untag(name string) {
	delete(d.Tags, name)
	if !slices.Contains(d.Gone, name) {
		d.Gone = append(d.Gone, name)
	}
}

// change stores under a key of the bucket Experiments what next makes of the newest value, as often as somebody else was first. Of a key that
// is not there next gets a Value without a revision. Where next returns nil nothing is stored. Errors: those of next and of the bucket.
func change(ctx context.Context, store foldstream.Store, key string, next func(foldstream.Value) ([]byte, error)) error {
	values := store.Values(foldstream.Experiments)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		v, err := values.Get(ctx, key)
		if foldstream.Is(err, foldstream.NotFound) {
			v, err = foldstream.Value{Key: key}, nil
		}
		if err != nil {
			return err
		}
		data, err := next(v)
		if err != nil || data == nil {
			return err
		}
		_, err = values.Put(ctx, foldstream.Value{Key: key, Data: data, Revision: v.Revision})
		if !foldstream.Is(err, foldstream.Conflict) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return foldstream.E(foldstream.Cancelled, "record", ctx.Err())
		}
	}
}

// changeDocument is change for the document of a recorder. next gets nil where there is none, and may return it.
func changeDocument(ctx context.Context, store foldstream.Store, e foldstream.Experiment, id string, next func(*document) (*document, error)) error {
	return change(ctx, store, documentKey(e.Name, id), func(v foldstream.Value) ([]byte, error) {
		var d *document
		var err error
		if v.Revision > 0 {
			d, err = decodeDocument(v, e.ID)
		}
		if err == nil {
			d, err = next(d)
		}
		if err != nil || d == nil {
			return nil, err
		}
		d.Life = e.ID
		return d.encode()
	})
}
