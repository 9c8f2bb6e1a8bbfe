package cli

import (
	"io"
	"strings"
)

// writeBash writes the script for bash. It needs nothing but bash itself: words are followed down the grammar, then
// the flags, values or files that fit are offered.
func writeBash(w io.Writer, name string, all []spot) error {
	s := &script{w: w}
	s.f("# bash completion of %s", name)
	s.f("_%s() {", name)
	s.f(`  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= i`)
	s.f(`  COMPREPLY=()`)
	s.f(`  if [[ $cur == "=" ]]; then cur=; elif [[ $prev == "=" ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi`)
	s.f(`  for ((i = 1; i < COMP_CWORD; i++)); do`)
	s.f(`    case "$path/${COMP_WORDS[i]}" in`)
	steps(all, func(patterns []string, to string) { s.f("      %s) path=%s ;;", strings.Join(patterns, "|"), to) })
	s.f(`    esac`)
	s.f(`  done`)
	s.f(`  local words= files=`)
	s.f(`  case "$path:$prev" in`)
	for _, p := range all {
		for _, o := range p.flags {
			if o.takes {
				s.f("    %s) %s", p.patterns(o), bashValue(o))
			}
		}
	}
	s.f("    *)")
	s.f(`      case "$path" in`)
	for _, p := range all {
		s.f("        %s) %s ;;", quoted(p.path), bashWords(p))
	}
	s.f("      esac ;;")
	s.f("  esac")
	s.f(`  COMPREPLY=($(compgen -W "$words" -- "$cur"))`)
	s.f(`  if [[ -n $files ]]; then COMPREPLY+=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null; fi`)
	s.f("  return 0")
	s.f("}")
	s.f("complete -F _%s %s", name, name)
	return s.err
}

// patterns returns the cases "the flag was the word before, at this place".
func (p spot) patterns(o option) string {
	out := make([]string, len(o.names))
	for i, name := range o.names {
		out[i] = p.path + ":" + name
	}
	return strings.Join(out, "|")
}

func bashValue(o option) string {
	switch {
	case o.files:
		return "files=1 ;;"
	case len(o.values) > 0:
		return "words=" + quoted(strings.Join(o.values, " ")) + " ;;"
	}
	return ";;"
}

func bashWords(p spot) string {
	out := "if [[ $cur == -* ]]; then words=" + quoted(strings.Join(p.flagNames(), " "))
	out += "; else words=" + quoted(strings.Join(append(p.firsts(), p.args...), " "))
	if p.files {
		out += " files=1"
	}
	return out + "; fi"
}
