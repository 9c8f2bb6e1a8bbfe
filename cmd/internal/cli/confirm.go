package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
)

// confirm asks before more than one of the things is touched. Errors: Invalid (nobody is there to be asked), Cancelled (the answer was no).
func confirm(ctx context.Context, env *Env, force bool, n int, question string) error {
	if n <= 1 || force {
		return nil
	}
	if !env.Asks {
		return foldstream.Errorf(foldstream.Invalid, "", "to %s is more than one and nobody is there to be asked: add --force (or look first, with --dry-run)", question)
	}
	fmt.Fprintf(env.Stderr, "%s? [y/N] ", capital(question))
	answer := make(chan string, 1)
	go func() { // it may outlive an interrupted command: nothing ends the reading of a terminal
		line, _ := bufio.NewReader(env.Stdin).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case a := <-answer:
		if a == "y" || a == "yes" {
			return nil
		}
	}
	return foldstream.Errorf(foldstream.Cancelled, "", "not confirmed; nothing was changed")
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
