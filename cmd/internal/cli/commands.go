package cli

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work"
	"github.com/foldstream/foldstream/work/exec"
)

// Commands is the flags by which whoever runs a worker says what the commands of tasks get and may take.
type Commands struct {
	PassEnv    []string `group:"Commands" placeholder:"NAME" help:"Variables of this process that commands get besides PATH, HOME, the locale and the time zone; a * at the end stands for any rest."`
	Memory     Size     `name:"command-memory" group:"Commands" placeholder:"SIZE" help:"Memory that one process of a command may have: 512M, 8G; Linux only."`
	FileSize   Size     `name:"command-file-size" group:"Commands" placeholder:"SIZE" help:"Size of a file that a command may write; Linux only."`
	KeepFailed bool     `group:"Commands" help:"Keep the folders of commands that failed; the error says where."`
}

func (c Commands) limits() exec.Limits {
	return exec.Limits{Memory: int64(c.Memory), File: int64(c.FileSize)}
}

// workers returns the workers that there are; allow decides which commands may be run.
func (c Commands) workers(allow func(foldstream.Task) error, log *slog.Logger) work.Registry {
	if missing := exec.Missing(c.PassEnv); len(missing) > 0 {
		log.Warn("--pass-env names variables that are not set", "names", strings.Join(missing, " "))
	}
	workers := work.Builtin()
	workers["exec"] = &exec.Worker{Allow: allow, PassEnv: c.PassEnv, Limits: c.limits(), Keep: c.KeepFailed}
	return workers
}

// othersPause is how long a command of somebody else's waits until it is offered again.
const othersPause = 30 * time.Second

// allows decides for the one who runs this file: the commands of its own tasks, on the data that it names. On a server that is shared the
// pool may have others, which are left to those who made them.
func (p *plan) allows() func(foldstream.Task) error {
	ours := make(map[foldstream.TaskID]bool, len(p.Tasks))
	for _, t := range p.Tasks {
		ours[t.ID] = true
	}
	return func(t foldstream.Task) error {
		same := slices.EqualFunc(t.Data, p.data, func(a, b foldstream.Data) bool { return a.Name == b.Name && a.Digest == b.Digest })
		if ours[t.ID] && same {
			return nil
		}
		return foldstream.Snooze(othersPause, "it is no task of "+p.Experiment.Source)
	}
}

// Size is a number of bytes as people write it: 512M, 8GiB. Its units are powers of 1024.
type Size int64

// UnmarshalText reads a size above 0.
func (s *Size) UnmarshalText(text []byte) error {
	number := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(string(text)), "B"), "I")
	shift := 0
	if i := strings.IndexAny(number, "KMGT"); i >= 0 && i == len(number)-1 {
		shift = 10 * (1 + strings.IndexByte("KMGT", number[i]))
		number = number[:i]
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > 1<<(62-shift) {
		return foldstream.Errorf(foldstream.Invalid, "", "size %q is not a number of bytes such as 512M or 8G", text)
	}
	*s = Size(n << shift)
	return nil
}

// allowance is how a consumer allows the command of the plan's tasks; "" where they have none. Words that are scripts are left out.
func (p *plan) allowance() string {
	if len(p.Tasks) == 0 || p.Tasks[0].Worker != "exec" {
		return ""
	}
	section, _ := p.Tasks[0].Task["exec"].(map[string]any)
	list, _ := section["command"].([]any)
	var words []string
	for _, v := range list {
		word, ok := v.(string)
		if !ok || word == "" || strings.ContainsAny(word, " \t\n'") {
			break
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}
