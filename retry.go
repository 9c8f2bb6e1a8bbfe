package foldstream

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Retry is how often and after which pause a failing task is tried again. The zero Retry is 3 attempts, from 1 s doubling to 5 min.
//
// Never and Always name classes of errors that are treated in another way. Where both match, Never wins. What a worker
// marked Permanent, and a guard's refusal, fails in any case. A class is
//
//	exit:N      a command ended with the exit status N
//	signal:N    a command was ended by the signal N
//	kind:NAME   an Error of the kind of that name, as "kind:not found"
//	deadline    the attempt took longer than the task's Deadline
//	silence     the attempt reported no progress for the task's Silence
//	panic       the worker panicked
//	/REGEXP/    the text of the error matches, by the rules of package regexp
type Retry struct {
	Attempts int           // 0 is 3
	Backoff  time.Duration // pause after the first attempt, doubled after each; 0 is 1 s
	Ceiling  time.Duration // longest pause; 0 is 5 min
	Never    []string      // classes of errors after which the task fails at once, whatever attempts are left
	Always   []string      // classes of errors that use no attempt up: such a task is tried again for as long as it takes
}

// Tries returns how many attempts a task has.
func (r Retry) Tries() int {
	if r.Attempts > 0 {
		return r.Attempts
	}
	return 3
}

// Pause returns the longest pause after the given attempt, from 1: it doubles after each, up to the ceiling.
func (r Retry) Pause(attempt int) time.Duration {
	d, ceiling := r.Backoff, r.Ceiling
	if d <= 0 {
		d = time.Second
	}
	if ceiling <= 0 {
		ceiling = 5 * time.Minute
	}
	for range attempt - 1 {
		if d >= ceiling {
			break
		}
		d *= 2
	}
	return min(d, ceiling)
}

// Validate reports numbers below 0, a class that is none, and one that stands in both lists. Errors: Invalid, naming the
// field and the value. A class that is none, where nobody validated, matches no error.
func (r Retry) Validate() error {
	switch {
	case r.Attempts < 0:
		return Errorf(Invalid, "retry", "attempts: %d is below 0", r.Attempts)
	case r.Backoff < 0:
		return Errorf(Invalid, "retry", "backoff: %v is below 0", r.Backoff)
	case r.Ceiling < 0:
		return Errorf(Invalid, "retry", "ceiling: %v is below 0", r.Ceiling)
	}
	for _, class := range r.Never {
		if err := validClass(class); err != nil {
			return Errorf(Invalid, "retry", "never: %q %w", class, err)
		}
		if slices.Contains(r.Always, class) {
			return Errorf(Invalid, "retry", "always: %q is also under never", class)
		}
	}
	for _, class := range r.Always {
		if err := validClass(class); err != nil {
			return Errorf(Invalid, "retry", "always: %q %w", class, err)
		}
	}
	return nil
}

func validClass(class string) error {
	name, value, _ := strings.Cut(class, ":")
	switch {
	case class == "deadline" || class == "silence" || class == "panic":
		return nil
	case len(class) > 2 && class[0] == '/' && class[len(class)-1] == '/':
		_, err := regexp.Compile(class[1 : len(class)-1])
		return E(Invalid, "", err)
	case name == "kind":
		if !slices.Contains(kindNames[:], value) {
			return Errorf(Invalid, "", "names no kind of error; the kinds: %s", strings.Join(kindNames[:], ", "))
		}
		return nil
	case name == "exit" || name == "signal":
		if n, err := strconv.ParseUint(value, 10, 32); err != nil || n == 0 || value != strconv.FormatUint(n, 10) {
			return Errorf(Invalid, "", "names no number from 1 on")
		}
		return nil
	}
	return Errorf(Invalid, "", "is no class of errors: exit:N, signal:N, kind:NAME, deadline, silence, panic or /REGEXP/")
}
