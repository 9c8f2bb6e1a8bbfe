package cli

import (
	"io"
	"strings"
)

// writeZsh writes the script for zsh, which shows what each command and flag is for.
func writeZsh(w io.Writer, name string, all []spot) error {
	s := &script{w: w}
	s.f("#compdef %s", name)
	s.f("_%s() {", name)
	s.f(`  local cur=${words[CURRENT]} prev=${words[CURRENT-1]} at= i`)
	s.f(`  if [[ $cur == --*=* ]]; then prev=${cur%%%%=*}; compset -P '*='; cur=; fi`)
	s.f(`  for ((i = 2; i < CURRENT; i++)); do`)
	s.f(`    case "$at/${words[i]}" in`)
	steps(all, func(patterns []string, to string) { s.f("      %s) at=%s ;;", strings.Join(patterns, "|"), to) })
	s.f(`    esac`)
	s.f(`  done`)
	s.f(`  local -a found`)
	s.f(`  case "$at:$prev" in`)
	for _, p := range all {
		for _, o := range p.flags {
			if o.takes {
				s.f("    %s) %s ;;", p.patterns(o), zshValue(o))
			}
		}
	}
	s.f("    *)")
	s.f(`      case "$at" in`)
	for _, p := range all {
		s.f("        %s)", quoted(p.path))
		s.f("          if [[ $cur == -* ]]; then")
		s.f("            found=(%s)", strings.Join(p.zshFlags(), " "))
		s.f("            _describe -o flag found")
		s.f("          else")
		s.zshWords(p)
		s.f("          fi ;;")
	}
	s.f("      esac ;;")
	s.f("  esac")
	s.f("}")
	s.f("compdef _%s %s", name, name)
	return s.err
}

func zshValue(o option) string {
	switch {
	case o.files:
		return "_files"
	case len(o.values) > 0:
		return "compadd -- " + strings.Join(o.values, " ")
	}
	return "_message " + quoted(o.help)
}

func (p spot) zshFlags() (out []string) {
	for _, o := range p.flags {
		for _, name := range o.names {
			out = append(out, zshItem(name, o.help))
		}
	}
	return out
}

func (s *script) zshWords(p spot) {
	var items []string
	for _, child := range p.children {
		items = append(items, zshItem(child.names[0], child.help))
	}
	for _, arg := range p.args {
		items = append(items, quoted(arg))
	}
	if len(items) > 0 {
		s.f("            found=(%s)", strings.Join(items, " "))
		s.f("            _describe command found")
	}
	if p.files {
		s.f("            _files")
	}
	if len(items) == 0 && !p.files {
		s.f("            :")
	}
}

// zshItem writes a word with what it is for; a colon parts the two.
func zshItem(name, help string) string {
	return quoted(strings.ReplaceAll(name, ":", `\:`) + ":" + help)
}
