package ridge

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/foldstream/foldstream"
)

// cacheSize is how many sets of features a worker keeps: tasks of one experiment share one.
const cacheSize = 4

// cache keeps the features of the files used last, so that the tasks of an experiment parse their file once a process.
type cache struct {
	mu      sync.Mutex
	entries []*entry // the one used last at the end
}

// entry is one set of features; those who need it while it is made wait for it.
type entry struct {
	key  string
	once sync.Once
	f    *features
	err  error
}

// get returns the features of a file, which load makes. A failure is not kept; that another's task was stopped while it made them is
// none of this one's.
func (c *cache) get(ctx context.Context, d foldstream.Data, l lookBacks, load func() (*features, error)) (*features, error) {
	for {
		e := c.entry(fmt.Sprint(d.Digest, l))
		e.once.Do(func() { e.f, e.err = load() })
		if e.err != nil {
			c.drop(e)
		}
		if !foldstream.Is(e.err, foldstream.Cancelled) || ctx.Err() != nil {
			return e.f, e.err
		}
	}
}

// entry returns the entry of the key, a new one where there is none; the one used longest ago makes room.
func (c *cache) entry(key string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &entry{key: key}
	if i := slices.IndexFunc(c.entries, func(e *entry) bool { return e.key == key }); i >= 0 {
		e = c.entries[i]
		c.entries = slices.Delete(c.entries, i, i+1)
	}
	if len(c.entries) == cacheSize {
		c.entries = slices.Delete(c.entries, 0, 1)
	}
	c.entries = append(c.entries, e)
	return e
}

func (c *cache) drop(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = slices.DeleteFunc(c.entries, func(other *entry) bool { return other == e })
}

// read reads a file whose content the runner has verified.
func read(d foldstream.Data, l lookBacks) (*features, error) {
	file, err := os.Open(d.Path)
	if err != nil {
		return nil, foldstream.E(foldstream.NotFound, "ridge", err)
	}
	defer file.Close()
	p, err := readPrices(file)
	if err != nil {
		return nil, foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "ridge", "%s: %w", d.Path, err))
	}
	return build(p, l), nil
}
