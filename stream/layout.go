package stream

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// layout is the names of all subjects, streams and buckets under one prefix.
type layout struct {
	prefix  string // of subjects: "fold"
	streams string // of streams and buckets: "FOLD_"
}

func newLayout(prefix string) layout {
	return layout{prefix, strings.ToUpper(prefix) + "_"}
}

func (l layout) defs() string                { return l.streams + "DEFS" }
func (l layout) work() string                { return l.streams + "WORK" }
func (l layout) events() string              { return l.streams + "EVENTS" }
func (l layout) dlq() string                 { return l.streams + "DLQ" }
func (l layout) metrics() string             { return l.streams + "METRICS" }
func (l layout) artifacts() string           { return l.streams + "ARTIFACTS" }
func (l layout) bucket(name string) string   { return l.streams + name }
func (l layout) kvStream(name string) string { return "KV_" + l.streams + name }
func (l layout) kvPrefix(name string) string { return "$KV." + l.streams + name + "." }

// objects is the stream of an object store, in which chunks are an upload's and object is what is said of a blob (ADR-20).
func (l layout) objects() string         { return "OBJ_" + l.artifacts() }
func (l layout) chunks(id string) string { return "$O." + l.artifacts() + ".C." + id }
func (l layout) object(d foldstream.Digest) string {
	return "$O." + l.artifacts() + ".M." + base64.URLEncoding.EncodeToString([]byte(d))
}

func (l layout) anyObject() string { return "$O." + l.artifacts() + ".M.*" }

func (l layout) def(pool string, id foldstream.TaskID) string {
	return l.prefix + ".def." + pool + "." + string(id)
}

func (l layout) event(pool string, id foldstream.TaskID) string {
	return l.prefix + ".event." + pool + "." + string(id)
}

// metric is the subject of a recorder's points; "" is every recorder of the experiment.
func (l layout) metric(experiment, recorder string) string {
	if recorder == "" {
		recorder = "*"
	}
	return l.prefix + ".metric." + experiment + "." + recorder
}

func (l layout) letter(pool, stage string, id foldstream.TaskID) string {
	return l.prefix + ".dlq." + pool + "." + stageToken(stage) + "." + string(id)
}

// letters is the filter of a task's dead letters, at whatever stage; "*" is every task.
func (l layout) letters(pool string, id foldstream.TaskID) string {
	return l.prefix + ".dlq." + pool + ".*." + string(id)
}

func (l layout) ticket(pool string, ln laneName, id foldstream.TaskID) string {
	return l.prefix + ".work." + pool + "." + stageToken(ln.stage) + "." + strconv.Itoa(ln.band) + "." + string(id)
}

// later is where the schedule of a task's delayed ticket waits.
func (l layout) later(pool string, band int, id foldstream.TaskID) string {
	return l.prefix + ".work." + pool + "." + laterToken + "." + strconv.Itoa(band) + "." + string(id)
}

// anyLater is the filter of a task's schedules, in whatever band.
func (l layout) anyLater(pool string, id foldstream.TaskID) string {
	return l.prefix + ".work." + pool + "." + laterToken + ".*." + string(id)
}

// index is where questions to an index are asked; "" is the root of them all.
func (l layout) index(endpoint string) string {
	if endpoint == "" {
		return l.prefix + ".index"
	}
	return l.prefix + ".index." + endpoint
}

// allTickets is the filter of a pool's tickets and schedules.
func (l layout) allTickets(pool string) string { return l.prefix + ".work." + pool + ".>" }

// allLater is the filter of a pool's schedules.
func (l layout) allLater(pool string) string {
	return l.prefix + ".work." + pool + "." + laterToken + ".>"
}

// anyTicket is the one filter that every compare on a task's tickets uses: with different ones a cluster accepts two.
func (l layout) anyTicket(pool string, id foldstream.TaskID) string {
	return l.prefix + ".work." + pool + ".*.*." + string(id)
}

// laneTickets is what the consumer of a lane takes.
func (l layout) laneTickets(pool string, ln laneName) string {
	return l.prefix + ".work." + pool + "." + stageToken(ln.stage) + "." + strconv.Itoa(ln.band) + ".>"
}

// laneName names a stage's band of a pool: one durable consumer.
type laneName struct {
	stage string
	band  int
}

// consumer is the durable's name. '=' is in no pool's and no stage's name, so no two lanes share one.
func (n laneName) consumer(pool string) string {
	return pool + "=" + stageToken(n.stage) + "=" + strconv.Itoa(n.band)
}

// laterToken stands in the place of the stage in the subjects of schedules.
const laterToken = "later"

// stageToken is a stage in a subject. No name starts with '_', so the two exceptions take nobody's place.
func stageToken(stage string) string {
	switch stage {
	case "":
		return "_"
	case laterToken:
		return "_" + laterToken
	}
	return stage
}

func stageOf(token string) string {
	switch token {
	case "_":
		return ""
	case "_" + laterToken:
		return laterToken
	}
	return token
}

// laneOf reads a lane from its two tokens, which must be as we write them.
func laneOf(stage, band string) (laneName, bool) {
	n, err := strconv.Atoi(band)
	ok := err == nil && n >= 0 && n <= foldstream.MaxBand && band == strconv.Itoa(n)
	name := laneName{stageOf(stage), n}
	ok = ok && (name.stage == "" || foldstream.ValidName("stage", name.stage) == nil)
	return name, ok && (stage == laterToken || stage == stageToken(name.stage))
}

// lastToken returns what stands after the last dot: the id in subjects of tasks.
func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// stream asks for a stream and its state. Errors: jetstream.ErrStreamNotFound, a denial.
func (s *Store) stream(ctx context.Context, name string) (st jetstream.Stream, err error) {
	err = s.calling(ctx, "STREAM.INFO."+name, func(ctx context.Context) (err error) {
		st, err = s.js.Stream(ctx, name)
		return err
	})
	return st, err
}

// provision makes the streams and buckets that do not exist.
func (s *Store) provision(ctx context.Context) error {
	for _, c := range s.streamConfigs() {
		if err := s.ensureStream(ctx, c); err != nil {
			return err
		}
	}
	buckets := []struct {
		name string
		ttl  time.Duration
	}{
		{foldstream.Collections, 0}, {foldstream.Experiments, 0}, {foldstream.Pools, 0},
		{foldstream.Workers, workersTTL}, {foldstream.Locks, s.cfg.Expiry},
	}
	for _, b := range buckets {
		err := s.ensureBucket(ctx, s.lay.kvStream(b.name), func(ctx context.Context) error {
			_, err := s.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: s.lay.bucket(b.name), TTL: b.ttl, Replicas: s.cfg.Replicas, Storage: jetstream.FileStorage,
			})
			return err
		})
		if err != nil {
			return s.door(ctx, "open", fmt.Errorf("bucket %s: %w", b.name, err))
		}
	}
	err := s.ensure(ctx, func(ctx context.Context) error {
		locks, err := s.stream(ctx, s.lay.kvStream(foldstream.Locks))
		if err == nil {
			s.expiry = locks.CachedInfo().Config.MaxAge // whoever made the bucket decided
		}
		return err
	})
	if err != nil {
		return s.door(ctx, "open", err)
	}
	return s.openArtifacts(ctx)
}

// ensureBucket makes a bucket whose stream is not there. To ask first lets those in who may not make any.
func (s *Store) ensureBucket(ctx context.Context, stream string, create func(ctx context.Context) error) error {
	return s.ensure(ctx, func(ctx context.Context) error {
		_, err := s.stream(ctx, stream)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			err = s.calling(ctx, "STREAM.CREATE."+stream, create)
		}
		if errors.Is(err, jetstream.ErrBucketExists) {
			err = nil
		}
		return err
	})
}

// ensure makes something, and tries again where no answer came: a cluster without a leader drops what it is asked. Where there is no JetStream
// at all it says so at once.
func (s *Store) ensure(ctx context.Context, make func(context.Context) error) (err error) {
	lost := s.untilAnswered(ctx, func(ctx context.Context) error {
		if err = make(ctx); errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrJetStreamNotEnabled) {
			return nil
		}
		return err
	})
	return cmp.Or(err, lost)
}

func (s *Store) streamConfigs() []jetstream.StreamConfig {
	return []jetstream.StreamConfig{{
		Name: s.lay.defs(), Subjects: []string{s.lay.prefix + ".def.>"},
		MaxMsgsPerSubject: 1, AllowDirect: true, AllowAtomicPublish: true, Metadata: map[string]string{layoutKey: strconv.Itoa(layoutVersion)}, // only the compare keeps a definition from being replaced: a new life brings its own
	}, {
		Name: s.lay.work(), Subjects: []string{s.lay.prefix + ".work.>"}, Retention: jetstream.WorkQueuePolicy,
		MaxMsgsPerSubject: 1, AllowMsgSchedules: true, AllowDirect: true, AllowAtomicPublish: true, // only the compare keeps a ticket from being replaced
	}, {
		Name: s.lay.events(), Subjects: []string{s.lay.prefix + ".event.>"}, MaxMsgsPerSubject: 64, AllowDirect: true,
	}, {
		Name: s.lay.dlq(), Subjects: []string{s.lay.prefix + ".dlq.>"},
	}, {
		Name: s.lay.metrics(), Subjects: []string{s.lay.prefix + ".metric.>"}, // no limit of bytes: a server reserves the room for one
		MaxMsgsPerSubject: foldstream.PointsKept, MaxAge: foldstream.PointsKeptFor, AllowDirect: true,
	}}
}

func (s *Store) ensureStream(ctx context.Context, c jetstream.StreamConfig) error {
	err := s.ensure(ctx, func(ctx context.Context) error {
		st, err := s.stream(ctx, c.Name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			c.Storage, c.Replicas = jetstream.FileStorage, s.cfg.Replicas
			err = s.calling(ctx, "STREAM.CREATE."+c.Name, func(ctx context.Context) error {
				_, err := s.js.CreateStream(ctx, c)
				return err
			})
		case err == nil:
			if err = checkLayout(st.CachedInfo().Config); err == nil {
				err = s.bringUp(ctx, st.CachedInfo().Config, c)
			}
		}
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return nil
		}
		return err
	})
	if err != nil {
		return s.door(ctx, "open", fmt.Errorf("stream %s: %w", c.Name, err))
	}
	return nil
}

// layoutVersion is that of the streams, of their subjects, and of what is done with them. It stands in the metadata of the stream of
// definitions, which is the first that is opened; absent is 1.
const (
	layoutVersion = 1
	layoutKey     = "foldstream_layout"
)

// checkLayout reports a stream of a store that a newer program laid out. Errors: Conflict.
func checkLayout(is jetstream.StreamConfig) error {
	v, err := strconv.Atoi(is.Metadata[layoutKey])
	if err != nil || v <= layoutVersion {
		return nil
	}
	return foldstream.Errorf(foldstream.Conflict, "open", "the store is of version %d, which a newer program made; this one knows version %d", v, layoutVersion)
}

// bringUp changes of a stream that an older program made what this one cannot do without.
func (s *Store) bringUp(ctx context.Context, is, want jetstream.StreamConfig) error {
	if is.Discard == want.Discard && is.AllowDirect == want.AllowDirect && is.AllowAtomicPublish == want.AllowAtomicPublish {
		return nil
	}
	is.Discard, is.DiscardNewPerSubject, is.AllowDirect = want.Discard, want.DiscardNewPerSubject, want.AllowDirect
	is.AllowAtomicPublish = want.AllowAtomicPublish
	return s.calling(ctx, "STREAM.UPDATE."+is.Name, func(ctx context.Context) error {
		_, err := s.js.UpdateStream(ctx, is)
		return err
	})
}
