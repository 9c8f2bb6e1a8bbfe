// Package archive is the form of an experiment in one file: a tar of entries with names of its own, and at the end a manifest with the size
// and the SHA-256 of each. It is written and read as a stream; what is read counts only once the manifest has been seen to hold.
package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"

	"github.com/foldstream/foldstream"
)

// Version is that of the form.
const Version = 1

// The names of the entries, in the order in which they come. Nothing is ever written to a path that an archive names.
const (
	head         = "foldstream-archive" // the version, a number in decimal
	Experiment   = "experiment"
	tasksPrefix  = "tasks/"
	blobsPrefix  = "artifacts/"
	manifestName = "manifest.json"
)

// names are those that entries may have.
var names = regexp.MustCompile(`^(foldstream-archive|experiment|tasks/[0-9]{8}|artifacts/[0-9a-f]{64})$`)

// TasksName is the name of the n-th entry of tasks, from 0.
func TasksName(n int) string { return fmt.Sprintf("%s%08d", tasksPrefix, n) }

// BlobName is the name of an artifact's entry.
func BlobName(d foldstream.Digest) string { return blobsPrefix + string(d) }

// Kind says what an entry is.
type Kind string

// The kinds of entries.
const (
	KindExperiment Kind = "experiment"
	KindTasks      Kind = "tasks"
	KindBlob       Kind = "artifact"
)

// Entry is one entry as the manifest has it.
type Entry struct {
	Name   string            `json:"name"`
	Size   int64             `json:"size"`
	SHA256 foldstream.Digest `json:"sha256"`
}

// Manifest lists what is in an archive.
type Manifest struct {
	Version int     `json:"version"`
	Entries []Entry `json:"entries"`
}

// Digest is the identity of an archive.
func (m Manifest) Digest() (foldstream.Digest, error) {
	text, err := json.Marshal(m)
	sum := sha256.Sum256(text)
	return foldstream.Digest(hex.EncodeToString(sum[:])), err
}

// Writer writes an archive. Close ends it; one that is not closed is none.
type Writer struct {
	tar      *tar.Writer
	manifest Manifest
}

// NewWriter begins an archive.
func NewWriter(w io.Writer) (*Writer, error) {
	a := &Writer{tar: tar.NewWriter(w), manifest: Manifest{Version: Version}}
	return a, a.PutBytes(head, []byte(fmt.Sprint(Version)))
}

// Put writes one entry of so many bytes. Errors: Invalid (the name), Differs (r has another number of bytes, or an artifact another digest).
func (a *Writer) Put(name string, size int64, r io.Reader) error {
	if !names.MatchString(name) {
		return foldstream.Errorf(foldstream.Invalid, "archive", "%q is no name of an entry", name)
	}
	sum := sha256.New()
	if err := a.put(name, size, io.TeeReader(r, sum)); err != nil {
		return err
	}
	e := Entry{name, size, foldstream.Digest(hex.EncodeToString(sum.Sum(nil)))}
	a.manifest.Entries = append(a.manifest.Entries, e)
	return e.named()
}

// PutBytes writes one entry.
func (a *Writer) PutBytes(name string, data []byte) error {
	return a.Put(name, int64(len(data)), bytes.NewReader(data))
}

func (a *Writer) put(name string, size int64, r io.Reader) error {
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, Format: tar.FormatPAX}); err != nil {
		return err
	}
	n, err := io.Copy(a.tar, r)
	if err == nil && n != size {
		err = foldstream.Errorf(foldstream.Differs, "archive", "%s has %d bytes and not %d", name, n, size)
	}
	return err
}

// Close writes the manifest.
func (a *Writer) Close() error {
	text, err := json.Marshal(a.manifest)
	if err == nil {
		err = a.put(manifestName, int64(len(text)), bytes.NewReader(text))
	}
	if err != nil {
		return err
	}
	return a.tar.Close()
}

// named reports an artifact whose content is not what its name says. Errors: Differs.
func (e Entry) named() error {
	if e.kind() == KindBlob && e.Name != BlobName(e.SHA256) {
		return foldstream.Errorf(foldstream.Differs, "archive", "%s has the digest %s", e.Name, e.SHA256)
	}
	return nil
}

func (e Entry) kind() Kind {
	switch {
	case e.Name == Experiment:
		return KindExperiment
	case len(e.Name) > len(tasksPrefix) && e.Name[:len(tasksPrefix)] == tasksPrefix:
		return KindTasks
	case len(e.Name) > len(blobsPrefix) && e.Name[:len(blobsPrefix)] == blobsPrefix:
		return KindBlob
	}
	return ""
}
