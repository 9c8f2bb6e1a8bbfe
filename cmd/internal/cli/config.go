package cli

import (
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/foldstream/foldstream"
)

// Settings is what every program has at its root: the file that sets flags. A flag on the command line comes before the
// environment, the environment before the file, the file before the default.
type Settings struct {
	Config string `env:"FOLDSTREAM_CONFIG" placeholder:"FILE" help:"File that sets flags; default: ./.foldstream.yaml, then foldstream/config.yaml in the user's and in the machine's configuration folder."`

	asked bool
	file  *configFile // nil where there is none
}

// resolve reads the file and lets it speak for the flags that neither the command line nor the environment sets.
// kong calls it for every word of the command line; the first call does it all.
func (s *Settings) resolve(c *kong.Context) (err error) {
	if s.asked {
		return nil
	}
	s.asked = true
	if s.file, err = loadConfig(namedConfig(c)); err != nil {
		return err
	}
	c.AddResolver(kong.ResolverFunc(func(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
		if _, ok := envOf(flag); ok {
			return nil, nil
		}
		v, _ := s.file.lookup(commandPath(parent.Node()), flag)
		return v.value, nil
	}))
	return nil
}

// namedConfig returns the file that --config or its variable names, "" where neither does.
func namedConfig(c *kong.Context) string {
	for _, flag := range c.Model.Flags {
		if flag.Name == "config" {
			name, _ := c.FlagValue(flag).(string)
			return name
		}
	}
	return ""
}

// envOf returns the name of the set environment variable that a flag obeys. As for kong, a variable that is set to nothing is set.
func envOf(flag *kong.Flag) (string, bool) {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return name, true
		}
	}
	return "", false
}

// commandPath returns how the settings file calls a command: its words in the person's tool, joined by dots. The commands of a
// service are there under the service's name.
func commandPath(n *kong.Node) string {
	var words []string
	for ; n != nil; n = n.Parent {
		if n.Type == kong.CommandNode || n.Name != personsTool {
			words = append([]string{n.Name}, words...)
		}
	}
	return strings.Join(words, ".")
}

// personsTool is the program that has the commands of all.
const personsTool = "foldstream"

// usage reports an error of the command line or of the settings, with its exit code.
func usage(env *Env, name string, err error) int {
	if foldstream.Is(err, foldstream.Invalid) { // it says all there is to say
		return finish(env, name, err)
	}
	return finish(env, name, foldstream.Errorf(foldstream.Invalid, "", "%w (see %s --help)", err, name))
}
