package exec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/foldstream/foldstream"
)

// Worker runs the command that the task names in exec.command, a list of texts: the program and its arguments, with no shell
// in between. A program without a slash is looked up in PATH. The command gets
//
//   - the task as JSON on standard input, see Request;
//   - an empty working directory of its own, removed afterwards;
//   - the consumer's environment, and FOLDSTREAM_OUT (the file for its result) and FOLDSTREAM_TASK (the task's id).
//
// Its result is the JSON in $FOLDSTREAM_OUT if that file exists, else its standard output, see Response. Standard error, and
// standard output where it is not the result, become the artifact "exec.log": the last MiB.
//
// Exit status 0 is success; 75 (EX_TEMPFAIL) puts the task off without using an attempt; any other fails the attempt with the last
// lines of the log as the error. A result that cannot be read is permanent. When the context ends the whole process group gets
// SIGTERM, and SIGKILL when the command has ended or 2 seconds are over; the group is killed after a success as well, so that nothing
// stays behind but what left the group on purpose. The zero Worker works. It is safe for concurrent use.
type Worker struct{}

var _ foldstream.Worker = (*Worker)(nil)

const (
	tempFail   = 75               // EX_TEMPFAIL of sysexits.h: not now
	tempPause  = 30 * time.Second // until such a task comes back
	killAfter  = 2 * time.Second  // from SIGTERM to SIGKILL
	logLimit   = 1 << 20          // bytes of a log that are kept: the last
	errorLimit = 4 << 10          // of those, bytes that go into an error
	outLimit   = 256 << 20        // bytes of a result; more is a mistake
	outName    = "foldstream-out.json"
)

// Work runs the command.
func (w *Worker) Work(ctx context.Context, t foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
	var none foldstream.Result
	argv, err := command(t)
	if err != nil {
		return none, foldstream.Permanent(err)
	}
	stdin, err := json.Marshal(request(t))
	if err != nil {
		return none, foldstream.Permanent(foldstream.E(foldstream.Invalid, "exec", err))
	}
	dir, err := os.MkdirTemp("", "foldstream-exec-")
	if err != nil {
		return none, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what cannot be removed is temporary all the same
	out := &output{}
	if err := run(ctx, argv, dir, t.ID, stdin, out); err != nil {
		return none, fate(ctx, argv, err, out.log.tail(errorLimit))
	}
	data, log, err := out.take(filepath.Join(dir, outName))
	if err != nil {
		return none, foldstream.Permanent(err)
	}
	if len(log) > 0 {
		if err := rec.Artifact(ctx, "exec.log", "text/plain; charset=utf-8", bytes.NewReader(log)); err != nil {
			return none, err
		}
	}
	return respond(ctx, data, dir, rec)
}

// command returns the program and its arguments. Errors: Invalid.
func command(t foldstream.Task) ([]string, error) {
	section, _ := t.Task["exec"].(map[string]any)
	list, ok := section["command"].([]any)
	if !ok || len(list) == 0 {
		return nil, foldstream.Errorf(foldstream.Invalid, "exec", "exec.command: %v is not a list of texts, the program first", section["command"])
	}
	argv := make([]string, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok || i == 0 && s == "" {
			return nil, foldstream.Errorf(foldstream.Invalid, "exec", "exec.command[%d]: %v is not a text; put numbers in quotes", i, v)
		}
		argv[i] = s
	}
	return argv, nil
}

// run starts the command and waits for it and its group to end.
func run(ctx context.Context, argv []string, dir string, id foldstream.TaskID, stdin []byte, out *output) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "FOLDSTREAM_OUT="+filepath.Join(dir, outName), "FOLDSTREAM_TASK="+string(id))
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = (*stdout)(out), (*stderr)(out)
	cmd.WaitDelay = killAfter
	err := runGroup(cmd)
	if errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		err = nil // it ended well; a child it left behind still held its output
	}
	return err
}

// fate turns the end of a command that did not succeed into the error that steers the task.
func fate(ctx context.Context, argv []string, err error, last []byte) error {
	if ctx.Err() != nil {
		return foldstream.Errorf(foldstream.KindOf(context.Cause(ctx)), "exec", "%s: stopped: %w", argv[0], context.Cause(ctx))
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return foldstream.Errorf(foldstream.Failed, "exec", "cannot run %q: %w", argv[0], err)
	}
	what := exit.String() // "exit status 1", "signal: killed"
	if len(last) > 0 {
		what = fmt.Sprintf("%s; the log ends with\n%s", what, last)
	}
	if exit.ExitCode() == tempFail {
		return foldstream.Snooze(tempPause, what)
	}
	return foldstream.Errorf(foldstream.Failed, "exec", "%s: %s", argv[0], what)
}
