package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// maxManifest is the largest manifest that is read.
const maxManifest = 1 << 30

// Do takes one entry of an archive: what it is, its name without the folder of its kind, and its content, of which it may leave any.
type Do func(kind Kind, name string, size int64, r io.Reader) error

// Read goes through an archive and calls do with each entry. It verifies every entry, what do left included, and at the end the manifest; what
// do was told counts only when Read returns no error. Errors: Differs (damaged, cut off or changed), Invalid (no archive, or of a version to
// come), those of do.
func Read(r io.Reader, do Do) (Manifest, error) {
	a := &reader{tar: tar.NewReader(r), do: do, names: map[string]bool{}}
	for {
		h, err := a.tar.Next()
		if err != nil {
			return a.seen, damaged(err, len(a.seen.Entries))
		}
		if h.Name == manifestName {
			return a.seen, end(a.tar, h, a.seen)
		}
		if err := a.one(h); err != nil {
			return a.seen, err
		}
	}
}

// reader reads one archive.
type reader struct {
	tar   *tar.Reader
	do    Do
	seen  Manifest
	names map[string]bool
}

// one reads an entry to its end.
func (a *reader) one(h *tar.Header) error {
	if err := a.fits(h); err != nil {
		return err
	}
	sum := sha256.New()
	content := io.TeeReader(a.tar, sum)
	e := Entry{Name: h.Name, Size: h.Size}
	var err error
	if h.Name == head {
		a.seen.Version, err = versionOf(content)
	} else {
		err = a.do(e.kind(), h.Name[strings.LastIndexByte(h.Name, '/')+1:], h.Size, content)
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return damaged(err, 1)
	}
	e.SHA256 = foldstream.Digest(hex.EncodeToString(sum.Sum(nil)))
	a.seen.Entries, a.names[e.Name] = append(a.seen.Entries, e), true
	return e.named()
}

// fits reports an entry that is not one of ours, not a plain one, or there already. Errors: Invalid.
func (a *reader) fits(h *tar.Header) error {
	switch {
	case len(a.seen.Entries) == 0 && h.Name != head:
		return notOne()
	case h.Typeflag != tar.TypeReg || !names.MatchString(h.Name):
		return foldstream.Errorf(foldstream.Invalid, "archive", "%.100q is no entry of an archive", h.Name)
	case a.names[h.Name]:
		return foldstream.Errorf(foldstream.Invalid, "archive", "%s stands in it twice", h.Name)
	}
	return nil
}

// versionOf reads the head. Errors: Invalid.
func versionOf(r io.Reader) (int, error) {
	text, err := io.ReadAll(io.LimitReader(r, 20))
	if err != nil {
		return 0, damaged(err, 1)
	}
	v, err := strconv.Atoi(string(text))
	switch {
	case err != nil:
		return 0, notOne()
	case v != Version:
		return v, foldstream.Errorf(foldstream.Invalid, "archive", "it is of version %d; this program reads version %d", v, Version)
	}
	return v, nil
}

// end compares the manifest with what was there.
func end(t *tar.Reader, h *tar.Header, seen Manifest) error {
	if h.Size > maxManifest {
		return foldstream.Errorf(foldstream.Invalid, "archive", "a manifest of %d bytes is over %d", h.Size, maxManifest)
	}
	text, err := io.ReadAll(t)
	if err != nil {
		return damaged(err, len(seen.Entries))
	}
	want, err := json.Marshal(seen)
	if err != nil {
		return err
	}
	if !bytes.Equal(text, want) {
		return foldstream.Errorf(foldstream.Differs, "archive", "its content is not what its manifest says: it is damaged, or was changed")
	}
	if _, err := t.Next(); !errors.Is(err, io.EOF) {
		return foldstream.Errorf(foldstream.Differs, "archive", "there is something behind its manifest")
	}
	return nil
}

// damaged is the error of a tar that cannot be read on.
func damaged(err error, entries int) error {
	switch {
	case entries == 0:
		return notOne()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return foldstream.Errorf(foldstream.Differs, "archive", "it is cut off: it has no manifest")
	case errors.Is(err, tar.ErrHeader):
		return foldstream.Errorf(foldstream.Differs, "archive", "it is damaged: %w", err)
	}
	return err
}

func notOne() error {
	return foldstream.Errorf(foldstream.Invalid, "archive", "it is no archive of an experiment")
}
