package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
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
	Servers     int           `default:"1" help:"Servers of its own: 1, or 3 or 5 that replicate all. None where --server names one."`
	Consumers   int           `default:"3" help:"Processes that work."`
	Aggregators int           `default:"2" help:"Processes that fold."`
	Dir         string        `type:"path" placeholder:"DIR" help:"Folder for stores and logs; default: a temporary one, which is kept where something was found."`
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
	if c.Servers%2 == 0 || c.Servers < 1 || c.Servers > 5 {
		return foldstream.Errorf(foldstream.Invalid, "", "--servers %d is none of 1, 3, 5", c.Servers)
	}
	if c.File == "" && (c.Tasks < examplePart || c.Tasks%examplePart != 0) {
		return foldstream.Errorf(foldstream.Invalid, "", "--tasks %d is no multiple of %d", c.Tasks, examplePart)
	}
	if c.Pause < 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "--pause %v is below 0", c.Pause)
	}
	if c.Server == "" {
		c.Replicas = c.Servers
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()>>11 + 1 // as large as a number in JSON may be
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
	told.Report, err = stage.Play(ctx, &chaosPool{s.store, p, bar})
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
	told.Attempts, told.Findings, err = c.judge(ctx, s, p, told.Ended)
	return told, err
}

// open sets the stage, and connects to its server past all disturbance.
func (c *ChaosCmd) open(ctx context.Context, env *Env, p *plan) (*chaos.Stage, *session, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	stage, err := chaos.Open(ctx, chaos.Config{
		Program: program, Dir: filepath.Join(c.Dir, "chaos"), File: c.File, Pool: p.Experiment.Pool, Env: c.forwarded(), Server: c.Server,
		Servers: c.Servers, Seed: c.Seed, Faults: c.Faults, Pause: c.Pause, Consumers: c.Consumers, Aggregators: c.Aggregators,
		Hangs: limited(p.Tasks), Log: c.logger(env),
	})
	if err != nil {
		return nil, nil, err
	}
	direct := c.Connection
	direct.Server = stage.URL()
	for end := time.Now().Add(electTime); ; {
		s, err := direct.dial(ctx, c.logger(env))
		if err == nil {
			return stage, s, nil
		}
		if c.Server != "" || ctx.Err() != nil || time.Now().After(end) {
			stage.Close()
			return nil, nil, err
		}
	}
}

// electTime is how long the servers of a cluster may take to agree on who leads.
const electTime = time.Minute

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

// judge compares what came of the two runs. What it found before an error counts; where it found nothing then, that is nil.
func (c *ChaosCmd) judge(ctx context.Context, s *session, p *plan, ended int) (attempts int, findings []string, err error) {
	v, err := s.store.Verify(ctx, p.Experiment.Pool)
	if err != nil {
		return 0, nil, err
	}
	findings = balanced(v)
	if failed := v.Counts[foldstream.Dead]; failed > 0 {
		findings = append(findings, fmt.Sprintf("%d tasks failed", failed))
	}
	if ended > 0 {
		findings = append(findings, fmt.Sprintf("%d processes ended by themselves: see their logs", ended))
	}
	for ev, err := range s.store.Events(ctx, foldstream.EventFilter{Pool: p.Experiment.Pool}, 0) {
		if err != nil {
			return attempts, findings, err
		}
		if ev.Kind == foldstream.EventClaim {
			attempts++
		}
	}
	var texts [2][]byte
	for i, name := range []string{"undisturbed", "disturbed"} {
		if texts[i], err = os.ReadFile(filepath.Join(c.Dir, name, "collection.csv")); err != nil {
			return attempts, findings, err
		}
	}
	if !bytes.Equal(texts[0], texts[1]) {
		findings = append(findings, "the collection has other bytes than the undisturbed one")
	}
	return attempts, append([]string{}, findings...), nil
}
