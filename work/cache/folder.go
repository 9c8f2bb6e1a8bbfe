package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// folder is a machine's copies: files <key>.<digest>, and tmp-… while they are written. Any number of processes use it at once: a file gets its
// name when it is whole, and one that is deleted stays readable for those who have it open.
type folder struct {
	dir   string
	limit int64
}

// old is after how long a file that nobody finished is taken away.
const old = 24 * time.Hour

func (d folder) path(key Key, digest foldstream.Digest) string {
	return filepath.Join(d.dir, string(key)+"."+string(digest))
}

// open returns a copy whose content is verified, nil where there is none. One that is damaged is taken away.
func (d folder) open(key Key, digest foldstream.Digest) *os.File {
	path := d.path(key, digest)
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil || sumOf(h) != digest {
		_, _ = f.Close(), os.Remove(path)
		return nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		_ = f.Close()
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // it was used; where that cannot be told it makes room earlier
	return f
}

// put writes a copy that must have a content. Errors: Differs.
func (d folder) put(key Key, want foldstream.Digest, write func(io.Writer) error) (*os.File, error) {
	f, digest, _, err := d.make(key, write)
	if err == nil && digest != want {
		_, _ = f.Close(), os.Remove(d.path(key, digest))
		err = foldstream.Errorf(foldstream.Differs, "cache", "the piece %s has another content than was stored", key)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// make writes a copy under the digest of what is written, and makes room for it.
func (d folder) make(key Key, write func(io.Writer) error) (*os.File, foldstream.Digest, int64, error) {
	f, err := os.CreateTemp(d.dir, "tmp-")
	if err != nil {
		return nil, "", 0, err
	}
	h := sha256.New()
	err = write(io.MultiWriter(f, h))
	if err == nil {
		err = f.Sync()
	}
	size, seekErr := f.Seek(0, io.SeekEnd)
	_, startErr := f.Seek(0, io.SeekStart)
	if err = errors.Join(err, seekErr, startErr); err == nil {
		err = os.Rename(f.Name(), d.path(key, sumOf(h)))
	}
	if err != nil {
		_, _ = f.Close(), os.Remove(f.Name())
		return nil, "", 0, err
	}
	d.makeRoom(d.path(key, sumOf(h)))
	return f, sumOf(h), size, nil
}

func sumOf(h hash.Hash) foldstream.Digest { return foldstream.Digest(hex.EncodeToString(h.Sum(nil))) }

// makeRoom deletes the copies used longest ago, but for the one to keep, until all are of no more than the limit.
func (d folder) makeRoom(keep string) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return // the next one makes room
	}
	var files []os.FileInfo
	var total int64
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case err != nil || !info.Mode().IsRegular(): // another process was first, or it is not ours
		case strings.HasPrefix(e.Name(), "tmp-"):
			if time.Since(info.ModTime()) > old {
				_ = os.Remove(filepath.Join(d.dir, e.Name()))
			}
		case ours(e.Name()):
			files, total = append(files, info), total+info.Size()
		}
	}
	slices.SortFunc(files, func(a, b os.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		path := filepath.Join(d.dir, f.Name())
		if total > d.limit && path != keep && os.Remove(path) == nil {
			total -= f.Size()
		}
	}
}

// ours reports whether a file has the name of a copy.
func ours(name string) bool {
	key, digest, ok := strings.Cut(name, ".")
	return ok && Key(key).valid() == nil && Key(digest).valid() == nil
}
