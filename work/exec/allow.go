package exec

import (
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// Any is the word by which Only allows every command.
const Any = "*"

// Only returns a Worker.Allow for commands that begin with the words of one of these, as the task has them: "python3 train.py" allows that
// script with any arguments, "python3" whatever Python can do, Any every command. Without one it allows none.
func Only(beginnings ...string) func(foldstream.Task) error {
	return func(t foldstream.Task) error {
		argv, err := words(t)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(beginnings, func(b string) bool { return b == Any || begins(argv, strings.Fields(b)) }) {
			return nil
		}
		allowed := "it allows none"
		if len(beginnings) > 0 {
			allowed = "it allows " + strings.Join(beginnings, ", ")
		}
		return foldstream.Errorf(foldstream.Denied, "exec", "this consumer does not run the command %.80q: %s", strings.Join(argv, " "), allowed)
	}
}

func begins(argv, beginning []string) bool {
	return len(beginning) > 0 && len(argv) >= len(beginning) && slices.Equal(argv[:len(beginning)], beginning)
}
