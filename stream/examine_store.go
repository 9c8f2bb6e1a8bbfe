package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// streams compares the streams and buckets with what is needed of them.
func (e *examination) streams(ctx context.Context) bool {
	var missing []string
	wanted := e.wanted()
	for _, want := range wanted {
		st, err := e.stream(ctx, want.Name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound) && want.Name == e.lay.schedules(): // the first schedule makes it
			continue
		case errors.Is(err, jetstream.ErrStreamNotFound):
			missing = append(missing, want.Name)
			continue
		case err != nil:
			if !e.failed(ctx, "stream "+want.Name, err) {
				return false
			}
			continue
		}
		info := st.CachedInfo()
		level, faults := compare(info.Config, want)
		l, more := peers(info.Cluster)
		level, faults = max(level, l), append(faults, more...)
		text := fmt.Sprintf("%d messages, %d bytes, %d replicas", info.State.Msgs, info.State.Bytes, info.Config.Replicas)
		figures := map[string]float64{"messages": float64(info.State.Msgs), "stored_bytes": float64(info.State.Bytes)}
		if !e.tell(level, "stream "+want.Name, figures, "%s", strings.Join(append([]string{text}, faults...), "; ")) {
			return false
		}
	}
	switch len(missing) {
	case 0:
		return true
	case len(wanted) - 1: // without that of the schedules
		e.tell(Good, "streams", nil, "there is none yet with the prefix %s; the first command that needs them makes them", e.lay.streams)
		return false
	}
	e.tell(Critical, "streams", nil, "%s missing, beside others that are there: whoever opens the store next makes them anew, and empty", strings.Join(missing, ", "))
	return false
}

// wanted is the streams that a store has, and what it needs of each.
func (e *examination) wanted() []jetstream.StreamConfig {
	all := append(e.streamConfigs(), e.schedulesConfig())
	for _, bucket := range []string{foldstream.Collections, foldstream.Experiments, foldstream.Pools, foldstream.Workers, foldstream.Locks} {
		all = append(all, jetstream.StreamConfig{Name: e.lay.kvStream(bucket), Subjects: []string{e.lay.kvPrefix(bucket) + ">"}, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, AllowDirect: true})
	}
	return append(all, jetstream.StreamConfig{
		Name: "OBJ_" + e.lay.artifacts(), Subjects: []string{"$O." + e.lay.artifacts() + ".C.>", "$O." + e.lay.artifacts() + ".M.>"}, Discard: jetstream.DiscardNew, AllowDirect: true,
	})
}

// compare says how a stream differs from what is needed.
func compare(is, want jetstream.StreamConfig) (level Level, faults []string) {
	bad := func(l Level, format string, args ...any) {
		level, faults = max(level, l), append(faults, fmt.Sprintf(format, args...))
	}
	for _, d := range []struct {
		what     string
		is, want any
	}{
		{"retention", is.Retention, want.Retention}, {"messages per subject", is.MaxMsgsPerSubject, or(want.MaxMsgsPerSubject, -1)},
		{"message schedules", is.AllowMsgSchedules, want.AllowMsgSchedules || is.AllowMsgSchedules}, {"direct gets", is.AllowDirect, want.AllowDirect || is.AllowDirect},
		{"discard", is.Discard, want.Discard},
	} {
		if d.is != d.want {
			bad(Critical, "%s: %v, needed is %v", d.what, d.is, d.want)
		}
	}
	if err := checkLayout(is); err != nil {
		bad(Critical, "%v", err)
	}
	if subjects := slices.Sorted(slices.Values(is.Subjects)); !slices.Equal(subjects, slices.Sorted(slices.Values(want.Subjects))) {
		bad(Critical, "subjects: %q, needed is %q", is.Subjects, want.Subjects)
	}
	if want.AllowAtomicPublish && !is.AllowAtomicPublish {
		bad(Warning, "it takes no atomic batches; opening the store mends that")
	}
	expires := want.MaxAge > 0 || strings.HasSuffix(is.Name, foldstream.Workers) || strings.HasSuffix(is.Name, foldstream.Locks)
	if (is.MaxAge > 0 != expires || want.MaxAge > 0 && is.MaxAge != want.MaxAge) && !forgettable(is.Name) {
		bad(Critical, "it keeps messages for %v", is.MaxAge)
	}
	if is.MaxMsgs > 0 || is.MaxBytes > 0 {
		bad(Warning, "it is limited to %d messages and %d bytes (-1 is no limit): what is full refuses, and what drops the oldest forgets", is.MaxMsgs, is.MaxBytes)
	}
	if is.Storage != jetstream.FileStorage {
		bad(Warning, "it is in memory: a restart of the server forgets it")
	}
	return level, faults
}

// forgettable reports whether a stream may forget what is older than whoever runs the server likes: no task and no collection needs it.
func forgettable(name string) bool {
	return strings.HasSuffix(name, "_DLQ") || strings.HasSuffix(name, "_METRICS")
}

// peers says what is wrong with a stream's replicas.
func peers(c *jetstream.ClusterInfo) (level Level, faults []string) {
	if c == nil {
		return Good, nil
	}
	if c.Leader == "" {
		level, faults = Critical, append(faults, "it has no leader")
	}
	for _, p := range c.Replicas {
		if p.Offline || !p.Current {
			level, faults = max(level, Warning), append(faults, fmt.Sprintf("its replica on %s is offline or behind", p.Name))
		}
	}
	return level, faults
}

// lanes compares the consumers of the queue with the lanes that the pools have.
func (e *examination) lanes(ctx context.Context) bool {
	lanes, err := e.knownLanes(ctx)
	if err != nil {
		return e.failed(ctx, "pools", err)
	}
	consumers, err := e.consumers(ctx)
	if err != nil {
		return e.failed(ctx, "consumers", err)
	}
	waiting, flying := map[string]uint64{}, map[string]int{}
	for _, info := range consumers {
		pool, isOurs := lanes[info.Name]
		if !isOurs {
			if !e.tell(Warning, "consumer "+info.Name, nil, "it takes messages of %s and is of no pool: work may end there", e.lay.work()) {
				return false
			}
			continue
		}
		delete(lanes, info.Name)
		waiting[pool] += info.NumPending
		flying[pool] += info.NumAckPending
		if c := info.Config; c.AckPolicy != jetstream.AckExplicitPolicy || c.MaxDeliver > 0 || len(c.BackOff) > 0 {
			if !e.tell(Critical, "consumer "+info.Name, nil, "it is not as it was made: acknowledgement %v, %d deliveries, back-off %v", c.AckPolicy, c.MaxDeliver, c.BackOff) {
				return false
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lanes)) {
		if !e.tell(Warning, "consumer "+name, nil, "it is missing: a worker, or `foldstream verify --repair %s`, makes it again", lanes[name]) {
			return false
		}
	}
	for _, pool := range slices.Sorted(maps.Keys(waiting)) {
		figures := map[string]float64{"waiting_tickets": float64(waiting[pool]), "fetched_tickets": float64(flying[pool])}
		if !e.tell(Good, "pool "+pool, figures, "%d tickets wait, %d are fetched or put off", waiting[pool], flying[pool]) {
			return false
		}
	}
	return true
}

// consumers asks for all consumers of the queue.
func (e *examination) consumers(ctx context.Context) (all []*jetstream.ConsumerInfo, err error) {
	st, err := e.stream(ctx, e.lay.work())
	if err != nil {
		return nil, err
	}
	err = e.calling(ctx, "CONSUMER.LIST."+e.lay.work(), func(ctx context.Context) error {
		list := st.ListConsumers(ctx)
		for info := range list.Info() {
			all = append(all, info)
		}
		return list.Err()
	})
	return all, err
}

// knownLanes returns the names of the consumers that the bucket Pools tells of, and their pools.
func (e *examination) knownLanes(ctx context.Context) (map[string]string, error) {
	lanes := map[string]string{}
	for v, err := range e.Values(foldstream.Pools).List(ctx, "") {
		if err != nil {
			return nil, err
		}
		pool, lane, isLane := strings.Cut(v.Key, ".")
		stage, band, _ := strings.Cut(lane, ".")
		if name, ok := laneOf(stage, band); isLane && ok {
			lanes[name.consumer(pool)] = pool
		}
	}
	return lanes, nil
}

// workers looks at who is alive, and of which versions they are.
func (e *examination) workers(ctx context.Context) bool {
	versions, n := map[string]int{}, 0
	for p, err := range e.Workers(ctx) {
		if err != nil {
			return e.failed(ctx, "workers", err)
		}
		versions[p.Version]++
		n++
	}
	figures := map[string]float64{"workers": float64(n)}
	var parts []string
	for _, v := range slices.Sorted(maps.Keys(versions)) {
		parts = append(parts, fmt.Sprintf("%d of version %s", versions[v], or(v, "unknown")))
	}
	switch {
	case n == 0:
		return e.tell(Good, "workers", figures, "none is alive")
	case len(versions) > 1:
		return e.tell(Warning, "workers", figures, "%s: while several versions work, a task may be worked by any of them", strings.Join(parts, ", "))
	}
	return e.tell(Good, "workers", figures, "%s", parts[0])
}

// count counts the messages of a filter.
func (e *examination) count(ctx context.Context, stream, filter string) (n uint64, err error) {
	subjects, err := e.subjects(ctx, stream, filter)
	for _, messages := range subjects {
		n += messages
	}
	return n, err
}

// letters counts the dead letters and what was set aside.
func (e *examination) letters(ctx context.Context) bool {
	dead, err := e.count(ctx, e.lay.dlq(), e.lay.letters("*", "*"))
	if err != nil {
		return e.failed(ctx, "dead letters", err)
	}
	aside, err := e.count(ctx, e.lay.dlq(), e.lay.allAside())
	if err != nil {
		return e.failed(ctx, "dead letters", err)
	}
	level := Good
	if aside > 0 {
		level = Warning
	}
	return e.tell(level, "dead letters", map[string]float64{"dead_letters": float64(dead), "set_aside": float64(aside)},
		"%d tasks left one; %d messages that are not ours were set aside", dead, aside)
}
