package work

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

// inputs brings the input data of tasks to this machine and vouches for their content. A file is read through once; after that
// it counts as verified until its size or time changes.
type inputs struct {
	artifacts foldstream.Artifacts
	dir       string
	temporary bool

	mu    sync.Mutex
	files map[string]*input // by path
}

// input is a file. Its lock is held while it is fetched or read through, so that tasks that start together do it once.
type input struct {
	sync.Mutex
	digest foldstream.Digest // the verified content; "" is unverified
	size   int64
	when   time.Time
}

// openInputs makes the folder, private to the user; one that goes with close where dir is "".
func openInputs(a foldstream.Artifacts, dir string) (*inputs, error) {
	in := &inputs{artifacts: a, dir: dir, files: map[string]*input{}}
	if dir == "" {
		var err error
		in.temporary = true
		in.dir, err = os.MkdirTemp("", "foldstream-data-")
		return in, err
	}
	return in, os.MkdirAll(dir, 0o700)
}

func (in *inputs) close() error {
	if in.temporary {
		return os.RemoveAll(in.dir)
	}
	return nil
}

// bring returns t with the path of a verified local file in each of its data. Errors: Permanent where the content is not what
// the task expects, NotFound where the file or the upload is gone, a Snooze where the store is away.
func (in *inputs) bring(ctx context.Context, t foldstream.Task) (foldstream.Task, error) {
	t = t.Clone()
	for i, d := range t.Data {
		path, err := in.local(ctx, d)
		if err != nil {
			return t, err
		}
		t.Data[i].Path = path
	}
	return t, nil
}

// local returns the path of a verified local copy. The digest becomes a file name, so it must be one.
func (in *inputs) local(ctx context.Context, d foldstream.Data) (string, error) {
	if raw, err := hex.DecodeString(string(d.Digest)); err != nil || len(raw) != sha256.Size {
		return "", foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "data", "%s: %q is not a SHA-256 digest", d.Name, d.Digest))
	}
	if !d.Upload {
		return d.Path, in.shared(d)
	}
	path := filepath.Join(in.dir, string(d.Digest))
	f := in.file(path)
	f.Lock()
	defer f.Unlock()
	if found, err := f.verify(path); err == nil && found == d.Digest {
		return path, nil
	}
	return path, in.download(ctx, d, path)
}

// file returns the one record of a path.
func (in *inputs) file(path string) *input {
	in.mu.Lock()
	defer in.mu.Unlock()
	f := in.files[path]
	if f == nil {
		f = &input{}
		in.files[path] = f
	}
	return f
}

// shared checks a file that all machines have.
func (in *inputs) shared(d foldstream.Data) error {
	f := in.file(d.Path)
	f.Lock()
	defer f.Unlock()
	found, err := f.verify(d.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return foldstream.Errorf(foldstream.NotFound, "data", "%s: there is no file %s on this machine, and it was not uploaded", d.Name, d.Path)
	case err != nil:
		return foldstream.Errorf(foldstream.Invalid, "data", "%s: %w", d.Name, err)
	case found != d.Digest:
		return foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "data", "%s: the file %s is not the one the task was made with: expected digest %s, found %s",
			d.Name, d.Path, d.Digest, found))
	}
	return nil
}

// verify returns the digest of the file, from memory where neither size nor time changed.
func (f *input) verify(path string) (foldstream.Digest, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no plain file", path)
	}
	if err != nil {
		return "", err
	}
	if f.digest != "" && f.size == info.Size() && f.when.Equal(info.ModTime()) {
		return f.digest, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	f.digest, f.size, f.when = sum(h), info.Size(), info.ModTime()
	return f.digest, nil
}

// download brings an upload to path, whole or not at all: another process may do the same at the same time.
func (in *inputs) download(ctx context.Context, d foldstream.Data, path string) error {
	if in.artifacts == nil {
		return foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "data", "%s: this consumer has no store to take uploads from", d.Name))
	}
	from, err := in.artifacts.Open(ctx, d.Digest)
	if err != nil {
		return away(d, err)
	}
	defer from.Close()
	tmp, err := os.CreateTemp(in.dir, "incoming-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // nothing to remove after the rename
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(tmp, h), from)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return away(d, err)
	}
	if found := sum(h); found != d.Digest {
		return foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "data", "%s: the store's upload of %s is damaged: expected digest %s, found %s",
			d.Name, d.Path, d.Digest, found))
	}
	return os.Rename(tmp.Name(), path)
}

// away names the data in an error of the store, and puts the task off where it may pass.
func away(d foldstream.Data, err error) error {
	err = foldstream.Errorf(foldstream.KindOf(err), "data", "%s: the upload of %s, digest %s: %w", d.Name, d.Path, d.Digest, err)
	if passing(err) {
		return foldstream.Snooze(putOff, err.Error())
	}
	return err
}

func sum(h interface{ Sum(b []byte) []byte }) foldstream.Digest {
	return foldstream.Digest(hex.EncodeToString(h.Sum(nil)))
}
