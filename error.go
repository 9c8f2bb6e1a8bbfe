package foldstream

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an Error is. A kind decides the exit code of a command and whether a caller may try again.
type Kind uint8

// The kinds. The zero Kind is Internal: an error nobody classified is our bug.
const (
	Internal     Kind = iota // a bug, or a failure nobody foresaw
	Invalid                  // bad input: a file, a field, a value
	Leak                     // a task whose training could see its test period
	TooLarge                 // a message over the server's limit
	NotFound                 // no such thing, or nothing there now
	Conflict                 // somebody else was first: a lost lease, a moved revision, a store in use
	Failed                   // work was done and it failed
	Incomplete               // a collection lacks members
	Differs                  // two things compared are not the same
	NotConserved             // verification found a task lost or doubled
	Timeout                  // the time given ran out
	Cancelled                // somebody asked for the stop
	Unavailable              // no server, or it does not answer
	Denied                   // the server refused the permission
	Full                     // no room left in the store
)

var kindNames = [...]string{
	"internal", "invalid", "leak", "too large", "not found", "conflict", "failed", "incomplete",
	"differs", "not conserved", "timeout", "cancelled", "unavailable", "denied", "full",
}

// String returns the kind's name in words.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Error is the one error type that crosses a room's door: what was attempted, what sort of failure it was, and why.
type Error struct {
	Op   string // what was attempted, as "create" or "calendar.align"; "" where the message says it
	Kind Kind
	Err  error // the cause in words; never nil in an Error that E or Errorf made
}

// Error returns "op: cause".
func (e *Error) Error() string {
	switch {
	case e.Err == nil && e.Op == "":
		return e.Kind.String()
	case e.Err == nil:
		return e.Op + ": " + e.Kind.String()
	case e.Op == "":
		return e.Err.Error()
	}
	return e.Op + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a kind; format follows fmt.Errorf, with %w for a cause.
func Errorf(kind Kind, op, format string, args ...any) error {
	return &Error{Op: op, Kind: kind, Err: fmt.Errorf(format, args...)}
}

// E wraps err as an Error of a kind. A nil err gives nil.
func E(kind Kind, op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Kind: kind, Err: err}
}

// KindOf returns the kind of the outermost Error in err's chain: Internal where there is none. err must not be nil.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err holds an Error of the kind at its outermost. A nil err is of no kind.
func Is(err error, kind Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}
