package exec

import (
	"os"
	"slices"
	"strings"
)

// inherited are the variables of the consumer that every command gets: what programs need to find each other, their user's home
// and how to write numbers and times. A name that ends in * stands for all that begin so. All others, with the
// consumer's credentials among them, stay with the consumer.
var inherited = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ",
	"SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", // of Windows
}

// environment returns the variables of a command: what is inherited, what is passed besides, and what is set, which comes last and so
// counts.
func environment(all, pass []string, set map[string]string) []string {
	var env []string
	for _, v := range all {
		name, _, _ := strings.Cut(v, "=")
		if isNamed(name, inherited) || isNamed(name, pass) {
			env = append(env, v)
		}
	}
	for name, value := range set {
		env = append(env, name+"="+value)
	}
	return env
}

func isNamed(name string, names []string) bool {
	return name != "" && slices.ContainsFunc(names, func(n string) bool {
		begin, isPattern := strings.CutSuffix(n, "*")
		return name == n || isPattern && strings.HasPrefix(name, begin)
	})
}

// Missing returns those of the names of Worker.PassEnv that no variable of this process has.
func Missing(pass []string) (missing []string) {
	for _, n := range pass {
		if !slices.ContainsFunc(os.Environ(), func(v string) bool {
			name, _, _ := strings.Cut(v, "=")
			return isNamed(name, []string{n})
		}) {
			missing = append(missing, n)
		}
	}
	return missing
}
