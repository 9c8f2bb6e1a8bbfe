package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/foldstream/foldstream"
)

// ConfigCmd is the commands that look at the settings.
type ConfigCmd struct {
	Show ConfigShowCmd `cmd:"" aliases:"info,view" help:"Show what each setting is and where it comes from."`
	Path ConfigPathCmd `cmd:"" help:"Show which file of settings is read."`
}

// ConfigShowCmd shows the settings that commands share, and those of single commands that the file sets; or all of one command.
type ConfigShowCmd struct {
	Connection
	Output
	Command []string `arg:"" optional:"" help:"Command whose settings to show: consumer run."`
	Origin  bool     `help:"Say where each value comes from: the flag, the variable, the place in the file, the default."`
}

// setting is one flag with its effective value.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// Run prints a line a setting. Secrets are not shown.
func (c *ConfigShowCmd) Run(env *Env, k *kong.Context, s *Settings) error {
	var found []setting
	if len(c.Command) == 0 {
		found = append(settingsOf(k, s.file, k.Selected(), ""), singled(k, s.file)...)
	} else {
		n, err := commandNamed(strings.Fields(strings.Join(c.Command, " ")))
		if err != nil {
			return err
		}
		found = settingsOf(k, s.file, n, commandPath(n))
	}
	hideSecrets(found)
	if c.JSON {
		return printJSON(env.Stdout, found)
	}
	for _, one := range found {
		line := one.Name + ": " + one.Value
		if c.Origin {
			line = fmt.Sprintf("%-40s # %s", line, one.Origin)
		}
		fmt.Fprintln(env.Stdout, strings.TrimRight(line, " "))
	}
	return nil
}

// settingsOf returns the settings of a command's flags in the grammar's order. command is how the file calls it; "" looks only at what
// is set for all commands, and leaves out the flags that are this command's alone.
func settingsOf(k *kong.Context, f *configFile, n *kong.Node, command string) []setting {
	var found []setting
	for _, flag := range n.Flags {
		if command == "" && (flag.Group == nil && flag.Name != "json" && flag.Name != "verbose") {
			continue
		}
		found = append(found, settingOf(k, f, command, flag))
	}
	return found
}

func settingOf(k *kong.Context, f *configFile, command string, flag *kong.Flag) setting {
	s := setting{Name: flag.Name, Value: flag.Default, Origin: "default"}
	if flag.IsBool() && s.Value == "" {
		s.Value = "false"
	}
	if v, ok := f.lookup(command, flag); ok {
		s.Value, s.Origin = v.text, v.at
	}
	if name, ok := envOf(flag); ok {
		s.Value, s.Origin = os.Getenv(name), "env "+name
	}
	for _, p := range k.Path {
		if p.Flag != nil && p.Flag.Name == flag.Name && !p.Resolved {
			s.Value, s.Origin = fmt.Sprint(k.FlagValue(p.Flag)), "flag"
		}
	}
	return s
}

// singled returns the settings that the file makes for single commands, in order of their names.
func singled(k *kong.Context, f *configFile) []setting {
	var found []setting
	for _, leaf := range model().Leaves(true) {
		command := commandPath(leaf)
		for _, group := range leaf.AllFlags(false) {
			for _, flag := range group {
				if f.sets(command, flag.Name) {
					one := settingOf(k, f, command, flag)
					one.Name = command + "." + one.Name
					found = append(found, one)
				}
			}
		}
	}
	return found
}

// commandNamed finds a command of the person's tool by its words, aliases too.
func commandNamed(words []string) (*kong.Node, error) {
	n := model().Node
next:
	for i, word := range words {
		for _, child := range n.Children {
			if child.Name == word || slices.Contains(child.Aliases, word) {
				n = child
				continue next
			}
		}
		var names []string
		for _, child := range n.Children {
			names = append(names, child.Name)
		}
		return nil, foldstream.Errorf(foldstream.NotFound, "", "there is no command %q%s", strings.Join(words[:i+1], " "), hint(word, names))
	}
	return n, nil
}

// ConfigPathCmd shows which file is read.
type ConfigPathCmd struct {
	Output
}

// Run prints the file's path. Errors: NotFound, naming the places that were tried.
func (c *ConfigPathCmd) Run(env *Env, s *Settings) error {
	if s.file == nil {
		return foldstream.Errorf(foldstream.NotFound, "", "there is no file of settings: looked for %s", strings.Join(configPlaces(), ", "))
	}
	if c.JSON {
		return printJSON(env.Stdout, map[string]string{"path": s.file.path})
	}
	_, err := fmt.Fprintln(env.Stdout, s.file.path)
	return err
}
