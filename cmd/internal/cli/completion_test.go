package cli_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/foldstream/foldstream/cmd/internal/cli"
)

// completed asks a real bash what it would offer for each of the lines; the last word is the one being typed.
func completed(t *testing.T, lines ...string) [][]string {
	t.Helper()
	script := command(t, nil, "completion", "bash").stdout
	for _, line := range lines {
		script += "COMP_WORDS=(" + line + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _foldstream; echo \"${COMPREPLY[*]}\"\n"
	}
	shell := exec.Command("bash", "--noprofile", "--norc")
	shell.Stdin = strings.NewReader(script)
	shell.Dir = t.TempDir()
	write(t, shell.Dir+"/experiment.yaml", "")
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(lines) {
		t.Fatalf("%d answers to %d lines:\n%s", len(answers), len(lines), out)
	}
	found := make([][]string, len(lines))
	for i, a := range answers {
		found[i] = strings.Fields(a)
	}
	return found
}

func TestBashCompletes(t *testing.T) {
	cases := []struct{ line, want string }{
		{`foldstream can`, "cancel"},
		{`foldstream task ''`, "add replace list show history logs"},
		{`foldstream rm p --whe`, "--where"}, // an alias leads where the command does
		{`foldstream task ls p --status ''`, "waiting running part_done done failed cancelled removed"},
		{`foldstream task ls p --status = fa`, "failed"}, // as bash splits --status=fa
		{`foldstream completion ''`, "bash zsh fish"},
		{`foldstream run ''`, "experiment.yaml"},
		{`foldstream run --config exp`, "experiment.yaml"},
		{`foldstream stat --timeout ''`, ""}, // a value nobody can know
		{`foldstream demo --fil`, ""},        // a hidden flag
		{`foldstream consumer run --conc`, "--concurrency"},
		{`foldstream -v task ''`, "add replace list show history logs"}, // a flag before the command
		{`foldstream nothing ''`, strings.Join(completed(t, `foldstream ''`)[0], " ")},
	}
	lines := make([]string, len(cases))
	for i, c := range cases {
		lines[i] = c.line
	}
	for i, got := range completed(t, lines...) {
		if strings.Join(got, " ") != cases[i].want {
			t.Errorf("%s: %v, not %s", cases[i].line, got, cases[i].want)
		}
	}
}

// Every command and every flag of the grammar is offered where it may stand.
func TestBashCompletesTheWholeGrammar(t *testing.T) {
	var lines []string
	var want [][]string
	each(t, func(words string, n *kong.Node) {
		var names []string
		for _, child := range shown(n) {
			names = append(names, child.Name)
		}
		if len(names) > 0 {
			lines, want = append(lines, words+" ''"), append(want, names)
		}
		var flags []string
		for _, group := range n.AllFlags(true) {
			for _, f := range group {
				flags = append(flags, "--"+f.Name)
			}
		}
		lines, want = append(lines, words+" --"), append(want, flags)
	})
	for i, got := range completed(t, lines...) {
		for _, w := range want[i] {
			if !slices.Contains(got, w) {
				t.Errorf("%s does not offer %s but %v", lines[i], w, got)
			}
		}
	}
}

// each visits the places of the grammar with the words that lead there.
func each(t *testing.T, visit func(words string, n *kong.Node)) {
	t.Helper()
	k, err := kong.New(&cli.Foldstream{}, kong.Name("foldstream"), kong.Vars{"version": "", "cpus": "1"})
	ok(t, err)
	var walk func(words string, n *kong.Node)
	walk = func(words string, n *kong.Node) {
		visit(words, n)
		for _, child := range shown(n) {
			walk(words+" "+child.Name, child)
		}
	}
	walk("foldstream", k.Model.Node)
}

// shown returns the commands that are for people.
func shown(n *kong.Node) []*kong.Node {
	return slices.DeleteFunc(slices.Clone(n.Children), func(child *kong.Node) bool { return child.Hidden })
}

func TestZshAndFishNameTheWholeGrammar(t *testing.T) {
	zsh, fish := command(t, nil, "completion", "zsh").stdout, command(t, nil, "completion", "fish").stdout
	each(t, func(words string, n *kong.Node) {
		path := strings.ReplaceAll(strings.TrimPrefix(words, "foldstream"), " ", "/")
		if !strings.Contains(zsh, "        '"+path+"')\n") {
			t.Errorf("zsh does not know %q", path)
		}
		if path == "" {
			path = `""`
		}
		for _, group := range n.AllFlags(true) {
			for _, f := range group {
				if want := "complete -c foldstream -n '__foldstream_at " + path + "' -l " + f.Name + " "; !strings.Contains(fish, want) {
					t.Errorf("fish lacks %s", want)
				}
				if !strings.Contains(zsh, "'--"+f.Name+":"+strings.ReplaceAll(f.Help, "'", `'\''`)+"'") {
					t.Errorf("zsh lacks --%s of %s", f.Name, path)
				}
			}
		}
	})
	for want, text := range map[string]string{
		"/task/list:--status) compadd -- waiting running part_done done failed cancelled removed ;;": zsh,
		"/task/list|/task/ls|/task/query) at=/task/list ;;":                                          zsh,
		"case /task/list /task/ls /task/query; set path /task/list":                                  fish,
		"'__foldstream_at /completion' -a 'bash zsh fish'":                                           fish,
		"-l status -x -a 'waiting running part_done done failed cancelled removed'":                  fish,
		"-l creds -rF": fish,
		"-l json -s j": fish,
		"complete -c foldstream -n '__foldstream_at /run' -F": fish,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not there: %s", want)
		}
	}
}

// Each shell that this machine has can read its script; bash it has.
func TestShellsReadTheirScripts(t *testing.T) {
	read := 0
	for _, shell := range []string{"bash", "zsh", "fish"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		read++
		file := write(t, t.TempDir()+"/completion", command(t, nil, "completion", shell).stdout)
		if out, err := exec.Command(path, "-n", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", shell, err, out)
		}
	}
	if read == 0 {
		t.Error("no shell was asked")
	}
	command(t, nil, "completion", "tcsh").says(t, 2, "tcsh")
}
