package online_test

import (
	"context"
	"errors"
	"io"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/online"
	"github.com/foldstream/foldstream/stream/mem"
)

var errDead = errors.New("the process is dead")

// fragile is a store that dies at its n-th write: before it is done, or after.
type fragile struct {
	*mem.Store
	left  int
	after bool
}

// write does a write, or dies.
func (f *fragile) write(do func() error) error {
	f.left--
	if f.left > 0 {
		return do()
	}
	if f.after && f.left == 0 {
		if err := do(); err != nil {
			return err
		}
	}
	return errDead
}

func (f *fragile) Pool(name string) foldstream.Pool { return fragilePool{f.Store.Pool(name), f} }

func (f *fragile) Values(bucket string) foldstream.Values {
	return fragileValues{f.Store.Values(bucket), f}
}

func (f *fragile) Artifacts() foldstream.Artifacts { return fragileArtifacts{f.Store.Artifacts(), f} }

type fragilePool struct {
	foldstream.Pool
	f *fragile
}

func (p fragilePool) Create(ctx context.Context, tasks ...foldstream.Task) (c []foldstream.Created, err error) {
	err = p.f.write(func() error { c, err = p.Pool.Create(ctx, tasks...); return err })
	return c, err
}

type fragileValues struct {
	foldstream.Values
	f *fragile
}

func (v fragileValues) Put(ctx context.Context, value foldstream.Value) (n uint64, err error) {
	err = v.f.write(func() error { n, err = v.Values.Put(ctx, value); return err })
	return n, err
}

type fragileArtifacts struct {
	foldstream.Artifacts
	f *fragile
}

func (a fragileArtifacts) Put(ctx context.Context, r io.Reader) (d foldstream.Digest, n int64, err error) {
	err = a.f.write(func() error { d, n, err = a.Artifacts.Put(ctx, r); return err })
	return d, n, err
}

func beginIn(ctx context.Context, w *world) error {
	_, err := online.Begin(ctx, w.store, strategy, online.State{Pool: strategy, Begin: w.at(45)})
	return err
}

// overtaken is a store in which somebody else is first: before the first write of a value, before is called.
type overtaken struct {
	*mem.Store
	before func()
}

func (o *overtaken) Values(bucket string) foldstream.Values {
	return overtakenValues{o.Store.Values(bucket), o}
}

type overtakenValues struct {
	foldstream.Values
	o *overtaken
}

func (v overtakenValues) Put(ctx context.Context, value foldstream.Value) (uint64, error) {
	if before := v.o.before; before != nil {
		v.o.before = nil
		before()
	}
	return v.Values.Put(ctx, value)
}
