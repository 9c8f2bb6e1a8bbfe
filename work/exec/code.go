package exec

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

// Codes tells the version of the code that a task's command is. The zero Codes works; it is safe for concurrent use, and reads a file again
// only when it has changed.
type Codes struct {
	known sync.Map // of sighting, the digest in hex
}

// Of returns a digest of the files that the command names, in the order in which it does. These are the program, where it is given by its
// path, an input file <data.NAME>, and any argument that is the absolute path of a file of at most 64 MiB; larger ones are data. A command that
// names none is the program that PATH finds: an interpreter that a script is given to is not in it, nor is what a script imports. So machines
// with the same script have the same code, wherever they keep it.
//
// Errors: Invalid (the command is none), NotFound (a file is not there, or nobody may read it).
func (c *Codes) Of(t foldstream.Task) (string, error) {
	argv, err := words(t)
	if err != nil {
		return "", err
	}
	var named []string
	for i, word := range argv {
		digest, err := c.named(word, i == 0, t.Data)
		if err != nil {
			return "", err
		}
		if digest != "" {
			named = append(named, digest)
		}
	}
	if len(named) == 0 {
		digest, err := c.found(argv[0])
		if err != nil {
			return "", err
		}
		named = append(named, digest)
	}
	sum := sha256.Sum256([]byte(strings.Join(named, "\n")))
	return codePrefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16])), nil
}

// codePrefix tells such a version from the revisions of programs.
const codePrefix = "exec-"

// maxCodeFile is the size above which an argument is data.
const maxCodeFile = 64 << 20

// sighting is a file as it was seen.
type sighting struct {
	path    string
	size    int64
	changed time.Time
}

// named returns the digest of the file that a word of a command names; "" is none.
func (c *Codes) named(word string, program bool, data []foldstream.Data) (string, error) {
	if name, ok := strings.CutPrefix(word, "<data."); ok && strings.HasSuffix(name, ">") {
		for _, d := range data {
			if d.Name == strings.TrimSuffix(name, ">") {
				return string(d.Digest), nil
			}
		}
		return "", nil // what runs the command says that it is not there
	}
	if !filepath.IsAbs(word) {
		return "", nil
	}
	info, err := os.Stat(word)
	switch {
	case program && err != nil:
		return "", foldstream.E(foldstream.NotFound, "exec", err)
	case err != nil, !info.Mode().IsRegular(), !program && info.Size() > maxCodeFile:
		return "", nil
	}
	return c.digest(word, info)
}

// found returns the digest of the program that PATH finds.
func (c *Codes) found(program string) (string, error) {
	path, err := exec.LookPath(program)
	var info os.FileInfo
	if err == nil {
		info, err = os.Stat(path)
	}
	if err != nil {
		return "", foldstream.E(foldstream.NotFound, "exec", err)
	}
	return c.digest(path, info)
}

func (c *Codes) digest(path string, info os.FileInfo) (string, error) {
	seen := sighting{path, info.Size(), info.ModTime()}
	if digest, ok := c.known.Load(seen); ok {
		return digest.(string), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", foldstream.E(foldstream.NotFound, "exec", err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", foldstream.E(foldstream.NotFound, "exec", err)
	}
	digest := hex.EncodeToString(hash.Sum(nil))
	c.known.Store(seen, digest)
	return digest, nil
}
