package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/user"

	"github.com/foldstream/foldstream"
)

// administered is a store that can be looked into and changed from outside.
type administered interface {
	foldstream.Store
	foldstream.Clock
	foldstream.Archive
	foldstream.Copier
	foldstream.Reconciler
	foldstream.Admin
	foldstream.Replacer
	foldstream.PoolAdmin
	foldstream.Index
	foldstream.DeadLetters
	foldstream.Verifier
	foldstream.Newest
	foldstream.Purger
	foldstream.Memory
	foldstream.Scheduler
	foldstream.Sweeper
	foldstream.Seconder
}

// administration returns the administration of a store.
func administration(store foldstream.Store) (administered, error) {
	a, ok := store.(administered)
	if !ok {
		return nil, foldstream.Errorf(foldstream.Internal, "", "this store (%T) cannot be administered", store)
	}
	return a, nil
}

// openStore opens the store that the flags name, unless the program was given one.
func (c Connection) openStore(ctx context.Context, env *Env, log *slog.Logger) (foldstream.Store, func() error, error) {
	if env.Store != nil {
		return env.Store, func() error { return nil }, nil
	}
	s, err := c.dial(ctx, log)
	if err != nil {
		return nil, nil, err
	}
	return s.store, s.Close, nil
}

// Managed is the flags of every command that looks into a store or changes it from outside.
type Managed struct {
	Connection
	Output
}

// on opens the store, does something to it and closes it.
func (m Managed) on(ctx context.Context, env *Env, do func(administered) error) (err error) {
	store, closeStore, err := m.openStore(ctx, env, m.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	a, err := administration(store)
	if err != nil {
		return err
	}
	return do(a)
}

// PoolArg is the pool that a command is about.
type PoolArg struct {
	Pool string `arg:"" help:"Pool."`
}

// there reports why the pool cannot be what is meant. Errors: Invalid (the name), NotFound (no task was ever created in it).
func (p PoolArg) there(ctx context.Context, a administered) error {
	if err := foldstream.ValidName("pool", p.Pool); err != nil {
		return err
	}
	counts, err := a.Pool(p.Pool).Stat(ctx)
	if err == nil && counts.Total() == 0 {
		err = noPool(ctx, a, p.Pool)
	}
	return err
}

// onPool is on for a pool that is there.
func (m Managed) onPool(ctx context.Context, env *Env, p PoolArg, do func(administered) error) error {
	return m.on(ctx, env, func(a administered) error {
		if err := p.there(ctx, a); err != nil {
			return err
		}
		return do(a)
	})
}

// asker is who runs this command, for the record.
func asker() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	if u, err := user.Current(); err == nil {
		return u.Username + "@" + host
	}
	return host
}
