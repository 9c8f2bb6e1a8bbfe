package cli

import "github.com/foldstream/foldstream"

// exitCodes is the one table from kinds to exit codes; a kind that is not in it exits with 1.
var exitCodes = map[foldstream.Kind]int{
	foldstream.Invalid:      2,
	foldstream.Leak:         2,
	foldstream.TooLarge:     2,
	foldstream.NotFound:     3,
	foldstream.Conflict:     4,
	foldstream.Failed:       5,
	foldstream.Incomplete:   5,
	foldstream.Differs:      5,
	foldstream.NotConserved: 5,
	foldstream.Timeout:      6,
	foldstream.Cancelled:    130,
}

// exitHelp is the table as --help shows it.
const exitHelp = `Exit codes: 0 done, 1 failure (no server, denied, full), 2 bad input or a leak, 3 not found, 4 conflict, 5 tasks failed or a collection incomplete, 6 timed out, 130 interrupted.`

// ExitCode returns the exit code of an error; 0 for nil.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if code, ok := exitCodes[foldstream.KindOf(err)]; ok {
		return code
	}
	return 1
}

// exitWith is the error of a command that has said everything and ends with a code of its own: check, in the sense of Nagios.
type exitWith int

var stateNames = [...]string{"ok", "warning", "critical", "unknown"}

func (e exitWith) state() string { return stateNames[min(int(e), len(stateNames)-1)] }

func (e exitWith) Error() string { return e.state() }
