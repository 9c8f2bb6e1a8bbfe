package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// CompletionCmd writes the script by which a shell completes the commands, flags and values of the program.
type CompletionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says how to load the script.
func (CompletionCmd) Help() string {
	return `Load it where your shell starts:

  bash  source <(foldstream completion bash)
  zsh   source <(foldstream completion zsh)
  fish  foldstream completion fish | source`
}

// Run writes the script.
func (c *CompletionCmd) Run(env *Env, k *kong.Context) error {
	write := map[string]func(io.Writer, string, []spot) error{"bash": writeBash, "zsh": writeZsh, "fish": writeFish}[c.Shell]
	return write(env.Stdout, k.Model.Name, spots(k.Model.Node))
}

// spot is a place on a command line: after a command's words, before its arguments.
type spot struct {
	path     string // the words, each after a slash; "" is the program itself
	children []word // the commands that may follow
	flags    []option
	args     []string // what the arguments may be: values, or files
	files    bool     // arguments are files
}

// word is a command with what it is for.
type word struct {
	names []string // the first is the command's own, the others its aliases
	help  string
}

// option is a flag.
type option struct {
	names  []string // "--json", "-j"
	help   string
	takes  bool     // a value follows
	values []string // those there are; nil is any
	files  bool     // the value is a file
}

// spots lists the places of a grammar, the program's own first.
func spots(n *kong.Node) []spot {
	all := []spot{spotOf(n)}
	for _, child := range n.Children {
		if !child.Hidden {
			all = append(all, spots(child)...)
		}
	}
	return all
}

func spotOf(n *kong.Node) spot {
	s := spot{path: pathOf(n)}
	for _, child := range n.Children {
		if !child.Hidden {
			s.children = append(s.children, word{append([]string{child.Name}, child.Aliases...), child.Help})
		}
	}
	for _, group := range n.AllFlags(true) {
		for _, flag := range group {
			s.flags = append(s.flags, optionOf(flag))
		}
	}
	for _, arg := range n.Positional {
		s.args = append(s.args, enumOf(arg)...)
		s.files = s.files || isFile(arg)
	}
	return s
}

func pathOf(n *kong.Node) string {
	if n.Parent == nil {
		return ""
	}
	return pathOf(n.Parent) + "/" + n.Name
}

func optionOf(flag *kong.Flag) option {
	o := option{
		names: []string{"--" + flag.Name}, help: flag.Help, takes: !flag.IsBool() && !flag.IsCounter(),
		values: enumOf(flag.Value), files: isFile(flag.Value),
	}
	if flag.Short != 0 {
		o.names = append(o.names, "-"+string(flag.Short))
	}
	return o
}

func enumOf(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return v.EnumSlice()
}

// isFile reports whether a value names a file: by its type, by its placeholder, or by its own name.
func isFile(v *kong.Value) bool {
	return slices.Contains([]string{"path", "existingfile", "existingdir"}, v.Tag.Type) || v.Tag.PlaceHolder == "FILE" || v.Tag.PlaceHolder == "DIR" || v.Name == "file"
}

// steps writes how a word leads from a place to the next, as the cases of a shell: pattern PATH/WORD.
func steps(all []spot, one func(patterns []string, to string)) {
	for _, s := range all {
		for _, child := range s.children {
			patterns := make([]string, len(child.names))
			for i, name := range child.names {
				patterns[i] = s.path + "/" + name
			}
			one(patterns, s.path+"/"+child.names[0])
		}
	}
}

// firsts returns the commands that may follow, without their aliases.
func (s spot) firsts() (names []string) {
	for _, child := range s.children {
		names = append(names, child.names[0])
	}
	return names
}

func (s spot) flagNames() (names []string) {
	for _, o := range s.flags {
		names = append(names, o.names...)
	}
	return names
}

// script collects lines and remembers the first error.
type script struct {
	w   io.Writer
	err error
}

func (s *script) f(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format+"\n", args...)
	}
}

// quoted writes a text as one word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
