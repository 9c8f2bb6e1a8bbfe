package embed

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/foldstream/foldstream"
)

// lock is the exclusive right to a store directory: an flock on the file LOCK in it. The kernel takes it back when the
// process dies, however it dies, so the file may stay.
type lock struct{ file *os.File }

// takeLock locks a directory. Errors: Conflict (held, with the holder's process id), Invalid (no file can be written there).
func takeLock(dir string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "embed", "store directory %s: %w", dir, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = foldstream.Errorf(foldstream.Conflict, "embed", "store directory in use: %s is held by %s", dir, holder(f))
	} else if err != nil {
		err = foldstream.Errorf(foldstream.Invalid, "embed", "store directory %s cannot be locked: %w", dir, err)
	}
	if err == nil {
		err = sign(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &lock{f}, nil
}

// sign writes this process's id into the lock file.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return foldstream.E(foldstream.Invalid, "embed", err)
	}
	_, err := f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	return foldstream.E(foldstream.Invalid, "embed", err)
}

// holder names who signed the lock file.
func holder(f *os.File) string {
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if pid := strings.TrimSpace(string(text)); err == nil && pid != "" {
		return "process " + pid
	}
	return "another process"
}

func (l *lock) release() error { return l.file.Close() }
