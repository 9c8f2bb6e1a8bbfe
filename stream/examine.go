package stream

import (
	"context"
	"fmt"
	"iter"

	"github.com/nats-io/nats.go"
)

// Level says how bad a finding is.
type Level uint8

// The levels.
const (
	Good     Level = iota
	Warning        // it works, and somebody should look
	Critical       // it does not work, or will not for long
)

var levelNames = [...]string{"ok", "warning", "critical"}

// String returns the level's name.
func (l Level) String() string { return levelNames[min(int(l), len(levelNames)-1)] }

// MarshalText writes the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is what an examination found of one thing.
type Finding struct {
	About   string             `json:"about"` // "connection", "stream FOLD_WORK"
	Level   Level              `json:"level"`
	Text    string             `json:"text"`
	Figures map[string]float64 `json:"figures,omitempty"` // by name, with the unit at its end: "rtt_seconds"
}

// examination is one look at everything. Its methods report whether it is worth going on.
type examination struct {
	*Store
	yield func(Finding) bool
	over  bool // nobody wants to know more
}

// Inspect returns a store for looking at what a server has. It makes nothing that is missing, and where something is, the store's
// other methods fail. Errors: Invalid (cfg).
func Inspect(nc *nats.Conn, cfg Config) (*Store, error) { return newStore(nc, cfg) }

// Examine looks at everything that a store needs of its server, and changes nothing: the connection, JetStream and its limits,
// permissions, streams and buckets, clocks, pools with their consumers, workers, and dead letters. After a finding that makes the rest
// pointless there are no more. What is not ours in the streams is for Foreign.
func (s *Store) Examine(ctx context.Context) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		e := &examination{Store: s, yield: yield}
		for _, look := range []func(context.Context) bool{e.connection, e.account, e.permissions, e.streams, e.clock, e.lanes, e.workers, e.letters} {
			if ctx.Err() != nil || !look(ctx) || e.over {
				return
			}
		}
	}
}

// tell reports a finding, and whether somebody wants more.
func (e *examination) tell(level Level, about string, figures map[string]float64, format string, args ...any) bool {
	if !e.over {
		e.over = !e.yield(Finding{about, level, fmt.Sprintf(format, args...), figures})
	}
	return !e.over
}

// failed reports that something could not be looked at.
func (e *examination) failed(ctx context.Context, about string, err error) bool {
	return e.tell(Critical, about, nil, "cannot be looked at: %v", e.door(ctx, "", err))
}
