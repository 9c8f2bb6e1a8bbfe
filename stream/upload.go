package stream

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// Chunks are as large as those of every client of NATS object stores, and at most chunksInFlight wait for their
// acknowledgement: a server that is sent more than it can store refuses.
const (
	chunkSize      = 128 << 10
	chunksInFlight = 64
)

// upload is one blob on its way into the object store, in the form of ADR-20: chunks under a subject of their own, and a message
// under the object's name that lists them.
type upload struct {
	s    *Store
	sum  *counter
	id   string // of this upload's chunks
	sent int
	// unsettled is set while the object may have been named or may still be: its chunks must stay.
	unsettled bool
}

func (u *upload) digest() foldstream.Digest {
	return foldstream.Digest(hex.EncodeToString(u.sum.hash.Sum(nil)))
}

// chunks publishes what r gives.
func (u *upload) chunks(ctx context.Context, r io.Reader) error {
	var waiting []jetstream.PubAckFuture
	for {
		buffer := make([]byte, min(chunkSize, int(u.s.nc.MaxPayload())/2)) // one each: a chunk may have to be sent again
		n, err := io.ReadFull(r, buffer)
		ended := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !ended {
			return err
		}
		if n > 0 {
			_, _ = u.sum.Write(buffer[:n])
			f, err := u.s.send(&nats.Msg{Subject: u.s.lay.chunks(u.id), Header: nats.Header{}, Data: buffer[:n:n]})
			if err != nil {
				return err
			}
			waiting = append(waiting, f)
			u.sent++
		}
		for len(waiting) > 0 && (ended || len(waiting) >= chunksInFlight) {
			if _, err := u.s.await(ctx, waiting[0]); err != nil {
				return err
			}
			waiting = waiting[1:]
		}
		if ended {
			return nil
		}
	}
}

// name publishes the object; false when the store has one of this digest.
func (u *upload) name(ctx context.Context) (bool, error) {
	d := u.digest()
	m, err := u.object(d)
	if err != nil {
		return false, err
	}
	for t := u.s.trial(); ; {
		old, err := u.s.objectNow(ctx, d)
		if err != nil {
			return false, err
		}
		if old.seq > 0 && !old.Deleted {
			u.unsettled = false
			if old.NUID == u.id {
				return true, nil
			}
			if err := u.s.renew(ctx, d, old); !foldstream.Is(err, foldstream.NotFound) {
				return false, err
			}
			continue // it was deleted just now: name this one
		}
		expect(m, old.seq)
		if err := u.s.point("put: stored"); err != nil {
			return false, err
		}
		_, err = u.s.publish(ctx, m)
		v := verdictOf(err)
		u.unsettled = u.unsettled || v == unsure || v == broken && ctx.Err() != nil
		switch v {
		case accepted:
			return true, nil
		case broken:
			return false, err
		}
		if !t.again(ctx) {
			return false, errors.Join(err, nats.ErrTimeout)
		}
	}
}

func (u *upload) object(d foldstream.Digest) (*nats.Msg, error) {
	digest, err := objectDigest(d)
	if err != nil {
		return nil, err
	}
	return u.s.objectMessage(d, jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{Name: string(d), Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkSize}},
		Bucket:     u.s.lay.artifacts(), NUID: u.id, Size: uint64(u.sum.n), Chunks: uint32(u.sent), Digest: digest, ModTime: u.s.now().UTC(),
	})
}

// objectMessage takes the place of all that was said of a blob before.
func (s *Store) objectMessage(d foldstream.Digest, o jetstream.ObjectInfo) (*nats.Msg, error) {
	m := nats.NewMsg(s.lay.object(d))
	m.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
	var err error
	m.Data, err = json.Marshal(o)
	return m, err
}

// discard takes the chunks away: there is no use for them, or they are not whole.
func (u *upload) discard(ctx context.Context) {
	if u.sent == 0 {
		return
	}
	if err := u.s.purge(ctx, u.s.lay.objects(), purgeRequest{Filter: u.s.lay.chunks(u.id)}); err != nil {
		u.s.log.Warn("chunks that nothing names are left over", "err", err)
	}
}

// objectDigest writes a digest as object stores do. Errors: Invalid.
func objectDigest(d foldstream.Digest) (string, error) {
	raw, err := hex.DecodeString(string(d))
	if err != nil {
		return "", foldstream.Errorf(foldstream.Invalid, "artifact", "%q is no digest", d)
	}
	return "SHA-256=" + base64.URLEncoding.EncodeToString(raw), nil
}
