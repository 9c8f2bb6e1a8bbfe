package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work/cache"
)

// PrepareCmd prints prepared data, which it has made where nobody has yet.
type PrepareCmd struct {
	Connection
	Output
	Name     string   `arg:"" help:"What is made, with all that changes it besides the files: features-21-63."`
	Command  []string `arg:"" passthrough:"" help:"-- and the command that writes it to its standard output."`
	Of       []string `type:"existingfile" sep:"none" placeholder:"FILE" help:"File that it is made of, by its content wherever it is; also the script that makes it. Again for each."`
	Out      string   `short:"o" type:"path" placeholder:"FILE" help:"File to write instead of the standard output."`
	Cache    string   `type:"path" placeholder:"DIR" help:"Folder of copies; default: the user's cache folder."`
	Prepared Size     `default:"4G" placeholder:"SIZE" help:"Size of the copies; those used longest ago make room."`
}

// Run prints it. Of several who ask at once, on any machine, one runs the command. Errors: Failed (the command), Invalid.
func (c *PrepareCmd) Run(ctx context.Context, env *Env) (err error) {
	if len(c.Command) > 0 && c.Command[0] == "--" {
		c.Command = c.Command[1:]
	}
	if len(c.Command) == 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "say the command that makes it, behind --")
	}
	key, err := c.key()
	if err != nil {
		return err
	}
	dir, err := Labour{Cache: c.Cache}.cache()
	if err != nil {
		return err
	}
	store, closeStore, err := c.openStore(ctx, env, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	prepared, err := pieces(store, dir, c.Prepared)
	if err != nil {
		return err
	}
	piece, err := prepared.Get(ctx, key, func(ctx context.Context, w io.Writer) error { return c.make(ctx, env, w) })
	if err != nil {
		return err
	}
	defer piece.Close()
	if c.Out != "" {
		return writeFile(c.Out, func(w io.Writer) error { return copyTo(w, piece) })
	}
	return copyTo(env.Stdout, piece)
}

func copyTo(w io.Writer, r io.Reader) error {
	_, err := io.Copy(w, r)
	return err
}

// key is over the name and the content of the files. The command's own words are no part of it: they have paths of this machine in them.
func (c *PrepareCmd) key() (cache.Key, error) {
	var digests []foldstream.Digest
	for _, path := range c.Of {
		d, _, err := digest(path)
		if err != nil {
			return "", fileError("--of", path, err)
		}
		digests = append(digests, d)
	}
	return cache.KeyOf(c.Name, "prepare 1", digests...)
}

// make runs the command.
func (c *PrepareCmd) make(ctx context.Context, env *Env, w io.Writer) error {
	cmd := exec.CommandContext(ctx, c.Command[0], c.Command[1:]...)
	cmd.Stdout, cmd.Stderr = w, env.Stderr
	if err := cmd.Run(); err != nil {
		return foldstream.E(foldstream.Failed, "", fmt.Errorf("%s: %w", c.Command[0], err))
	}
	return nil
}
