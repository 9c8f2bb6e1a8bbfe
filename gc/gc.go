package gc

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// Store is a store that can be swept.
type Store interface {
	foldstream.Store
	foldstream.Sweeper
}

// Options say what may be deleted.
type Options struct {
	Before time.Time // blobs that were stored or renewed since then stay. It must be longer ago than the longest attempt takes
	Unused time.Time // prepared data that were used since then stay; they are made again when they are needed
	DryRun bool      // delete nothing
}

// Report is what was deleted, or would be.
type Report struct {
	Blobs    int   // that nothing refers to
	Uploads  int   // that were never completed
	Prepared int   // entries of prepared data; their blobs are counted as blobs
	Bytes    int64 // of blobs, and of uploads at most

	Stored int   // blobs that there were
	Held   int64 // their bytes
	Young  int   // of the blobs that stay, those that were not looked at as they are too new
}

// Run finds and deletes. It counts what it did up to an error. Errors: those of the store.
func Run(ctx context.Context, s Store, o Options) (Report, error) {
	r := &run{Store: s, o: o, garbage: map[foldstream.Digest]foldstream.Stored{}}
	for _, step := range []func(context.Context) error{r.list, r.forget, r.mark, r.sweep} {
		if err := step(ctx); err != nil {
			return r.Report, err
		}
		if err := ctx.Err(); err != nil {
			return r.Report, foldstream.E(foldstream.Cancelled, "gc", err)
		}
	}
	return r.Report, nil
}

type run struct {
	Store
	o       Options
	garbage map[foldstream.Digest]foldstream.Stored // until somebody is found to refer to it
	uploads []foldstream.Stored
	unused  map[string]bool // keys of entries that do not count
	Report
}

// list takes all that is old enough for garbage.
func (r *run) list(ctx context.Context) error {
	for b, err := range r.Store.Stored(ctx) {
		if err != nil {
			return err
		}
		if b.Digest != "" {
			r.Report.Stored++
			r.Held += b.Size
		}
		switch {
		case !b.At.Before(r.o.Before):
			r.Young++
		case b.Digest == "":
			r.uploads = append(r.uploads, b)
		default:
			r.garbage[b.Digest] = b
		}
	}
	return nil
}

// forget deletes entries of prepared data that nobody uses. One that is used just now stays: its revision is another.
func (r *run) forget(ctx context.Context) error {
	r.unused = map[string]bool{}
	values := r.Values(foldstream.Experiments)
	for v, err := range values.List(ctx, foldstream.PreparedPrefix) {
		if err != nil {
			return err
		}
		if !v.At.Before(r.o.Unused) {
			continue
		}
		if !r.o.DryRun {
			err = values.Delete(ctx, v.Key, v.Revision)
		}
		if foldstream.Is(err, foldstream.Conflict) {
			continue
		}
		if err != nil {
			return err
		}
		r.unused[v.Key] = true
		r.Prepared++
	}
	return nil
}

// mark keeps what is referred to, and what stands in the blobs that are: values too large for their bucket, and frozen experiments.
func (r *run) mark(ctx context.Context) error {
	followed := map[foldstream.Digest]bool{}
	for ref, err := range r.Referred(ctx) {
		if err != nil {
			return err
		}
		if ref.From == foldstream.Experiments && r.unused[ref.Key] {
			continue
		}
		delete(r.garbage, ref.Digest)
		if ref.From == foldstream.Collections || ref.From == foldstream.FromSchedules {
			followed[ref.Digest] = true
		}
	}
	for d := range followed {
		if err := r.follow(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// follow keeps what stands in a blob. What only looked like a digest is none.
func (r *run) follow(ctx context.Context, d foldstream.Digest) error {
	blob, err := r.Artifacts().Open(ctx, d)
	if foldstream.Is(err, foldstream.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(&wire.Digests{Found: func(d foldstream.Digest) { delete(r.garbage, d) }}, blob)
	return errors.Join(err, blob.Close())
}

// sweep deletes what is left.
func (r *run) sweep(ctx context.Context) error {
	for _, b := range r.garbage {
		if err := r.one(ctx, b, &r.Blobs); err != nil {
			return err
		}
	}
	for _, b := range r.uploads {
		if err := r.one(ctx, b, &r.Uploads); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) one(ctx context.Context, b foldstream.Stored, count *int) error {
	swept, err := r.o.DryRun, error(nil)
	if !r.o.DryRun {
		swept, err = r.Sweep(ctx, b)
	}
	if swept {
		*count++
		r.Bytes += b.Size
	}
	return err
}
