package cli

import (
	"context"
	"sync"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
)

// calendars are the calendars that the store holds, each read once. It is safe for concurrent use.
type calendars struct {
	artifacts foldstream.Artifacts
	mu        sync.Mutex
	known     map[string]*calendar.Calendar // by version
}

// get returns the calendar of a version. Errors: NotFound.
func (c *calendars) get(ctx context.Context, version string) (*calendar.Calendar, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cal, ok := c.known[version]; ok {
		return cal, nil
	}
	r, err := c.artifacts.Open(ctx, foldstream.Digest(version))
	if err != nil {
		return nil, foldstream.Errorf(foldstream.KindOf(err), "", "calendar %s: %w", version, err)
	}
	defer r.Close()
	cal, err := calendar.Parse(r)
	if err != nil {
		return nil, err
	}
	if c.known == nil {
		c.known = map[string]*calendar.Calendar{}
	}
	c.known[version] = cal
	return cal, nil
}

// guard refuses a task whose content is not what its id says, or that leaks, on the calendar that it was generated on.
func (c *calendars) guard(ctx context.Context, t foldstream.Task) error {
	cal, err := c.get(ctx, t.Calendar)
	if err != nil {
		return err
	}
	return gen.Check(t, cal)
}
