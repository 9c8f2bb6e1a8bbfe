package test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nkeys"

	"github.com/foldstream/foldstream"
)

// keyFile makes an nkey and returns the file with its seed and its public part.
func keyFile(t *testing.T) (file, public string) {
	t.Helper()
	key, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := key.Seed()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = key.PublicKey(); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key.nk")
	if err := os.WriteFile(file, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, public
}

// What was signed verifies later, and nothing else does: not another signer, not a changed file, not a store whose content changed.
func TestSignedExperimentVerifies(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	mustRun(t, "foldstream", "run", small, "--store", dir, "--out", out)
	url, _ := serve(t, dir)
	key, public := keyFile(t)
	file := filepath.Join(out, "small.signed")
	mustRun(t, "foldstream", "experiment", "sign", "small", "--key", key, "-o", file, "-s", url)
	verify := func(code int, want string, args ...string) {
		t.Helper()
		o := run(t, "foldstream", append([]string{"experiment", "verify", "-s", url}, args...)...)
		if o.code != code || !strings.Contains(o.stdout+o.stderr, want) {
			t.Errorf("exit code %d, want %d; not %q but %s%s", o.code, code, want, o.stdout, o.stderr)
		}
	}
	verify(0, "the store holds exactly the 120 results and 8 values that "+public+" signed", file)
	verify(0, "exactly", file, "--signer", public)
	_, other := keyFile(t)
	verify(1, "it is signed by "+public+" and not by "+other, file, "--signer", other)

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(old, text2 string) string {
		path := filepath.Join(t.TempDir(), "changed")
		if err := os.WriteFile(path, bytes.Replace(text, []byte(old), []byte(text2), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	verify(1, "its signature is not that of its content", changed(`"expected": 120`, `"expected": 121`))
	verify(1, "its signature", changed(`"signature": "`, `"signature": "AAAA`))
	verify(2, "is no signed manifest", changed(`"manifest"`, `"manifesto"`))
	verify(2, "a manifest of version 2", changed(`"version": 1`, `"version": 2`))
	verify(2, "no public nkey", changed(public, "nobody"))

	values := open(t, url).Values(foldstream.Collections)
	var groups []foldstream.Value
	for v, err := range values.List(t.Context(), "small.") {
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, v)
	}
	v := groups[1]
	v.Data = groups[0].Data
	if _, err := values.Put(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	verify(5, "the value "+v.Key+" of its collection", file)
	if o := run(t, "foldstream", "experiment", "sign", "small", "--key", file, "-s", url); o.code != 2 || !strings.Contains(o.stderr, "it has no seed of an nkey in it") {
		t.Errorf("%d: %s", o.code, o.stderr)
	}
}
