package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

// Build writes a piece. It must stop when ctx ends, which it does when another builder has taken over. Equal keys must give equal bytes.
type Build func(ctx context.Context, w io.Writer) error

// Config says where a Cache keeps things.
type Config struct {
	Store  foldstream.Store
	Dir    string        // of this machine's copies; made where it is not there. Any number of processes may share it
	Limit  int64         // bytes of copies; those used longest ago make room. 0 is 4 GiB
	Lease  time.Duration // how long a builder that is not heard of keeps others waiting; 0 is 10 s
	Holder string        // who builds, for people
}

// The defaults of a Config.
const (
	defaultLimit = 4 << 30
	defaultLease = 10 * time.Second
)

// Cache keeps prepared pieces. It is safe for concurrent use.
type Cache struct {
	cfg  Config
	life string // differs for each Cache, so that nobody takes another's lock for its own
	dir  folder

	mu   sync.Mutex
	busy map[Key]chan struct{} // closed when the one of this process that gets the key is done
}

// Open makes the folder and returns its Cache.
func Open(cfg Config) (*Cache, error) {
	if cfg.Limit == 0 {
		cfg.Limit = defaultLimit
	}
	if cfg.Lease == 0 {
		cfg.Lease = defaultLease
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, foldstream.E(foldstream.Invalid, "cache", err)
	}
	return &Cache{cfg: cfg, life: rand.Text(), dir: folder{cfg.Dir, cfg.Limit}, busy: map[Key]chan struct{}{}}, nil
}

// Get returns the piece of a key: this machine's copy, or that of the store, or what build makes where nobody has made it yet. Of several who
// need it at once one builds, and the others wait; a builder's death is noticed after a lease. What is returned has the content that was
// stored, verified, and stays readable though it makes room for others.
//
// Errors: those of build, which are not kept; Invalid (the key); those of the store.
func (c *Cache) Get(ctx context.Context, key Key, build Build) (io.ReadCloser, error) {
	if err := key.valid(); err != nil {
		return nil, err
	}
	done, err := c.turn(ctx, key)
	if err != nil {
		return nil, err
	}
	defer done()
	for {
		e, there, err := c.look(ctx, key)
		if err != nil {
			return nil, err
		}
		if there {
			f, err := c.copy(ctx, key, e)
			if !foldstream.Is(err, foldstream.NotFound) {
				return f, err
			}
		}
		if f, err := c.build(ctx, key, e, build); f != nil || err != nil {
			return f, err
		}
	}
}

// turn waits until no other of this process gets the key.
func (c *Cache) turn(ctx context.Context, key Key) (done func(), err error) {
	for {
		c.mu.Lock()
		other, taken := c.busy[key]
		if !taken {
			mine := make(chan struct{})
			c.busy[key] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.busy, key)
				c.mu.Unlock()
				close(mine)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, foldstream.E(foldstream.Cancelled, "cache", ctx.Err())
		}
	}
}

// copy returns this machine's copy, which it makes of the artifact where there is none. Errors: NotFound (the artifact is gone).
func (c *Cache) copy(ctx context.Context, key Key, e entry) (io.ReadCloser, error) {
	if f := c.dir.open(key, e.Digest); f != nil {
		return f, nil
	}
	from, err := c.cfg.Store.Artifacts().Open(ctx, e.Digest)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	f, err := c.dir.put(key, e.Digest, func(w io.Writer) error {
		_, err := io.Copy(w, from)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// build makes the piece under the lock and stores it. It returns nothing where somebody else was first, or builds now: look again. old is the
// entry whose artifact is gone; the zero entry is none.
func (c *Cache) build(ctx context.Context, key Key, old entry, build Build) (io.ReadCloser, error) {
	lock, err := c.lock(ctx, key, old)
	if lock == nil || err != nil {
		return nil, err
	}
	building, stop := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		lock.keep(building, stop)
	}()
	f, err := c.make(building, key, old, build)
	if lost := context.Cause(building); errors.Is(lost, errLost) {
		err = nil // whoever took over makes it
		if f != nil {
			_ = f.Close()
			f = nil
		}
	}
	stop(nil)
	<-kept
	lock.release(context.WithoutCancel(ctx))
	if f == nil {
		return nil, err
	}
	return f, err
}

// make builds, and stores first the artifact and then the entry: what an entry names is there.
func (c *Cache) make(ctx context.Context, key Key, old entry, build Build) (*os.File, error) {
	f, digest, size, err := c.dir.make(key, func(w io.Writer) error { return build(ctx, w) })
	if err != nil {
		return nil, err
	}
	_, _, err = c.cfg.Store.Artifacts().Put(ctx, io.NewSectionReader(f, 0, size))
	if err == nil {
		err = c.enter(ctx, key, entry{Digest: digest, Size: size, Holder: c.cfg.Holder, revision: old.revision})
	}
	if err != nil {
		_ = f.Close()
		if foldstream.Is(err, foldstream.Conflict) {
			return nil, nil // another entry stands: look again
		}
		return nil, err
	}
	return f, nil
}
