package exec

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/foldstream/foldstream"
)

// folder is the working directory of one command. What the command leaves there is read past no link that leads out, and only
// where it is a plain file: a pipe or a device would never end.
type folder struct {
	path string
	root *os.Root
}

// newFolder makes a folder that is private to the user.
func newFolder() (*folder, error) {
	path, err := os.MkdirTemp("", "foldstream-exec-")
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return &folder{path, root}, nil
}

// file is where a file of the folder is.
func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

// open opens a plain file, by its path in the folder or its absolute one. Errors: Invalid; fs.ErrNotExist.
func (f *folder) open(name string) (*os.File, error) {
	if filepath.IsAbs(name) {
		inside, err := filepath.Rel(f.path, name)
		if err != nil || !filepath.IsLocal(inside) {
			return nil, foldstream.Errorf(foldstream.Invalid, "exec", "%s is not in the command's folder: copy it there", name)
		}
		name = inside
	}
	file, err := f.root.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = foldstream.Errorf(foldstream.Invalid, "exec", "%s is no plain file", name)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// read reads a plain file whole. Errors: those of open; TooLarge.
func (f *folder) read(name string, limit int64) ([]byte, error) {
	file, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if int64(len(data)) > limit {
		return nil, tooMuch()
	}
	return data, err
}

// remove removes the folder with all that is in it, also what the command made unreadable.
func (f *folder) remove() {
	_ = f.root.Close()
	if os.RemoveAll(f.path) == nil {
		return
	}
	_ = filepath.WalkDir(f.path, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // what cannot be removed is temporary all the same
		}
		return nil
	})
	_ = os.RemoveAll(f.path)
}
