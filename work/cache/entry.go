package cache

import (
	"context"
	"encoding/json"
	"time"

	"github.com/foldstream/foldstream"
)

// entry says what a piece is. It is written once; only where its artifact is gone another takes its place.
type entry struct {
	Digest foldstream.Digest `json:"digest"`
	Size   int64             `json:"size"`
	Holder string            `json:"holder"` // who built it

	revision uint64
}

// name is the entry of a key, and its lock.
func name(key Key) string { return foldstream.PreparedPrefix + string(key) }

// look reads the entry of a key. One that cannot be read is none, and is written over.
func (c *Cache) look(ctx context.Context, key Key) (e entry, there bool, err error) {
	v, err := c.cfg.Store.Values(foldstream.Experiments).Get(ctx, name(key))
	if foldstream.Is(err, foldstream.NotFound) {
		return e, false, nil
	}
	if err != nil {
		return e, false, err
	}
	there = json.Unmarshal(v.Data, &e) == nil && Key(e.Digest).valid() == nil
	e.revision = v.Revision
	if there && time.Since(v.At) > renewEvery { //nolint:forbidigo // a clock that is off renews it for nothing, or has it built anew one day
		e.revision = c.renew(ctx, v)
	}
	return e, there, nil
}

// renewEvery is how often an entry that is used is written again: its age tells who collects garbage that nobody uses it.
const renewEvery = 12 * time.Hour

// renew writes an entry again and returns its revision. Where it cannot be written, or somebody else has, nothing is lost.
func (c *Cache) renew(ctx context.Context, v foldstream.Value) uint64 {
	revision, err := c.cfg.Store.Values(foldstream.Experiments).Put(ctx, foldstream.Value{Key: v.Key, Data: v.Data, Revision: v.Revision})
	if err != nil {
		return v.Revision
	}
	return revision
}

// enter writes the entry. Errors: Conflict (another one stands by now).
func (c *Cache) enter(ctx context.Context, key Key, e entry) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = c.cfg.Store.Values(foldstream.Experiments).Put(ctx, foldstream.Value{Key: name(key), Data: data, Revision: e.revision})
	return err
}
