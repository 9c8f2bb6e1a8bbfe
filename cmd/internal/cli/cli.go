// Package cli holds the commands of the four programs: kong grammars, shared flags, the choice of a server, exit codes,
// progress and tables. It is the one place where the rooms meet; the programs themselves only choose a grammar.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"
	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/heap"
)

// Env is what a command may know of the world around it.
type Env struct {
	Stdout, Stderr io.Writer
	Stdin          io.Reader
	Terminal       io.Writer        // Stderr for what moves the cursor; nil is Stderr, which on a terminal shows orders and obeys none
	Asks           bool             // a person sits at Stdin and Stderr and can be asked
	TTY            bool             // Stderr is a terminal
	Store          foldstream.Store // instead of that of the server which the flags name; nil is that one
	Inside
}

// Inside is what only the person's tool has inside; the zero Inside is a service's.
type Inside struct {
	Embed   Embedder // the embedded server
	Example fs.FS    // the demo's experiment.yaml and what it names
}

// Embedder starts a NATS server in this process. Errors: Conflict (the store directory is in use), Unavailable.
type Embedder func(ctx context.Context, c Embedding) (Server, error)

// Embedding is how an embedded server is to be.
type Embedding struct {
	Dir        string // of its store; "" is a temporary one
	Port       int    // on the loopback interface; 0 is a free one
	SyncAlways bool   // what it acknowledges outlives a power failure
	MaxStore   int64  // bytes that it may keep; 0 leaves it to the disk
	Peers      Peers  // with whom it is a cluster
	Log        *slog.Logger
}

// Peers makes an embedded server one of several on this machine; the zero Peers is alone.
type Peers struct {
	Name   string   // of this server
	Port   int      // where the others find it
	Routes []string // where it finds all
}

// Server is a NATS server in this process.
type Server interface {
	URL() string
	Dir() string
	Conn(opts ...nats.Option) (*nats.Conn, error)
	Close() error
}

// Main runs a program's command line in the real world and exits.
func Main(name, about string, grammar any, inside Inside) {
	heap.Room(heap.OfPrograms)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	env := &Env{
		Stdout: forPeople(os.Stdout),
		Stderr: forPeople(os.Stderr),
		Stdin:  os.Stdin,

		Terminal: os.Stderr,
		Asks:     isatty.IsTerminal(os.Stdin.Fd()) && isatty.IsTerminal(os.Stderr.Fd()),
		TTY:      isatty.IsTerminal(os.Stderr.Fd()) && os.Getenv("CI") == "",
		Inside:   inside,
	}
	code := Run(ctx, name, about, grammar, os.Args[1:], env)
	stop()
	os.Exit(code)
}

// exited carries the exit code with which kong wants to leave, after --help and --version.
type exited int

// Run parses args by the grammar, runs the command and returns the exit code.
func Run(ctx context.Context, name, about string, grammar any, args []string, env *Env) (code int) {
	defer func() {
		if r := recover(); r != nil {
			left, ok := r.(exited)
			if !ok {
				panic(r)
			}
			code = int(left)
		}
	}()
	settings := &Settings{}
	parser, err := kong.New(grammar, append(vars(name),
		kong.Name(name), kong.Description(about+"\n\n"+exitHelp), kong.UsageOnError(),
		kong.Writers(env.Stdout, env.Stderr), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Embed(settings), kong.WithBeforeResolve(settings.resolve),
		kong.Bind(env, settings), kong.BindTo(ctx, (*context.Context)(nil)),
	)...)
	if err != nil {
		panic(err) // the grammar is wrong: our bug, and every test of the program meets it
	}
	command, err := parser.Parse(numbers(args))
	if err != nil {
		return usage(env, name, err)
	}
	return finish(env, name, command.Run())
}

// vars is what the grammars leave open.
func vars(name string) []kong.Option {
	return []kong.Option{kong.Vars{"version": Version(name), "cpus": fmt.Sprint(runtime.NumCPU())}}
}

// model returns the grammar of the person's tool, which has the commands of all programs.
func model() *kong.Application {
	k, err := kong.New(&Foldstream{}, append(vars(personsTool), kong.Name(personsTool))...)
	if err != nil {
		panic(err) // the grammar is wrong: our bug, and every test of the program meets it
	}
	return k.Model
}

// finish says what went wrong in one line and returns the exit code of err.
func finish(env *Env, name string, err error) int {
	if err == nil {
		return 0
	}
	if code, ok := errors.AsType[exitWith](err); ok {
		return int(code)
	}
	if errors.Is(err, context.Canceled) {
		err = foldstream.Errorf(foldstream.Cancelled, "", "interrupted")
	}
	fmt.Fprintf(env.Stderr, "%s: %v\n", name, err)
	return ExitCode(err)
}

// Version says which build this is: module version, revision, Go.
func Version(name string) string {
	return fmt.Sprintf("%s %s (%s, %s/%s)", name, CodeVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// CodeVersion returns the revision this program was built from, or its module version where no revision is known.
func CodeVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			version = s.Value[:12]
		}
	}
	return version
}
