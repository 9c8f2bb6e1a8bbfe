package stream

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// What a server must have, and what is worth a warning.
const (
	leastMajor, leastMinor = 2, 12 // of the server: message schedules and atomic batches
	leastPayload           = 64 << 10
	slowRTT                = 200 * time.Millisecond
	nearlyFull             = 0.9
	full                   = 0.98
	smallSkew              = time.Second
)

// connection looks at the server that answers.
func (e *examination) connection(context.Context) bool {
	const about = "connection"
	rtt, err := e.nc.RTT()
	if err != nil {
		e.tell(Critical, about, nil, "%s does not answer: %v", e.nc.ConnectedUrlRedacted(), err)
		return false
	}
	level, notes := Good, []string{fmt.Sprintf("%s, nats-server %s, %v away, messages up to %d KiB", e.nc.ConnectedUrlRedacted(), e.nc.ConnectedServerVersion(),
		rtt.Round(10*time.Microsecond), e.nc.MaxPayload()>>10)}
	if rtt > slowRTT {
		level, notes = Warning, append(notes, "which is slow: a lease may run out while its beat travels")
	}
	if e.nc.MaxPayload() < leastPayload {
		level, notes = Warning, append(notes, fmt.Sprintf("which is small: definitions and results over it are refused; set max_payload to %d KiB or more", leastPayload>>10))
	}
	if !atLeast(e.nc.ConnectedServerVersion(), leastMajor, leastMinor) {
		level, notes = Critical, append(notes, fmt.Sprintf("which is too old: version %d.%d or later is needed", leastMajor, leastMinor))
	}
	return e.tell(level, about, map[string]float64{"rtt_seconds": rtt.Seconds()}, "%s", strings.Join(notes, "; "))
}

// atLeast compares a version MAJOR.MINOR.PATCH; one that cannot be read is new enough.
func atLeast(version string, major, minor int) bool {
	var a, b int
	if n, err := fmt.Sscanf(version, "%d.%d", &a, &b); n < 2 || err != nil {
		return true
	}
	return cmp.Or(cmp.Compare(a, major), cmp.Compare(b, minor)) >= 0
}

// account looks at JetStream and its limits.
func (e *examination) account(ctx context.Context) bool {
	const about = "JetStream"
	var info *jetstream.AccountInfo
	err := e.calling(ctx, "INFO", func(ctx context.Context) (err error) {
		info, err = e.js.AccountInfo(ctx)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), isLost(err) && !e.deniedSince(clock.Tick().Add(-time.Minute)):
		e.tell(Critical, about, nil, "there is none for this account (%v): start the server with -js, or enable it for the account", err)
		return false
	case err != nil:
		e.failed(ctx, about, err)
		return false
	}
	tiers := info.Tiers
	if len(tiers) == 0 {
		tiers = map[string]jetstream.Tier{"": info.Tier}
	}
	level, notes, figures := Good, []string(nil), map[string]float64{"storage_bytes": float64(info.Store)}
	for name, t := range tiers {
		for _, u := range []struct {
			what      string
			used, max int64
		}{{"bytes of storage", int64(t.Store), t.Limits.MaxStore}, {"streams", int64(t.Streams), int64(t.Limits.MaxStreams)}, {"consumers", int64(t.Consumers), int64(t.Limits.MaxConsumers)}} {
			l, text := usage(u.used, u.max, strings.TrimSpace(name+" "+u.what))
			level, notes = max(level, l), append(notes, text)
		}
		if t.Limits.MaxStore > 0 {
			figures["storage_ratio"] = max(figures["storage_ratio"], float64(t.Store)/float64(t.Limits.MaxStore))
		}
	}
	slices.Sort(notes)
	return e.tell(level, about, figures, "%s", strings.Join(notes, ", "))
}

// usage says how much of a limit is used; one below 1 is none.
func usage(used, most int64, what string) (Level, string) {
	part := float64(used) / float64(most)
	switch {
	case most < 1:
		return Good, fmt.Sprintf("%d %s", used, what)
	case part >= full:
		return Critical, fmt.Sprintf("%d of %d %s: it is full", used, most, what)
	case part >= nearlyFull:
		return Warning, fmt.Sprintf("%d of %d %s: it is nearly full", used, most, what)
	}
	return Good, fmt.Sprintf("%d of %d %s", used, most, what)
}

const subjectUserInfo = "$SYS.REQ.USER.INFO"

// userInfo is what the server tells a user of itself.
type userInfo struct {
	Data struct {
		User        string `json:"user"`
		Account     string `json:"account"`
		Permissions *struct {
			Publish   *subjectRules `json:"publish"`
			Subscribe *subjectRules `json:"subscribe"`
		} `json:"permissions"`
	} `json:"data"`
}

type subjectRules struct {
	Allow []string `json:"allow"`
	Deny  []string `json:"deny"`
}

// permissions looks at what this user may do, as far as the server tells.
func (e *examination) permissions(ctx context.Context) bool {
	const about = "permissions"
	asking, cancel := context.WithTimeout(ctx, e.tryTime())
	defer cancel()
	var info userInfo
	err := e.heeding(asking, subjectUserInfo, func(ctx context.Context) error {
		m, err := e.nc.RequestWithContext(ctx, subjectUserInfo, nil)
		if err != nil {
			return err
		}
		return json.Unmarshal(m.Data, &info)
	})
	if err != nil {
		return e.tell(Warning, about, nil, "the server does not tell them to this user (%v)", err)
	}
	who := fmt.Sprintf("user %s of account %s", cmp.Or(info.Data.User, "(none)"), info.Data.Account)
	p := info.Data.Permissions
	if p == nil {
		return e.tell(Good, about, nil, "%s may do everything", who)
	}
	var lacks []string
	for _, subject := range e.publishes() {
		if !p.Publish.permits(subject) {
			lacks = append(lacks, subject)
		}
	}
	if inbox := e.nc.NewInbox() + ".1"; !p.Subscribe.permits(inbox) {
		lacks = append(lacks, "subscribe to "+inbox)
	}
	if len(lacks) > 0 {
		return e.tell(Warning, about, nil, "%s may not publish to %s, and more like it: what needs that fails", who, strings.Join(lacks, ", "))
	}
	return e.tell(Good, about, nil, "%s may do what is needed", who)
}

// publishes are subjects that a store publishes to, one of each kind.
func (e *examination) publishes() []string {
	lay, id := e.lay, foldstream.TaskID(strings.Repeat("a", 26))
	subjects := []string{lay.def("p", id), lay.ticket("p", laneName{}, id), lay.event("p", id), lay.letter("p", "", id), "$O." + lay.artifacts() + ".C.x"}
	for _, bucket := range []string{foldstream.Collections, foldstream.Experiments, foldstream.Pools, foldstream.Workers, foldstream.Locks} {
		subjects = append(subjects, lay.kvPrefix(bucket)+"x")
	}
	for _, call := range []string{"STREAM.INFO.", "STREAM.CREATE.", "STREAM.MSG.GET.", "STREAM.MSG.DELETE.", "CONSUMER.CREATE.", "DIRECT.GET."} {
		subjects = append(subjects, jetstream.DefaultAPIPrefix+call+lay.work())
	}
	return append(subjects, jetstream.DefaultAPIPrefix+"CONSUMER.MSG.NEXT."+lay.work()+".x", "$JS.ACK."+lay.work()+".x.1.1.1.1.1")
}

func (r *subjectRules) permits(subject string) bool {
	matches := func(rule string) bool { // of a subscription it may name a queue, too
		pattern, _, _ := strings.Cut(rule, " ")
		return subjectMatches(pattern, subject)
	}
	return r == nil || (len(r.Allow) == 0 || slices.ContainsFunc(r.Allow, matches)) && !slices.ContainsFunc(r.Deny, matches)
}

// subjectMatches reports whether a subject is of a pattern with * and >.
func subjectMatches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		switch {
		case token == ">":
			return len(s) > i
		case i >= len(s) || token != "*" && token != s[i]:
			return false
		}
	}
	return len(p) == len(s)
}

// clock compares this machine's clock with the server's: leases and delays are reckoned with both.
func (e *examination) clock(ctx context.Context) bool {
	const about = "clock"
	var best, skew time.Duration
	for i := range 3 {
		asked, here := clock.Tick(), e.wall()
		st, err := e.stream(ctx, e.lay.events())
		took := clock.Since(asked)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			return e.tell(Good, about, nil, "it cannot be compared with the server's before there is a stream")
		case err != nil:
			return e.failed(ctx, about, err)
		case i == 0 || took < best:
			best, skew = took, st.CachedInfo().TimeStamp.Sub(here.Add(took/2))
		}
	}
	level, text := judgeClock(skew, best, e.cfg.Lease)
	return e.tell(level, about, map[string]float64{"clock_skew_seconds": skew.Seconds()}, "%s", text)
}

// judgeClock says what a skew means that was measured within a time.
func judgeClock(skew, within, lease time.Duration) (Level, string) {
	off := skew.Abs() - within/2
	text := fmt.Sprintf("the server's is %v ahead of this machine's, give or take %v", skew.Round(time.Millisecond), (within / 2).Round(time.Millisecond))
	switch {
	case off > lease/2:
		return Critical, fmt.Sprintf("%s: leases of %v are taken for lost, or for alive too long; set the clocks by NTP", text, lease)
	case off > smallSkew:
		return Warning, text + "; set the clocks by NTP"
	}
	return Good, text
}
