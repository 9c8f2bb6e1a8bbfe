package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/foldstream/foldstream"
)

// configFile is a file of settings, read and checked.
type configFile struct {
	path   string
	values map[string]map[string]configValue // by command ("" is all commands), then by flag
}

// configValue is what the file sets one flag to.
type configValue struct {
	value any // a string, or a list or map of strings, as kong reads them
	text  string
	at    string // FILE:LINE
}

// lookup returns what the file sets a command's flag to: a word for the command itself comes before one for all. The tag "setting" of
// a flag says by which word for all it is meant, where that is not its name: "own" is none.
func (f *configFile) lookup(command string, flag *kong.Flag) (configValue, bool) {
	if f == nil {
		return configValue{}, false
	}
	if v, ok := f.values[command][flag.Name]; ok {
		return v, true
	}
	word := cmp.Or(flag.Tag.Get("setting"), flag.Name)
	v, ok := f.values[""][word]
	return v, ok && word != ownSetting
}

// ownSetting marks a flag that no word for all commands means.
const ownSetting = "own"

// sets reports whether the file sets a flag for that command alone.
func (f *configFile) sets(command, flag string) bool {
	if f == nil {
		return false
	}
	_, ok := f.values[command][flag]
	return ok
}

// configPlaces returns where a file of settings is looked for when none is named, in order.
func configPlaces() []string {
	user := os.Getenv("XDG_CONFIG_HOME")
	if user == "" {
		if home, err := os.UserHomeDir(); err == nil {
			user = filepath.Join(home, ".config")
		}
	}
	places := []string{".foldstream.yaml"}
	if user != "" {
		places = append(places, filepath.Join(user, "foldstream", "config.yaml"))
	}
	return append(places, "/etc/foldstream/config.yaml")
}

// loadConfig reads the named file, or else the first that there is, nil where there is none. Errors: Invalid.
func loadConfig(named string) (*configFile, error) {
	places := configPlaces()
	if named != "" {
		places = []string{named}
	}
	for _, path := range places {
		data, err := readConfig(path)
		switch {
		case err == nil:
			return parseConfig(path, data)
		case named != "" || !errors.Is(err, fs.ErrNotExist):
			return nil, fileError("settings", path, err)
		}
	}
	return nil, nil
}

// maxConfig is far above the settings of all flags.
const maxConfig = 1 << 20

func readConfig(path string) ([]byte, error) {
	f, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if len(data) > maxConfig {
		err = fmt.Errorf("it is longer than %d bytes", maxConfig)
	}
	return data, err
}

// parseConfig reads settings and checks every key and value by the grammar of the person's tool, which has all commands.
func parseConfig(path string, data []byte) (*configFile, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "%s", yamlFault(path, err))
	}
	f := &configFile{path: path, values: map[string]map[string]configValue{}}
	if len(doc.Content) == 0 {
		return f, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, f.fault(root, "settings are a map of flags and commands")
	}
	return f, f.read(root, grammar())
}

// yamlFault puts the line that a YAML error names where people and editors look for it.
func yamlFault(path string, err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if n, scanErr := fmt.Sscanf(text, "line %d:", &line); n == 1 && scanErr == nil {
		_, text, _ = strings.Cut(text, ": ")
	}
	return fmt.Sprintf("%s:%d:1: %s", path, line, text)
}

// grammar returns the flags that each command of the person's tool has, by the command's path; "" has those of all commands.
var grammar = sync.OnceValue(func() map[string]map[string]*kong.Flag {
	all := map[string]map[string]*kong.Flag{"": {}}
	for _, leaf := range model().Leaves(true) {
		flags := map[string]*kong.Flag{}
		for _, group := range leaf.AllFlags(false) {
			for _, flag := range group {
				if flag.Name != "help" && flag.Name != "config" {
					flags[flag.Name] = flag
					if !flag.Tag.Has("setting") { // it goes by another word, or by none
						all[""][flag.Name] = flag
					}
				}
			}
		}
		all[commandPath(leaf)] = flags
	}
	return all
})

func (f *configFile) read(root *yaml.Node, known map[string]map[string]*kong.Flag) error {
	for i := 0; i < len(root.Content); i += 2 {
		key, v := root.Content[i], root.Content[i+1]
		flags, command := known[key.Value]
		switch {
		case command && key.Value != "" && v.Kind == yaml.MappingNode:
			if err := f.readCommand(key.Value, v, flags); err != nil {
				return err
			}
		case command && key.Value != "" && known[""][key.Value] == nil:
			return f.fault(v, "%s: a command's settings are a map of its flags", key.Value)
		default:
			var commands []string
			if v.Kind == yaml.MappingNode {
				commands = slices.Sorted(maps.Keys(known))
			}
			if err := f.set("", key, v, known[""], commands); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *configFile) readCommand(command string, v *yaml.Node, flags map[string]*kong.Flag) error {
	for i := 0; i < len(v.Content); i += 2 {
		if err := f.set(command, v.Content[i], v.Content[i+1], flags, nil); err != nil {
			return err
		}
	}
	return nil
}

// set takes one key. The value is read by the flag's own reader, so that a bad one is refused here, with its place.
func (f *configFile) set(command string, key, v *yaml.Node, flags map[string]*kong.Flag, others []string) error {
	flag := flags[key.Value]
	if flag == nil {
		return f.fault(key, "%s: unknown setting%s", key.Value, hint(key.Value, append(others, slices.Sorted(maps.Keys(flags))...)))
	}
	if _, twice := f.values[command][key.Value]; twice {
		return f.fault(key, "%s: stands twice", key.Value)
	}
	value, text, ok := plainYAML(v)
	if !ok {
		return f.fault(v, "%s: the value of a flag is a word, a list or a map of words", key.Value)
	}
	if err := accepts(flag, value); err != nil {
		return f.fault(v, "%s", strings.TrimPrefix(err.Error(), "--"))
	}
	if f.values[command] == nil {
		f.values[command] = map[string]configValue{}
	}
	f.values[command][key.Value] = configValue{value: value, text: text, at: fmt.Sprintf("%s:%d", f.path, key.Line)}
	return nil
}

func (f *configFile) fault(n *yaml.Node, format string, args ...any) error {
	return foldstream.Errorf(foldstream.Invalid, "", "%s:%d:%d: %s", f.path, n.Line, n.Column, fmt.Sprintf(format, args...))
}
