package streamtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
)

var sweepChecks = []Check{
	{"sweep/everything refers", sweepReferred},
	{"sweep/what was listed", sweepListed},
	{"sweep/stored again since", sweepRenewed},
}

// digestOf is the digest of a text.
func digestOf(text string) foldstream.Digest {
	sum := sha256.Sum256([]byte(text))
	return foldstream.Digest(hex.EncodeToString(sum[:]))
}

// sweepReferred has everything that a store keeps refer to a blob, each to another one.
func sweepReferred(ctx context.Context, h Harness) error {
	task := Task(1)
	task.Data = []foldstream.Data{{Name: "prices", Digest: digestOf(foldstream.FromDefinitions)}}
	l, err := startOne(ctx, h.Store, task)
	if err != nil {
		return err
	}
	result := by("me")
	result.Artifacts = []foldstream.Artifact{{Name: "model", Digest: digestOf(foldstream.FromEvents)}}
	if err := l.Commit(ctx, result); err != nil {
		return err
	}
	framed, err := startOne(ctx, h.Store, Task(2))
	if err != nil {
		return err
	}
	result.Artifacts[0].Digest = digestOf("beside a frame")
	result.Frames = map[string]foldstream.Frame{"pred": {}}
	if err := framed.Commit(ctx, result); err != nil {
		return err
	}
	order := foldstream.Schedule{Name: "nightly", When: "@every 24h", Kind: "submit", Order: []byte("frozen " + digestOf(foldstream.FromSchedules))}
	if err := admin(h).Schedule(ctx, order, false); err != nil {
		return err
	}
	for _, bucket := range []string{foldstream.Experiments, foldstream.Collections} {
		for key, text := range map[string]string{"kept": bucket, "deleted": "deleted"} {
			rev, err := h.Store.Values(bucket).Put(ctx, foldstream.Value{Key: key, Data: []byte(digestOf(text))})
			if err == nil && key == "deleted" {
				err = h.Store.Values(bucket).Delete(ctx, key, rev)
			}
			if err != nil {
				return err
			}
		}
	}
	return Eventually(ctx, func() error {
		found := map[foldstream.Reference]bool{}
		for r, err := range admin(h).Referred(ctx) {
			if err != nil {
				return err
			}
			if r.Digest == digestOf("deleted") {
				return fmt.Errorf("a value that was deleted refers to its blob")
			}
			found[r] = true
		}
		for _, want := range []foldstream.Reference{
			{Digest: digestOf(foldstream.FromDefinitions), From: foldstream.FromDefinitions, Key: string(Task(1).ID)},
			{Digest: digestOf(foldstream.FromEvents), From: foldstream.FromEvents, Key: string(Task(1).ID)},
			{Digest: digestOf("beside a frame"), From: foldstream.FromEvents, Key: string(Task(2).ID)},
			{Digest: digestOf(foldstream.FromSchedules), From: foldstream.FromSchedules, Key: "nightly"},
			{Digest: digestOf(foldstream.Experiments), From: foldstream.Experiments, Key: "kept"},
			{Digest: digestOf(foldstream.Collections), From: foldstream.Collections, Key: "kept"},
		} {
			if !found[want] {
				return fmt.Errorf("%s refers to no blob; there are %d references", want.From, len(found))
			}
		}
		return nil
	})
}

// blobs lists what is stored, by its digest.
func blobs(ctx context.Context, h Harness) (map[foldstream.Digest]foldstream.Stored, error) {
	all := map[foldstream.Digest]foldstream.Stored{}
	for b, err := range admin(h).Stored(ctx) {
		if err != nil {
			return nil, err
		}
		all[b.Digest] = b
	}
	return all, nil
}

// put stores texts.
func put(ctx context.Context, h Harness, texts ...string) error {
	for _, text := range texts {
		if _, _, err := h.Store.Artifacts().Put(ctx, strings.NewReader(text)); err != nil {
			return err
		}
	}
	return nil
}

func sweepListed(ctx context.Context, h Harness) error {
	texts := []string{"one", "two", "gone", ""}
	if err := put(ctx, h, texts...); err != nil {
		return err
	}
	if err := h.Store.Artifacts().Delete(ctx, digestOf("gone")); err != nil {
		return err
	}
	all, err := blobs(ctx, h)
	if err != nil {
		return err
	}
	if b := all[digestOf("one")]; len(all) != 3 || b.Size != 3 || b.At.IsZero() || all[digestOf("gone")].Revision != 0 {
		return fmt.Errorf("listed are %v, want three", all)
	}
	for i, want := range []bool{true, false} {
		if swept, err := admin(h).Sweep(ctx, all[digestOf("one")]); err != nil || swept != want {
			return off(err, "sweep %d says %v", i+1, swept)
		}
	}
	if err := absentBlob(ctx, h, digestOf("one")); err != nil {
		return err
	}
	if _, err := readBlob(ctx, h.Second, digestOf("two")); err != nil {
		return err
	}
	left, err := blobs(ctx, h)
	if err != nil || len(left) != 2 {
		return off(err, "after a sweep %d blobs are listed, want 2", len(left))
	}
	if err := put(ctx, h, "one"); err != nil { // and may come again
		return err
	}
	_, err = readBlob(ctx, h.Second, digestOf("one"))
	return err
}

func absentBlob(ctx context.Context, h Harness, d foldstream.Digest) error {
	return Eventually(ctx, func() error {
		_, err := h.Second.Artifacts().Stat(ctx, d)
		return want(err, foldstream.NotFound, "stat of a blob that was swept")
	})
}

// sweepRenewed has blobs stored again, or renewed, after they were listed: whoever did will refer to them.
func sweepRenewed(ctx context.Context, h Harness) error {
	if err := put(ctx, h, "stored", "renewed"); err != nil {
		return err
	}
	all, err := blobs(ctx, h)
	if err != nil {
		return err
	}
	if err := put(ctx, h, "stored"); err != nil {
		return err
	}
	if size, err := h.Second.Artifacts().Renew(ctx, digestOf("renewed")); err != nil || size != int64(len("renewed")) {
		return off(err, "renewing tells a size of %d", size)
	}
	for _, text := range []string{"stored", "renewed"} {
		if swept, err := admin(h).Sweep(ctx, all[digestOf(text)]); err != nil || swept {
			return off(err, "a blob that was %s since it was listed was swept", text)
		}
		if data, err := readBlob(ctx, h.Second, digestOf(text)); err != nil || string(data) != text {
			return off(err, "the blob that was %s reads %q", text, data)
		}
	}
	_, err = h.Store.Artifacts().Renew(ctx, digestOf("never"))
	return want(err, foldstream.NotFound, "renewing what is not there")
}
