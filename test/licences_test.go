package test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write docs/licences.md anew instead of comparing")

// licences are the licences that a program of ours may be made of, by sentences that only they have. All of the sentences must be there.
var licences = []struct {
	name     string
	sentence []string
}{
	{"Apache-2.0", []string{"apache license", "version 2.0, january 2004"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "may be used to endorse or promote products derived from"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms"}},
	{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy"}},
	{"ISC", []string{"permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"}},
	{"Unlicense", []string{"this is free and unencumbered software released into the public domain"}},
	{"FTL, at our choice", []string{"your choice of exactly one of the following two licenses", "the freetype license"}},
	{"MPL-2.0", []string{"mozilla public license", "2.0"}},
}

// testsOnly are licences that bind who hands the program on, and so may be in tests alone.
var testsOnly = []string{"MPL-2.0"}

// never are words of licences that nothing of ours may be made of.
var never = []string{"gnu general public license", "gnu affero", "gnu lesser", "server side public license", "business source license", "commons clause", "creative commons attribution-noncommercial"}

// namesOthers reports whether a licence names those that are never ours: as secondary ones, or as another choice.
func namesOthers(name string) bool { return name == "MPL-2.0" || strings.HasPrefix(name, "FTL") }

// classify returns the licences that a text is, or why it is none that may be.
func classify(text string) ([]string, error) {
	plain := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	var found []string
	for _, l := range licences {
		missing := slices.ContainsFunc(l.sentence, func(s string) bool { return !strings.Contains(plain, s) })
		begins := l.name == "BSD-2-Clause" && slices.Contains(found, "BSD-3-Clause") // the one is the beginning of the other
		if !missing && !begins {
			found = append(found, l.name)
		}
	}
	for _, bad := range never {
		if strings.Contains(plain, bad) && !slices.ContainsFunc(found, namesOthers) {
			return nil, fmt.Errorf("it has %q in it", bad)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no known licence: %.60q", text)
	}
	return found, nil
}

// Every module that the programs and their tests are made of has a licence that lets them be handed on, and docs/licences.md tells
// which. It needs the module cache and no network.
func TestLicences(t *testing.T) {
	product, all := modules(t, "./cmd/..."), modules(t, "-test", "./...")
	var list strings.Builder
	list.WriteString("# Licences\n\nFoldstream is under [Apache-2.0](../LICENSE). What its programs are made of:\n\n| module | licence |\n|---|---|\n")
	for _, path := range sorted(product) {
		fmt.Fprintf(&list, "| %s | %s |\n", path, licenceOf(t, path, product[path], false))
	}
	list.WriteString("\nPortions of this software are copyright © The FreeType Project (www.freetype.org). All rights reserved.\n")
	list.WriteString("\nWhat only its tests use:\n\n| module | licence |\n|---|---|\n")
	for _, path := range sorted(all) {
		if product[path] == "" {
			fmt.Fprintf(&list, "| %s | %s |\n", path, licenceOf(t, path, all[path], true))
		}
	}
	const file = "../docs/licences.md"
	if *rewrite {
		if err := os.WriteFile(file, []byte(list.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != list.String() {
		t.Errorf("%s is not what the modules say, %v; `go test ./test -run Licences -rewrite` writes it", file, err)
	}
}

func TestClassify(t *testing.T) {
	for text, want := range map[string]string{
		"Permission is hereby granted,\n free of charge, to any person obtaining a copy of": "MIT",
		"GNU GENERAL PUBLIC LICENSE Version 3":                                              "",
		"Apache License Version 2.0, January 2004 … Commons Clause":                         "",
		"all rights reserved": "",
	} {
		if got, err := classify(text); strings.Join(got, "") != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
}

// licenceOf returns the licence of a module.
func licenceOf(t *testing.T, path, dir string, test bool) string {
	t.Helper()
	var texts []string
	for _, pattern := range []string{"LICEN[SC]E*", "licen[sc]e*", "COPYING*", "UNLICENSE*"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		texts = append(texts, found...)
	}
	if len(texts) == 0 {
		t.Errorf("%s has no licence", path)
		return ""
	}
	text, err := os.ReadFile(texts[0])
	if err != nil {
		t.Fatal(err)
	}
	names, err := classify(string(text))
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	for _, name := range names {
		if slices.Contains(testsOnly, name) && !test {
			t.Errorf("%s is under %s, which only tests may be", path, name)
		}
	}
	return strings.Join(names, ", ")
}

// modules returns the folders of the modules that packages are made of, by their paths.
func modules(t *testing.T, args ...string) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}"}, args...)...)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "GOPROXY=off", "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]string{}
	for line := range bytes.Lines(out) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(string(line)), " "); ok {
			all[path] = dir
		}
	}
	return all
}

func sorted(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
