package cli

import (
	"io"
	"strings"
)

// writeFish writes the script for fish, which shows what each command and flag is for.
func writeFish(w io.Writer, name string, all []spot) error {
	s := &script{w: w}
	at := "__" + name + "_at"
	s.f("# fish completion of %s", name)
	s.f("function %s", at)
	s.f("  set -l path ''")
	s.f("  for word in (commandline -opc)[2..-1]")
	s.f(`    switch "$path/$word"`)
	steps(all, func(patterns []string, to string) { s.f("      case %s; set path %s", strings.Join(patterns, " "), to) })
	s.f("    end")
	s.f("  end")
	s.f(`  test "$path" = "$argv[1]"`)
	s.f("end")
	s.f("complete -c %s -f", name)
	for _, p := range all {
		when := "complete -c " + name + " -n " + quoted(at+" "+fishPath(p.path))
		for _, child := range p.children {
			s.f("%s -a %s -d %s", when, child.names[0], quoted(child.help))
		}
		if len(p.args) > 0 {
			s.f("%s -a %s", when, quoted(strings.Join(p.args, " ")))
		}
		if p.files {
			s.f("%s -F", when)
		}
		for _, o := range p.flags {
			s.f("%s%s -d %s", when, fishFlag(o), quoted(o.help))
		}
	}
	return s.err
}

func fishPath(path string) string {
	if path == "" {
		return `""`
	}
	return path
}

func fishFlag(o option) string {
	out := ""
	for _, name := range o.names {
		if long, ok := strings.CutPrefix(name, "--"); ok {
			out += " -l " + long
		} else {
			out += " -s " + name[1:]
		}
	}
	switch {
	case o.files:
		return out + " -rF"
	case len(o.values) > 0:
		return out + " -x -a " + quoted(strings.Join(o.values, " "))
	case o.takes:
		return out + " -x"
	}
	return out
}
