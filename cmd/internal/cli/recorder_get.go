package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// RecorderArtifactsCmd lists the artifacts of a recorder.
type RecorderArtifactsCmd struct {
	Managed
	OneRecorder
	Names bool `short:"n" help:"Print the names alone."`
}

// Run lists.
func (c *RecorderArtifactsCmd) Run(ctx context.Context, env *Env) error {
	return c.onRecorder(ctx, env, c.OneRecorder, func(_ administered, _ string, r record.Recorder) error {
		t := newTable(env.Stdout, "artifact", "type", "bytes", "SHA-256")
		rightFrom(t, 3, 3)
		for _, a := range r.Artifacts {
			t.AppendRow([]any{a.Name, a.Type, a.Size, a.Digest})
		}
		all := recorderOf(r).Artifacts
		return printList(env.Stdout, c.JSON, c.Names, all, func(a artifactJSON) string { return a.Name }, t)
	})
}

// RecorderGetCmd writes an artifact to a file or the standard output.
type RecorderGetCmd struct {
	Managed
	OneRecorder
	Name  string `arg:"" help:"Artifact."`
	Out   string `short:"o" placeholder:"FILE" help:"File to write; - is the standard output; default: the artifact's name, in the working folder."`
	Force bool   `short:"f" help:"Write over a file that is there."`
}

// got is what get tells machines.
type got struct {
	artifactJSON
	File string `json:"file"`
}

// Run streams the artifact. A file is there whole and with the right content, or not at all. Errors: NotFound, Conflict (there is a file), Differs (the
// artifact is damaged), Invalid (its name leads out of the folder).
func (c *RecorderGetCmd) Run(ctx context.Context, env *Env) error {
	return c.onRecorder(ctx, env, c.OneRecorder, func(a administered, _ string, r record.Recorder) (err error) {
		path, err := c.path()
		if err != nil {
			return err
		}
		from, artifact, err := record.Open(ctx, a, r, c.Name)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, from.Close()) }()
		if path == "-" {
			_, err := io.Copy(env.Stdout, from)
			return err
		}
		if err := c.write(path, from); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, got{artifactJSON{dataJSON{artifact.Name, artifact.Digest, artifact.Size}, artifact.Type}, path})
		}
		_, err = fmt.Fprintf(env.Stderr, "wrote %s: %d bytes, SHA-256 %s\n", path, artifact.Size, artifact.Digest)
		return err
	})
}

// path returns where to write. Errors: Invalid, Conflict.
func (c *RecorderGetCmd) path() (string, error) {
	path := c.Out
	if path == "-" {
		return path, nil
	}
	if path == "" {
		path = filepath.FromSlash(c.Name)
		if !filepath.IsLocal(path) || strings.ContainsAny(c.Name, "\\\x00") || path == "." {
			return "", leadsOut(c.Name)
		}
	}
	switch _, err := os.Lstat(path); {
	case err == nil && !c.Force:
		return "", foldstream.Errorf(foldstream.Conflict, "", "%s is there; write over it with --force, or elsewhere with --out", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", fileError("--out", path, err)
	}
	return path, nil
}

func leadsOut(name string) error {
	return foldstream.Errorf(foldstream.Invalid, "", "the artifact's name %q leads out of the working folder; say where to write it with --out", name)
}

func (c *RecorderGetCmd) write(path string, from io.Reader) error {
	write := func(w io.Writer) error {
		_, err := io.Copy(w, from)
		return err
	}
	to := writeFile
	if c.Out == "" {
		to = writeHere
	}
	err := to(path, write)
	if err != nil && foldstream.KindOf(err) == foldstream.Internal {
		err = foldstream.Errorf(foldstream.Invalid, "", "artifact %s cannot be written to %s: %w", c.Name, path, err)
	}
	return err
}

// writeHere writes a file whole or not at all under the working folder, with the folders of its path. No link leads out of there. Errors: Invalid.
func writeHere(path string, write func(io.Writer) error) (err error) {
	here, err := os.OpenRoot(".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, here.Close()) }()
	if err := here.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	part := path + ".part"
	f, err := here.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, here.Remove(part))
	}
	return here.Rename(part, path)
}
