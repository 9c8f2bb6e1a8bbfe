package stream

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// The headers of values. The operation is the one that every client of NATS key-value buckets knows.
const (
	headerOperation = "KV-Operation"
	headerMark      = "Fold-Mark"
)

// values is a key-value bucket. It speaks to the bucket's stream itself, because a mark travels as a header.
type values struct {
	s    *Store
	name string
	ttl  time.Duration // of buckets whose entries expire; 0: they stay
	bad  error
}

var _ foldstream.Values = (*values)(nil)

// Values returns a bucket. In Locks and Workers, entries older than the bucket's expiry count as not there, also when a killed
// server brings one back.
func (s *Store) Values(bucket string) foldstream.Values {
	v := &values{s: s, name: bucket}
	switch bucket {
	case foldstream.Collections, foldstream.Experiments, foldstream.Pools:
	case foldstream.Workers:
		v.ttl = workersTTL
	case foldstream.Locks:
		v.ttl = s.expiry
	default:
		v.bad = foldstream.Errorf(foldstream.NotFound, "values", "no bucket %q", bucket)
	}
	return v
}

// Get reads from the leader.
func (v *values) Get(ctx context.Context, key string) (foldstream.Value, error) {
	if err := v.usable(ctx, "get"); err != nil {
		return foldstream.Value{}, err
	}
	var got foldstream.Value
	if validKey(key) {
		m, err := v.s.newest(ctx, v.stream(), v.subject(key))
		if err != nil {
			return got, v.s.door(ctx, "get", err)
		}
		if m != nil {
			got = v.read(m)
		}
	}
	if got.Key == "" || got.Deleted {
		return foldstream.Value{}, foldstream.Errorf(foldstream.NotFound, "get", "no key %q in bucket %s", key, v.name)
	}
	return got, nil
}

// Put stores a value by compare-and-set. A lost reply is settled by reading.
func (v *values) Put(ctx context.Context, val foldstream.Value) (uint64, error) {
	if err := v.usable(ctx, "put"); err != nil {
		return 0, err
	}
	if !validKey(val.Key) {
		return 0, foldstream.Errorf(foldstream.Invalid, "put", "key %q: a key is letters, digits and -_=./ and does not start or end with a dot", val.Key)
	}
	m := nats.NewMsg(v.subject(val.Key))
	m.Data = val.Data
	if val.Mark > 0 {
		m.Header.Set(headerMark, strconv.FormatUint(uint64(val.Mark), 10))
	}
	if err := v.s.fits("put", m); err != nil {
		return 0, err
	}
	return v.write(ctx, "put", val.Key, m, val.Revision)
}

// Delete leaves a mark of deletion by compare-and-set.
func (v *values) Delete(ctx context.Context, key string, revision uint64) error {
	if err := v.usable(ctx, "delete"); err != nil {
		return err
	}
	if !validKey(key) || revision == 0 {
		return v.conflict("delete", key, revision)
	}
	m := nats.NewMsg(v.subject(key))
	m.Header.Set(headerOperation, "DEL")
	_, err := v.write(ctx, "delete", key, m, revision)
	return err
}

// write publishes a change that expects the revision; 0 also takes the place of a deletion.
func (v *values) write(ctx context.Context, op, key string, m *nats.Msg, revision uint64) (uint64, error) {
	m.Header.Set(headerNonce, nonce())
	expected := revision
	for t := v.s.trial(); ; {
		expect(m, expected)
		seq, err := v.s.publish(ctx, m)
		switch verdictOf(err) {
		case accepted:
			return seq, nil
		case broken:
			return 0, v.s.door(ctx, op, err)
		}
		now, readErr := v.s.newest(ctx, v.stream(), v.subject(key))
		switch {
		case readErr != nil:
			return 0, v.s.door(ctx, op, readErr)
		case now != nil && now.header.Get(headerNonce) == m.Header.Get(headerNonce):
			return now.seq, nil
		case now == nil && revision != 0, now != nil && now.seq != expected && (revision != 0 || !v.read(now).Deleted):
			return 0, v.conflict(op, key, revision)
		case now != nil && revision == 0:
			expected = now.seq
		case revision == 0:
			expected = 0
		}
		if !t.again(ctx) {
			return 0, v.s.door(ctx, op, errors.Join(err, nats.ErrTimeout))
		}
	}
}

func (v *values) conflict(op, key string, revision uint64) error {
	return foldstream.Errorf(foldstream.Conflict, op, "key %q of bucket %s is not at revision %d", key, v.name, revision)
}

// List reads the values in order of their keys.
func (v *values) List(ctx context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	return func(yield func(foldstream.Value, error) bool) {
		found, err := v.list(ctx, prefix)
		for _, val := range found {
			if !yield(val, nil) {
				return
			}
		}
		if err != nil {
			yield(foldstream.Value{}, err)
		}
	}
}

func (v *values) list(ctx context.Context, prefix string) ([]foldstream.Value, error) {
	if err := v.usable(ctx, "list"); err != nil {
		return nil, err
	}
	found := map[string]foldstream.Value{}
	for m, err := range v.s.scan(ctx, v.query(prefix)) {
		if err != nil {
			return nil, v.s.door(ctx, "list", err)
		}
		val := v.read(m)
		delete(found, val.Key)
		if !val.Deleted && strings.HasPrefix(val.Key, prefix) {
			found[val.Key] = val
		}
	}
	sorted := make([]foldstream.Value, 0, len(found))
	for _, val := range found {
		sorted = append(sorted, val)
	}
	slices.SortFunc(sorted, func(a, b foldstream.Value) int { return strings.Compare(a.Key, b.Key) })
	return sorted, nil
}

// Watch reads the values there are, a Value without a key, then every change. A change that another soon follows may be left out.
func (v *values) Watch(ctx context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	return func(yield func(foldstream.Value, error) bool) {
		if err := v.usable(ctx, "watch"); err != nil {
			if ctx.Err() == nil {
				yield(foldstream.Value{}, err)
			}
			return
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		live, goOn := false, true // live: the start is read
		q := v.query(prefix)
		q.follow = true
		q.idle = func(uint64) {
			if !live && goOn {
				live, goOn = true, yield(foldstream.Value{}, nil)
			}
			if !goOn {
				stop()
			}
		}
		for m, err := range v.s.scan(ctx, q) {
			switch {
			case !goOn:
				return
			case err != nil:
				yield(foldstream.Value{}, v.s.door(ctx, "watch", err))
				return
			}
			val := v.read(m)
			if !strings.HasPrefix(val.Key, prefix) || val.Deleted && !live {
				continue
			}
			if goOn = yield(val, nil); !goOn {
				return
			}
		}
	}
}

// query reads the newest value of every key under the whole tokens of the prefix.
func (v *values) query(prefix string) query {
	tokens := prefix[:strings.LastIndexByte(prefix, '.')+1]
	if tokens != "" && !validKey(tokens+"x") {
		tokens = ""
	}
	return query{stream: v.stream(), filters: []string{v.subject(tokens + ">")}, last: true}
}

// read makes a Value of a bucket's message. One that is past its bucket's expiry counts as deleted.
func (v *values) read(m *stored) foldstream.Value {
	mark, _ := strconv.ParseUint(m.header.Get(headerMark), 10, 64) // absent is 0
	val := foldstream.Value{
		Key: strings.TrimPrefix(m.subject, v.subject("")), Data: m.data, Mark: foldstream.Cursor(mark), Revision: m.seq, At: m.at,
		Deleted: m.header.Get(headerOperation) != "" || m.header.Get(jetstream.MarkerReasonHeader) != "",
	}
	if v.ttl > 0 && v.s.until(m.at) < -v.ttl {
		val.Deleted = true
	}
	return val
}

// usable reports why an operation cannot begin. Errors: Cancelled, NotFound.
func (v *values) usable(ctx context.Context, op string) error {
	if err := stopped(ctx, op); err != nil {
		return err
	}
	return v.bad
}

func (v *values) stream() string            { return v.s.lay.kvStream(v.name) }
func (v *values) subject(key string) string { return v.s.lay.kvPrefix(v.name) + key }

func validKey(key string) bool {
	for _, r := range key {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune("-_=./", r) {
			return false
		}
	}
	return key != "" && key[0] != '.' && key[len(key)-1] != '.' && !strings.Contains(key, "..")
}
