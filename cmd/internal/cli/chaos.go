package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/chaos"
)

// ChaosCmd works an experiment while it kills, stops and cuts off the processes that do, and proves that nothing came of it.
type ChaosCmd struct {
	Connection
	Output
	File        string        `arg:"" optional:"" help:"Experiment file; default: the example, with as many tasks as --tasks says."`
	Seed        uint64        `help:"Draws the faults; 0 is another one each time. What a run found is found again with its seed, more or less: the machine has a say."`
	Faults      int           `default:"30" help:"How many faults at most."`
	Pause       time.Duration `default:"300ms" help:"Time between two faults, on average."`
	Tasks       int           `default:"960" help:"Tasks of the example; a multiple of 120."`
	Consumers   int           `default:"3" help:"Processes that work."`
	Aggregators int           `default:"2" help:"Processes that fold."`
	Dir         string        `type:"path" placeholder:"DIR" help:"Folder for stores and logs; default: a temporary one, which is kept where something was found."`
}

// chaosTold is what a run tells.
type chaosTold struct {
	chaos.Report
	Tasks    int      `json:"tasks"`
	Attempts int      `json:"attempts"`
	Seconds  float64  `json:"seconds"`
	Findings []string `json:"findings"` // what should not have come of it: none
	Dir      string   `json:"dir,omitempty"`
}

// Run runs the experiment undisturbed, then disturbed, and compares. Errors: NotConserved where they differ or something was lost.
func (c *ChaosCmd) Run(ctx context.Context, env *Env) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	own := c.Dir == ""
	if own {
		if c.Dir, err = os.MkdirTemp("", "foldstream-chaos-"); err != nil {
			return err
		}
	}
	told, err := c.play(ctx, env)
	if err == nil && len(told.Findings) == 0 && own {
		err = os.RemoveAll(c.Dir)
	} else {
		told.Dir = c.Dir
	}
	if told.Tasks == 0 {
		return err
	}
	if c.JSON {
		err = errors.Join(err, printJSON(env.Stdout, told))
	} else {
		told.print(env.Stdout)
	}
	if err == nil && len(told.Findings) > 0 {
		err = foldstream.Errorf(foldstream.NotConserved, "", "chaos found %d things; run it again with --seed %d", len(told.Findings), told.Seed)
	}
	return err
}

func (c *ChaosCmd) check() error {
	for name, n := range map[string]int{"--faults": c.Faults, "--consumers": c.Consumers, "--aggregators": c.Aggregators} {
		if n < 1 {
			return foldstream.Errorf(foldstream.Invalid, "", "%s %d is below 1", name, n)
		}
	}
	if c.File == "" && (c.Tasks < examplePart || c.Tasks%examplePart != 0) {
		return foldstream.Errorf(foldstream.Invalid, "", "--tasks %d is no multiple of %d", c.Tasks, examplePart)
	}
	if c.Pause < 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "--pause %v is below 0", c.Pause)
	}
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	return nil
}

// play runs both, and judges.
func (c *ChaosCmd) play(ctx context.Context, env *Env) (told chaosTold, err error) {
	p, err := c.plan(env)
	if err != nil {
		return told, err
	}
	quiet := *env
	quiet.Stdout, quiet.Stderr, quiet.TTY = io.Discard, io.Discard, false
	calm := RunCmd{Output: c.Output, Labour: Labour{Concurrency: 2}, Store: filepath.Join(c.Dir, "calm"), Embedded: true}
	if err := calm.run(ctx, &quiet, p, filepath.Join(c.Dir, "undisturbed")); err != nil {
		return told, fmt.Errorf("undisturbed: %w", err)
	}
	began := time.Now()
	stage, s, err := c.open(ctx, env, p)
	if err != nil {
		return told, err
	}
	defer stage.Close()
	defer func() { err = errors.Join(err, s.Close()) }()
	bar := newProgress(env, p.Experiment.Name)
	stage.Done = func(ctx context.Context) (over, open int, err error) {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		counts, err := s.store.Pool(p.Experiment.Pool).Stat(ctx)
		over = counts[foldstream.Done] + counts[foldstream.Dead]
		if err == nil {
			bar.set(counts[foldstream.Done], counts[foldstream.Dead], len(p.Tasks))
		}
		return over, len(p.Tasks) - over, err
	}
	told.Report, err = stage.Play(ctx)
	bar.close()
	told.Tasks, told.Seconds = len(p.Tasks), time.Since(began).Seconds()
	if err != nil {
		return told, err
	}
	stage.Rest()
	disturbed := RunCmd{Connection: c.Connection, Output: c.Output, Labour: calm.Labour}
	disturbed.Server = stage.URL()
	if err := disturbed.run(ctx, &quiet, p, filepath.Join(c.Dir, "disturbed")); err != nil {
		return told, fmt.Errorf("disturbed: %w", err)
	}
	return told, c.judge(ctx, s, p, &told)
}

// open sets the stage, and connects to its server past all disturbance.
func (c *ChaosCmd) open(ctx context.Context, env *Env, p *plan) (*chaos.Stage, *session, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	stage, err := chaos.Open(ctx, chaos.Config{
		Program: program, Dir: filepath.Join(c.Dir, "chaos"), File: c.File, Pool: p.Experiment.Pool, Env: c.forwarded(), Server: c.Server,
		Seed: c.Seed, Faults: c.Faults, Pause: c.Pause, Consumers: c.Consumers, Aggregators: c.Aggregators, Log: c.logger(env),
	})
	if err != nil {
		return nil, nil, err
	}
	direct := c.Connection
	direct.Server = stage.URL()
	s, err := direct.dial(ctx, c.logger(env))
	if err != nil {
		stage.Close()
	}
	return stage, s, err
}

// forwarded is how the other processes are told of the server, by the variables of these flags.
func (c *ChaosCmd) forwarded() []string {
	env := []string{"FOLDSTREAM_REPLICAS=" + strconv.Itoa(c.Replicas)}
	for name, value := range map[string]string{
		"NATS_USER": c.User, "NATS_PASSWORD": c.Password, "NATS_CREDS": c.Creds, "NATS_NKEY": c.Nkey,
		"NATS_CERT": c.TLSCert, "NATS_KEY": c.TLSKey, "NATS_CA": c.TLSCA, "FOLDSTREAM_PREFIX": c.Prefix,
	} {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// examplePart is how many tasks the example has for each ridge penalty.
const examplePart = 120

// plan loads the experiment: the user's, or the example with more penalties.
func (c *ChaosCmd) plan(env *Env) (*plan, error) {
	if c.File != "" {
		return load(c.File)
	}
	if env.Example == nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "this program has no example inside: name an experiment file")
	}
	dir := filepath.Join(c.Dir, "example")
	if err := unpack(env.Example, dir); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "experiment.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	const penalties = "[1, 1000, 10000, 100000]"
	var more []string
	for i := range c.Tasks / examplePart {
		more = append(more, fmt.Sprint(1+i))
	}
	text = bytes.Replace(text, []byte(penalties), []byte("["+strings.Join(more, ", ")+"]"), 1)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	c.File = file
	return load(file)
}

// judge compares what came of the two runs.
func (c *ChaosCmd) judge(ctx context.Context, s *session, p *plan, told *chaosTold) error {
	v, err := s.store.Verify(ctx, p.Experiment.Pool)
	if err != nil {
		return err
	}
	told.Findings = balanced(v)
	if failed := v.Counts[foldstream.Dead]; failed > 0 {
		told.Findings = append(told.Findings, fmt.Sprintf("%d tasks failed", failed))
	}
	if told.Ended > 0 {
		told.Findings = append(told.Findings, fmt.Sprintf("%d processes ended by themselves: see their logs", told.Ended))
	}
	for ev, err := range s.store.Events(ctx, foldstream.EventFilter{Pool: p.Experiment.Pool}, 0) {
		if err != nil {
			return err
		}
		if ev.Kind == foldstream.EventClaim {
			told.Attempts++
		}
	}
	var texts [2][]byte
	for i, name := range []string{"undisturbed", "disturbed"} {
		if texts[i], err = os.ReadFile(filepath.Join(c.Dir, name, "collection.csv")); err != nil {
			return err
		}
	}
	if !bytes.Equal(texts[0], texts[1]) {
		told.Findings = append(told.Findings, "the collection has other bytes than the undisturbed one")
	}
	return nil
}

func (t chaosTold) print(w io.Writer) {
	n := 0
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(t.Faults)) {
		n += t.Faults[kind]
		kinds = append(kinds, fmt.Sprintf("%d %s", t.Faults[kind], kind))
	}
	fmt.Fprintf(w, "seed %d: %d faults in %.0f s: %s\n", t.Seed, n, t.Seconds, strings.Join(kinds, ", "))
	fmt.Fprintf(w, "%d tasks in %d attempts; %d processes; %d late results refused; after a fault the next result came in %.2f s (median), %.2f s (at most)\n",
		t.Tasks, t.Attempts, t.Starts, t.Refused, t.Median, t.Max)
	for _, f := range t.Findings {
		fmt.Fprintf(w, "found: %s\n", f)
	}
	if len(t.Findings) == 0 {
		fmt.Fprintln(w, "nothing was lost, nothing was doubled, and the collection is the undisturbed one byte for byte")
	}
}
