package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nats-io/nkeys"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
)

// AuthCmd is the commands that make users for a server.
type AuthCmd struct {
	Init AuthInitCmd `cmd:"" help:"Write a nats-server configuration with a user for each role, and their keys."`
}

// AuthInitCmd writes what a nats-server needs to tell the roles apart, and what their users show it.
type AuthInitCmd struct {
	Output
	Dir    string   `arg:"" type:"path" help:"Folder to write to. Nothing that is there is written over."`
	Prefix string   `env:"FOLDSTREAM_PREFIX" help:"Prefix of streams, buckets and subjects."`
	Pool   []string `placeholder:"POOL,..." help:"Hold producers and consumers to these pools; default: all."`
	Stage  []string `placeholder:"STAGE,..." help:"With --pool: the stages that consumers work, where tasks have any."`
}

// roleFile is what is written for a role.
type roleFile struct {
	Role string `json:"role"`
	Key  string `json:"key"`  // public
	File string `json:"file"` // with the seed
}

// Run writes the files. The seeds are for their users alone.
func (c *AuthInitCmd) Run(env *Env) error {
	if len(c.Stage) > 0 && len(c.Pool) == 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "--stage is nothing without --pool: without it consumers work all stages")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fileError("folder", c.Dir, err)
	}
	config := filepath.Join(c.Dir, "foldstream.conf")
	var users strings.Builder
	files := []roleFile{}
	for _, role := range stream.Roles {
		files = append(files, roleFile{Role: string(role), File: filepath.Join(c.Dir, string(role)+".nk")})
	}
	for _, path := range append([]string{config}, fileNames(files)...) {
		if _, err := os.Lstat(path); err == nil {
			return foldstream.Errorf(foldstream.Conflict, "", "%s is there already: remove it, or name another folder", path)
		}
	}
	for i, role := range stream.Roles {
		grants, err := stream.GrantsOf(c.Prefix, role, c.Pool, c.Stage)
		if err != nil {
			return err
		}
		if files[i].Key, err = newUser(files[i].File); err != nil {
			return err
		}
		fmt.Fprintf(&users, "    # %s: %s\n    {nkey: %s, permissions: {\n      publish: {allow: [%s]}\n      subscribe: {allow: [%s]}\n      allow_responses: %t\n    }}\n",
			role, filepath.Base(files[i].File), files[i].Key, quotedList(grants.Publish), quotedList(grants.Subscribe), grants.Responses)
	}
	err := writeFile(config, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, authConfig, users.String())
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.Stdout, map[string]any{"config": config, "users": files})
	}
	fmt.Fprintln(env.Stdout, config)
	for _, f := range files {
		fmt.Fprintln(env.Stdout, f.File)
	}
	return nil
}

// authConfig is a configuration of nats-server, for includes. What it listens on, where it stores and its TLS are its operator's.
const authConfig = `# Users of a nats-server for the roles of Foldstream. Include it: include "foldstream.conf"
# Each user shows the seed in the file of the role: foldstream --nkey FILE. An admin makes the streams: the first command must be an admin's.
authorization {
  users: [
%s  ]
}
`

func fileNames(files []roleFile) (names []string) {
	for _, f := range files {
		names = append(names, f.File)
	}
	return names
}

func quotedList(subjects []string) string {
	quoted := make([]string, 0, len(subjects))
	for _, s := range slices.Compact(slices.Sorted(slices.Values(subjects))) {
		quoted = append(quoted, `"`+s+`"`)
	}
	return strings.Join(quoted, ", ")
}

// newUser makes a key, writes its seed, and returns the public part.
func newUser(file string) (public string, err error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return "", err
	}
	defer pair.Wipe()
	seed, err := pair.Seed()
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(file, append(seed, '\n'), 0o600); err != nil {
		return "", fileError("seed", file, err)
	}
	return pair.PublicKey()
}
