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

// roleUser is the user of a role.
type roleUser struct {
	Role   stream.Role `json:"role"`
	Key    string      `json:"key"`  // public
	File   string      `json:"file"` // with the seed
	grants stream.Grants
}

// Run writes the files. The seeds are for their users alone. Names and the folder are looked at before anything is made.
func (c *AuthInitCmd) Run(env *Env) error {
	users, err := c.users()
	if err != nil {
		return err
	}
	config := filepath.Join(c.Dir, "foldstream.conf")
	if err := vacant(config, users); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fileError("folder", c.Dir, err)
	}
	for i := range users {
		if users[i].Key, err = newKey(users[i].File); err != nil {
			return err
		}
	}
	if err := writeFile(config, func(w io.Writer) error { return writeAuth(w, users) }); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.Stdout, map[string]any{"config": config, "users": users})
	}
	fmt.Fprintln(env.Stdout, config)
	for _, u := range users {
		fmt.Fprintln(env.Stdout, u.File)
	}
	return nil
}

// users returns a user for each role, without a key. Errors: Invalid.
func (c *AuthInitCmd) users() (users []roleUser, err error) {
	if len(c.Stage) > 0 && len(c.Pool) == 0 {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "--stage is nothing without --pool: without it consumers work all stages")
	}
	for _, role := range stream.Roles {
		u := roleUser{Role: role, File: filepath.Join(c.Dir, string(role)+".nk")}
		if u.grants, err = stream.GrantsOf(c.Prefix, role, c.Pool, c.Stage); err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, nil
}

// vacant reports a file that is there already. Errors: Conflict.
func vacant(config string, users []roleUser) error {
	paths := []string{config}
	for _, u := range users {
		paths = append(paths, u.File)
	}
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return foldstream.Errorf(foldstream.Conflict, "", "%s is there already: remove it, or name another folder", path)
		}
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

func writeAuth(w io.Writer, users []roleUser) error {
	var text strings.Builder
	for _, u := range users {
		fmt.Fprintf(&text, "    # %s: %s\n    {nkey: %s, permissions: {\n      publish: {allow: [%s]}\n      subscribe: {allow: [%s]}\n      allow_responses: %t\n    }}\n",
			u.Role, filepath.Base(u.File), u.Key, quotedList(u.grants.Publish), quotedList(u.grants.Subscribe), u.grants.Responses)
	}
	_, err := fmt.Fprintf(w, authConfig, text.String())
	return err
}

func quotedList(subjects []string) string {
	quoted := make([]string, 0, len(subjects))
	for _, s := range slices.Compact(slices.Sorted(slices.Values(subjects))) {
		quoted = append(quoted, `"`+s+`"`)
	}
	return strings.Join(quoted, ", ")
}

// newKey makes a key, writes its seed, and returns the public part.
func newKey(file string) (public string, err error) {
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
