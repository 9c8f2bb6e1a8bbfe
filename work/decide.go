package work

import (
	"errors"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/foldstream/foldstream"
)

// Action is what becomes of a task after an attempt.
type Action string

// The actions.
const (
	Commit Action = "commit"  // the result is stored
	Again  Action = "again"   // it is tried again, and the attempt counts
	PutOff Action = "put off" // it comes back, and no attempt was used
	Fail   Action = "fail"    // it has failed
	Drop   Action = "drop"    // it is another's: nothing is stored
)

// Decision is an Action with what it takes.
type Decision struct {
	Action Action
	// The task comes back after a pause between these two, of which Again and PutOff take one at random, so that what failed
	// together does not come back together.
	Least, Most time.Duration
	Why         error // of Again and Fail: the error to store, which tells the attempt where that was the last
}

// Decide chooses what becomes of a task after an attempt that ended with err. It is a pure function of both: the first that holds of
//
//   - no error: Commit;
//   - the lease is another's: Drop;
//   - the consumer stops: PutOff, at once;
//   - the error is of a class in Retry.Never, or Permanent: Fail;
//   - it is a Snooze: PutOff, for as long as that says;
//   - it is of a class in Retry.Always: PutOff, with the pause of this attempt;
//   - it was the last attempt: Fail;
//   - else: Again, with the pause of this attempt.
func Decide(t foldstream.Task, err error) Decision {
	if err == nil {
		return Decision{Action: Commit}
	}
	never, always := match(t.Retry.Never, err), match(t.Retry.Always, err)
	after, snoozed := foldstream.IsSnooze(err)
	pause, tries := t.Retry.Pause(t.Attempt), t.Retry.Tries()
	switch {
	case isLost(err):
		return Decision{Action: Drop}
	case errors.Is(err, errStopped):
		return Decision{Action: PutOff}
	case never != "":
		return Decision{Action: Fail, Why: foldstream.Errorf(foldstream.KindOf(err), "", "attempt %d, and never again after %s: %w", t.Attempt, never, err)}
	case foldstream.IsPermanent(err):
		return Decision{Action: Fail, Why: err}
	case snoozed:
		return Decision{Action: PutOff, Least: after, Most: after}
	case always != "":
		return Decision{Action: PutOff, Least: pause / 2, Most: pause}
	case t.Attempt >= tries:
		return Decision{Action: Fail, Why: foldstream.Errorf(foldstream.KindOf(err), "", "attempt %d of %d: %w", t.Attempt, tries, err)}
	}
	return Decision{Action: Again, Least: pause / 2, Most: pause, Why: err}
}

// match returns the first of the classes that err is of, "" where it is of none.
func match(classes []string, err error) string {
	for _, class := range classes {
		if isClass(class, err) {
			return class
		}
	}
	return ""
}

// isClass reports whether err is of a class of foldstream.Retry.
func isClass(class string, err error) bool {
	name, value, _ := strings.Cut(class, ":")
	own, _ := errors.AsType[classed](err)
	switch {
	case len(class) > 2 && class[0] == '/' && class[len(class)-1] == '/':
		re, bad := regexp.Compile(class[1 : len(class)-1])
		return bad == nil && re.MatchString(err.Error())
	case name == "kind":
		return foldstream.KindOf(err).String() == value
	case name == "exit" || name == "signal":
		n := status(name, err)
		return n > 0 && value == strconv.Itoa(n)
	}
	return class == own.class
}

// status returns the exit status, or the signal, that a command ended with; 0 where err tells of none.
func status(what string, err error) int {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0
	}
	if what == "exit" {
		return exit.ExitCode()
	}
	if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return int(s.Signal())
	}
	return 0
}

// classed is an error of one of the classes that the runner itself makes: deadline, silence, panic.
type classed struct {
	class string
	error
}

func (c classed) Unwrap() error { return c.error }
