package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

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

// Of the server that takes flows.
const flowMajor, flowMinor = 2, 14

func (s *Store) streamConfigs() []jetstream.StreamConfig {
	flows := s.cfg.Replicas == 1 && atLeast(s.nc.ConnectedServerVersion(), flowMajor, flowMinor)
	return []jetstream.StreamConfig{{
		Name: s.lay.defs(), Subjects: []string{s.lay.prefix + ".def.>"},
		MaxMsgsPerSubject: 1, AllowDirect: true, AllowAtomicPublish: true, AllowBatchPublish: flows, Metadata: map[string]string{layoutKey: strconv.Itoa(layoutVersion)}, // only the compare keeps a definition from being replaced: a new life brings its own
	}, {
		Name: s.lay.work(), Subjects: []string{s.lay.prefix + ".work.>"}, Retention: jetstream.WorkQueuePolicy,
		MaxMsgsPerSubject: 1, AllowMsgSchedules: true, AllowDirect: true, AllowAtomicPublish: true, AllowBatchPublish: flows, // only the compare keeps a ticket from being replaced
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
			err = s.calling(ctx, "STREAM.CREATE."+c.Name, func(ctx context.Context) (err error) {
				st, err = s.js.CreateStream(ctx, c)
				return err
			})
		case err == nil:
			if err = checkLayout(st.CachedInfo().Config); err == nil {
				err = s.bringUp(ctx, st.CachedInfo().Config, c)
			}
		}
		if err == nil && c.Name == s.lay.work() { // as the definitions are
			is := st.CachedInfo().Config
			s.bulk.flows.Store(is.AllowBatchPublish && is.Replicas == 1)
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
