package foldstream_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
)

func TestErrorKeepsItsKindThroughWrapping(t *testing.T) {
	cause := io.ErrUnexpectedEOF
	err := fmt.Errorf("reading: %w", foldstream.Errorf(foldstream.Invalid, "calendar", "line 3: %w", cause))
	if !foldstream.Is(err, foldstream.Invalid) || foldstream.KindOf(err) != foldstream.Invalid {
		t.Errorf("kind of %v is %v", err, foldstream.KindOf(err))
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if got, want := err.Error(), "reading: calendar: line 3: unexpected EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOutermostKindDecides(t *testing.T) {
	inner := foldstream.Errorf(foldstream.NotFound, "", "no such blob")
	err := foldstream.E(foldstream.Invalid, "data", inner)
	if foldstream.Is(err, foldstream.NotFound) || !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("kind %v", foldstream.KindOf(err))
	}
}

func TestNoErrorHasNoKind(t *testing.T) {
	if foldstream.E(foldstream.Failed, "op", nil) != nil || foldstream.Is(nil, foldstream.Internal) {
		t.Error("nil became an error")
	}
	if foldstream.KindOf(io.EOF) != foldstream.Internal || foldstream.Is(io.EOF, foldstream.Internal) {
		t.Error("a stranger's error counts as internal but is not one of ours")
	}
}

func TestSteeringErrors(t *testing.T) {
	if !foldstream.IsPermanent(fmt.Errorf("x: %w", foldstream.Permanent(io.EOF))) || foldstream.Permanent(nil) != nil {
		t.Error("permanent")
	}
	if !errors.Is(foldstream.Permanent(io.EOF), io.EOF) || foldstream.IsPermanent(io.EOF) {
		t.Error("permanent hides or invents")
	}
	if d, ok := foldstream.IsSnooze(fmt.Errorf("x: %w", foldstream.Snooze(time.Minute, "no licence"))); !ok || d != time.Minute {
		t.Error("snooze")
	}
}
