package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gc"
)

// GCCmd deletes the blobs that nothing refers to, and prepared data that nobody uses.
type GCCmd struct {
	Managed
	Change
	Grace  time.Duration `default:"168h" help:"Leave alone what was stored in this time: longer than the longest attempt takes, as what it stores is referred to when it ends."`
	Unused time.Duration `default:"720h" help:"Delete prepared data that nobody used in this time; they are made again when somebody needs them."`
}

// The shortest times: to refer to what was just stored, and to be seen using prepared data, see work/cache.
const (
	minGrace  = time.Hour
	minUnused = 24 * time.Hour
)

// collected is what was deleted, for machines.
type collected struct {
	DryRun   bool  `json:"dry_run"`
	Blobs    int   `json:"blobs"`
	Uploads  int   `json:"uploads"` // that were never completed
	Prepared int   `json:"prepared"`
	Bytes    int64 `json:"bytes"`
	Stored   int   `json:"stored"` // blobs that there were
	Held     int64 `json:"stored_bytes"`
	Young    int   `json:"young"` // of them, those that the grace protects
}

// Run shows what is garbage, asks, and deletes it. Repeating it completes one that died. Errors: Invalid (a time that is too short).
func (c *GCCmd) Run(ctx context.Context, env *Env) error {
	if c.Grace < minGrace {
		return foldstream.Errorf(foldstream.Invalid, "", "--grace %v is below %v: a blob is stored before what refers to it", c.Grace, minGrace)
	}
	if c.Unused < minUnused {
		return foldstream.Errorf(foldstream.Invalid, "", "--unused %v is below %v: who uses prepared data says so twice a day", c.Unused, minUnused)
	}
	return c.on(ctx, env, func(a administered) error {
		now := a.Now()
		o := gc.Options{Before: now.Add(-c.Grace), Unused: now.Add(-c.Unused), DryRun: true}
		if !c.Force || c.DryRun {
			meant, err := gc.Run(ctx, a, o)
			if err != nil || c.DryRun {
				return c.tell(env, meant, err)
			}
			if err := confirm(ctx, env, c.Force, meant.Blobs+meant.Uploads+meant.Prepared, "delete "+garbage(meant)); err != nil {
				return err
			}
		}
		o.DryRun = false
		did, err := gc.Run(ctx, a, o)
		return c.tell(env, did, err)
	})
}

func (c *GCCmd) tell(env *Env, r gc.Report, err error) error {
	if err != nil {
		return foldstream.Errorf(foldstream.KindOf(err), "", "%w; what was begun is completed by repeating it", err)
	}
	if c.JSON {
		return printJSON(env.Stdout, collected{
			DryRun: c.DryRun, Blobs: r.Blobs, Uploads: r.Uploads, Prepared: r.Prepared, Bytes: r.Bytes, Stored: r.Stored, Held: r.Held, Young: r.Young,
		})
	}
	did := "deleted"
	if c.DryRun {
		did = "would delete"
	}
	_, err = fmt.Fprintf(env.Stdout, "%s %s\nof %d blobs, %s, stored; %d were stored in the last %v\n", did, garbage(r), r.Stored, sizeText(r.Held), r.Young, c.Grace)
	return err
}

// garbage says what there is of it.
func garbage(r gc.Report) string {
	return fmt.Sprintf("%d blobs that nothing refers to, %d uploads that were never completed, %s; %d prepared data that nobody uses",
		r.Blobs, r.Uploads, sizeText(r.Bytes), r.Prepared)
}

// sizeText writes a size for people: "1.4 MiB".
func sizeText(n int64) string {
	const kib = 1 << 10
	if n < kib {
		return fmt.Sprintf("%d B", n)
	}
	size, unit := float64(n)/kib, 0
	for size >= kib {
		size, unit = size/kib, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", size, "KMGTPE"[unit])
}
