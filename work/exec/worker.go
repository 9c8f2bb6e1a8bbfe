package exec

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

// Worker runs the command that the task names in exec.command, a list of texts: the program and its arguments, with no shell
// in between. A program without a slash is looked up in PATH. An argument <data.NAME> stands for the path of the input file of that
// name, so that a script can travel with the task. The command gets
//
//   - the task as JSON on standard input, see Request;
//   - an empty working directory of its own, which nobody else may enter, removed afterwards;
//   - of the consumer's environment what every program needs (see inherited) and PassEnv names, and no more; FOLDSTREAM_OUT (the file
//     for its result), FOLDSTREAM_EVENTS (the file for its events), FOLDSTREAM_TASK (the task's id), FOLDSTREAM_RUN (a mark of this
//     run, see below) and TMPDIR, which is its working directory.
//
// Its result is the JSON in $FOLDSTREAM_OUT if that file exists, else its standard output, see Response. Standard error, and
// standard output where it is not the result, become the artifact "exec.log", with the middle left out where it is over a MiB. That of a
// failed attempt is kept too.
//
// The result's code is that of Code, unless the consumer declares another.
//
// While it runs it may tell events, each a line of JSON appended to $FOLDSTREAM_EVENTS, see Event and the package's comment.
//
// Exit status 0 is success; 75 (EX_TEMPFAIL) puts the task off without using an attempt; any other fails the attempt with the last
// lines of the log as the error, which wraps the *exec.ExitError of os/exec. A result that cannot be read is permanent. When the context ends the whole process group gets
// SIGTERM, and SIGKILL when the command has ended or 2 seconds are over; the group is killed after a success as well, and on Linux all
// processes that left the group and have the mark of the run in their environment, so that nothing stays behind but what hides on
// purpose.
//
// A command does what the consumer's user may do: what it is kept from here it is kept from by mistake, not by malice. Run consumers as
// users of their own. The zero Worker works; it runs any command. It is safe for concurrent use.
type Worker struct {
	// Allow is asked before a command is run; nil allows all. Its error fails the task for good, unless it is a Snooze. Only makes one.
	Allow   func(foldstream.Task) error
	PassEnv []string // names of variables that commands get besides; a * at the end stands for any rest
	Limits  Limits
	Keep    bool // the working directory of an attempt that failed stays, and its error says where

	codes Codes
}

var _ foldstream.Worker = (*Worker)(nil)

const (
	tempFail   = 75               // EX_TEMPFAIL of sysexits.h: not now
	tempPause  = 30 * time.Second // until such a task comes back
	killAfter  = 2 * time.Second  // from SIGTERM to SIGKILL
	errorLimit = 4 << 10          // bytes of a log that go into an error: the last
	outLimit   = 256 << 20        // bytes of a result; more is a mistake
	keepTime   = 5 * time.Second  // for storing the log of a failed attempt
	outName    = "foldstream-out.json"
	logName    = "exec.log"
	logType    = "text/plain; charset=utf-8"
)

// Work runs the command.
func (w *Worker) Work(ctx context.Context, t foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
	var none foldstream.Result
	argv, stdin, err := w.prepare(t)
	if err != nil {
		return none, err
	}
	code, _ := w.codes.Of(t) // before it runs; where it cannot be told the command cannot be run either, or nobody may read it
	dir, err := newFolder()
	if err != nil {
		return none, err
	}
	out := &output{}
	if err := w.run(ctx, argv, dir, t.ID, stdin, out, rec); err != nil {
		keepLog(ctx, out.log.all(), rec)
		return none, w.leave(dir, fate(ctx, argv, err, out.log.last(errorLimit)))
	}
	result, err := answer(ctx, dir, out, rec)
	result.Code = code
	return result, w.leave(dir, err)
}

// prepare returns the command and what it reads. Errors: Permanent; a Snooze of Allow.
func (w *Worker) prepare(t foldstream.Task) (argv []string, stdin []byte, err error) {
	if argv, err = command(t); err == nil && w.Allow != nil {
		err = w.Allow(t)
	}
	if err == nil {
		err = w.Limits.Check()
	}
	if err == nil {
		stdin, err = json.Marshal(request(t))
		err = foldstream.E(foldstream.Invalid, "exec", err)
	}
	if _, snoozed := foldstream.IsSnooze(err); !snoozed {
		err = foldstream.Permanent(err)
	}
	return argv, stdin, err
}

// answer reads what a command left that ended well.
func answer(ctx context.Context, dir *folder, out *output, rec foldstream.Recorder) (foldstream.Result, error) {
	data, log, err := out.take(dir)
	if err != nil {
		return foldstream.Result{}, foldstream.Permanent(err)
	}
	if len(log) > 0 {
		if err := rec.Artifact(ctx, logName, logType, bytes.NewReader(log)); err != nil {
			return foldstream.Result{}, err
		}
	}
	return respond(ctx, data, dir, rec)
}

// leave removes the folder of an attempt, or says in its error where it is kept.
func (w *Worker) leave(dir *folder, err error) error {
	if _, snoozed := foldstream.IsSnooze(err); err == nil || snoozed || !w.Keep {
		dir.remove()
		return err
	}
	_ = dir.root.Close()
	return fmt.Errorf("%w\nits folder is kept: %s", err, dir.path)
}

// keepLog stores the log of an attempt that failed, where that can be done: the error has its end in any case. That of one whose
// consumer stops or whose lease is lost is nobody's.
func keepLog(ctx context.Context, log []byte, rec foldstream.Recorder) {
	if cause := context.Cause(ctx); len(log) == 0 || cause != nil && !foldstream.Is(cause, foldstream.Timeout) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	_ = rec.Artifact(ctx, logName, logType, bytes.NewReader(log))
}

// command returns the program and its arguments, with the paths of input files. Errors: Invalid.
func command(t foldstream.Task) ([]string, error) {
	argv, err := words(t)
	for i, s := range argv {
		var ok bool
		if argv[i], ok = expand(s, t.Data); !ok {
			return nil, foldstream.Errorf(foldstream.Invalid, "exec", "exec.command[%d]: %s: the task has no data of that name", i, s)
		}
	}
	return argv, err
}

// words returns the program and its arguments as the task has them. Errors: Invalid.
func words(t foldstream.Task) ([]string, error) {
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
		if strings.ContainsRune(s, 0) {
			return nil, foldstream.Errorf(foldstream.Invalid, "exec", "exec.command[%d]: %q has a zero byte in it", i, s)
		}
		argv[i] = s
	}
	return argv, nil
}

// expand puts the path of an input file in the place of <data.NAME>. ok is false where there is no such file.
func expand(arg string, data []foldstream.Data) (_ string, ok bool) {
	name, found := strings.CutPrefix(arg, "<data.")
	if !found || !strings.HasSuffix(name, ">") {
		return arg, true
	}
	for _, d := range data {
		if d.Name == strings.TrimSuffix(name, ">") {
			return d.Path, true
		}
	}
	return "", false
}

// run starts the command, takes its events, and waits for it and its group to end.
func (w *Worker) run(ctx context.Context, argv []string, dir *folder, id foldstream.TaskID, stdin []byte, out *output, rec foldstream.Recorder) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	mark := rand.Text()
	cmd.Dir = dir.path
	cmd.Env = environment(os.Environ(), w.PassEnv, map[string]string{
		"FOLDSTREAM_OUT": dir.file(outName), "FOLDSTREAM_EVENTS": dir.file(eventsName), "FOLDSTREAM_TASK": string(id),
		"FOLDSTREAM_RUN": mark, "TMPDIR": dir.path,
	})
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = (*stdout)(out), (*stderr)(out)
	cmd.WaitDelay = killAfter
	e := &events{dir: dir, rec: rec, log: (*stderr)(out)}
	done := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() { e.follow(ctx, done) })
	err := runGroup(cmd, w.Limits, mark)
	close(done)
	reader.Wait()
	if errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		err = nil // it ended well; a child it left behind still held its output
	}
	if err == nil {
		err = e.failed
	}
	return err
}

// fate turns the end of a command that did not succeed into the error that steers the task.
func fate(ctx context.Context, argv []string, err error, last []byte) error {
	log := ""
	if len(last) > 0 {
		log = fmt.Sprintf("; the log ends with\n%s", last)
	}
	if ctx.Err() != nil {
		return foldstream.Errorf(foldstream.KindOf(context.Cause(ctx)), "exec", "%s: stopped: %w%s", argv[0], context.Cause(ctx), log)
	}
	exit, ok := errors.AsType[*exec.ExitError](err) // in words "exit status 1", "signal: killed"
	switch {
	case !ok && foldstream.KindOf(err) != foldstream.Internal: // of the store
		return err
	case !ok:
		return foldstream.Errorf(foldstream.Failed, "exec", "cannot run %q: %w", argv[0], err)
	case exit.ExitCode() == tempFail:
		return fmt.Errorf("%s: %w: %w", argv[0], exit, foldstream.Snooze(tempPause, "not now"+log))
	}
	return foldstream.Errorf(foldstream.Failed, "exec", "%s: %w%s", argv[0], exit, log)
}
