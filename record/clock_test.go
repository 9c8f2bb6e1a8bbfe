package record_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// Who is lost is decided by the store's time alone: this machine's clock may be hours off.
func TestLost_ByTheStoresTime(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": -5 * time.Hour, "behind": 5 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			var later atomic.Int64
			store := mem.New(mem.Options{Lease: time.Hour, Now: func() time.Time { return time.Now().Add(off + time.Duration(later.Load())) }})
			submit(t, store, 1)
			l, err := store.Pool("p").Fetch(t.Context(), foldstream.Filter{})
			ok(t, err)
			run, err := record.Start(t.Context(), store, "e", record.Options{ID: "free", Lease: time.Hour})
			ok(t, err)
			for _, id := range []string{string(l.Task().ID), "free"} {
				if s := get(t, store, id).Status; s != record.Running {
					t.Errorf("%s is %s while it is worked", id, s)
				}
			}
			_, err = record.Resume(t.Context(), store, "e", "free", record.Options{})
			is(t, err, foldstream.Conflict, "is running")
			mem.Abandon(l)
			later.Store(int64(2 * time.Hour))
			all := map[string]record.Status{}
			for r, err := range record.List(t.Context(), store, "e", record.Query{}) {
				ok(t, err)
				all[r.ID] = r.Status
			}
			for _, id := range []string{string(l.Task().ID), "free"} {
				if s := get(t, store, id).Status; s != record.Lost || all[id] != record.Lost {
					t.Errorf("%s is %s, and listed as %s, two hours after its lease of one", id, s, all[id])
				}
			}
			ok(t, run.End(t.Context(), nil))
		})
	}
}
