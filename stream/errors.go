package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// The server's error codes that mean something of their own here.
const (
	codeCompareFailed   = 10071 // the last sequence is another one
	codeCompareUnsure   = 10164 // another write is in flight and may still fail: no answer yet
	codeNoPeers         = 10005 // fewer servers are there than are to replicate
	codeTooLarge        = 10054
	codeHeaderTooLarge  = 10097
	codeAccountLimit    = 10002
	codeNoResources     = 10023
	codeNoStorage       = 10047
	codeNoMemory        = 10028
	codeStoreFailed     = 10077
	codeDeleteFailed    = 10057 // of a message that is there: the store takes no more writes
	codeMessageNotFound = 10037
)

// verdict is what a refused or lost compare-and-set means for the one who tried it.
type verdict int

const (
	accepted verdict = iota
	refused          // the compare failed: somebody else was first, or an earlier try of ours whose reply was lost
	unsure           // not decided, or the reply was lost: read, then try again
	broken           // trying again does not help
)

func verdictOf(err error) verdict {
	if err == nil {
		return accepted
	}
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api):
		switch {
		case api.ErrorCode == codeCompareFailed:
			return refused
		case api.ErrorCode == codeCompareUnsure, api.ErrorCode == codeNoPeers, api.Code == 503 && api.ErrorCode != codeNoResources:
			return unsure
		}
		return broken
	case isLost(err):
		return unsure
	}
	return broken
}

// isLost reports whether err leaves open if the server did what it was asked.
func isLost(err error) bool {
	for _, lost := range []error{
		nats.ErrTimeout, nats.ErrDisconnected, nats.ErrNoResponders, nats.ErrReconnectBufExceeded,
		nats.ErrConnectionReconnecting, jetstream.ErrAsyncPublishTimeout, jetstream.ErrNoStreamResponse, jetstream.ErrTooManyStalledMsgs,
		context.DeadlineExceeded,
	} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}

// door is the one place where errors of NATS become Kinds; ctx is the caller's. A nil err gives nil; an Error of ours passes.
func (s *Store) door(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return stopped(ctx, op)
	}
	if _, ours := errors.AsType[*foldstream.Error](err); ours {
		return err
	}
	kind := kindOf(err)
	switch {
	case kind == foldstream.Unavailable && s.deniedSince(clock.Tick().Add(-2*s.cfg.Patience)):
		return foldstream.E(foldstream.Denied, op, s.denied.Load().err)
	case errors.Is(err, nats.ErrNoResponders):
		err = fmt.Errorf("no JetStream answers for this account; start the server with -js, or enable it for the account: %w", err)
	case errors.Is(err, jetstream.ErrMaximumConsumersLimit):
		err = fmt.Errorf("the server allows no more consumers of a stream, and each band and stage of a pool has one; raise jetstream {limits {default_max_consumers}}: %w", err)
	case kind == foldstream.Full:
		err = fmt.Errorf("the server has no room left in its store: %w", err)
	}
	return foldstream.E(kind, op, err)
}

func kindOf(err error) foldstream.Kind {
	var api *jetstream.APIError
	switch {
	case errors.Is(err, context.Canceled):
		return foldstream.Cancelled
	case errors.Is(err, nats.ErrPermissionViolation), errors.Is(err, nats.ErrAuthorization):
		return foldstream.Denied
	case errors.Is(err, nats.ErrMaxPayload):
		return foldstream.TooLarge
	case errors.As(err, &api):
		return kindOfCode(api)
	case isLost(err), errors.Is(err, errGap), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionDraining):
		return foldstream.Unavailable
	}
	return foldstream.Internal
}

func kindOfCode(api *jetstream.APIError) foldstream.Kind {
	switch api.ErrorCode {
	case codeCompareFailed:
		return foldstream.Conflict
	case codeTooLarge, codeHeaderTooLarge:
		return foldstream.TooLarge
	case codeAccountLimit, codeNoResources, codeNoStorage, codeNoMemory, codeStoreFailed, codeDeleteFailed, jetstream.JSErrCodeMaximumConsumersLimit:
		return foldstream.Full
	case codeMessageNotFound:
		return foldstream.NotFound
	case codeCompareUnsure, codeNoPeers, jetstream.JSErrCodeStreamNotFound, jetstream.JSErrCodeConsumerNotFound,
		jetstream.JSErrCodeJetStreamNotEnabled, jetstream.JSErrCodeJetStreamNotEnabledForAccount:
		return foldstream.Unavailable
	}
	if api.Code == 503 || api.Code == 408 {
		return foldstream.Unavailable
	}
	return foldstream.Internal
}

// stopped turns the end of a caller's context into an error of kind Cancelled; nil while it lasts.
func stopped(ctx context.Context, op string) error {
	return foldstream.E(foldstream.Cancelled, op, ctx.Err())
}
