package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/gowebpki/jcs"
	"github.com/nats-io/nkeys"

	"github.com/foldstream/foldstream"
)

// ExperimentSignCmd signs what a complete experiment is.
type ExperimentSignCmd struct {
	Managed
	Experiment string `arg:"" help:"Experiment; every member of it must be present."`
	Key        string `required:"" type:"existingfile" placeholder:"FILE" help:"File with the seed of an nkey, as nk -gen user makes it."`
	Out        string `short:"o" type:"path" placeholder:"FILE" help:"File to write; default: standard output."`
}

// signed is a manifest with who vouches for it: an Ed25519 signature by an nkey over the manifest's RFC 8785 JSON, in base64.
type signed struct {
	Manifest  manifest `json:"manifest"`
	Signer    string   `json:"signer"` // public nkey
	Signature string   `json:"signature"`
}

// Run signs.
func (c *ExperimentSignCmd) Run(ctx context.Context, env *Env) error {
	key, err := readKey(c.Key)
	if err != nil {
		return err
	}
	defer key.Wipe()
	return c.on(ctx, env, func(a administered) error {
		m, err := manifestOf(ctx, a, c.Experiment)
		if err != nil {
			return err
		}
		s, err := sign(m, key)
		if err != nil {
			return err
		}
		if err := writeTo(env, c.Out, func(w io.Writer) error { return printJSON(w, s) }); err != nil {
			return err
		}
		fmt.Fprintf(env.Stderr, "%s: %d results signed by %s\n", m.Experiment, len(m.Results), s.Signer)
		return nil
	})
}

// readKey reads the seed of an nkey. Errors: Invalid.
func readKey(path string) (nkeys.KeyPair, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError("--key", path, err)
	}
	key, err := nkeys.ParseDecoratedNKey(text)
	if err != nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "--key %s: it has no seed of an nkey in it", path)
	}
	return key, nil
}

func sign(m manifest, key nkeys.KeyPair) (signed, error) {
	s := signed{Manifest: m}
	text, err := m.canonical()
	if err != nil {
		return s, err
	}
	if s.Signer, err = key.PublicKey(); err != nil {
		return s, err
	}
	signature, err := key.Sign(text)
	s.Signature = base64.StdEncoding.EncodeToString(signature)
	return s, err
}

// canonical is the RFC 8785 JSON that is signed.
func (m manifest) canonical() ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(text)
}

// ExperimentVerifyCmd verifies a signed manifest against the store.
type ExperimentVerifyCmd struct {
	Managed
	File   string `arg:"" help:"File that experiment sign wrote."`
	Signer string `placeholder:"PUBLIC" help:"Public nkey that must have signed it; default: any, which is told."`
}

// Run verifies. Errors: Invalid (no such file), Denied (another signer, or a signature that is none), Differs (the store holds something else),
// NotFound.
func (c *ExperimentVerifyCmd) Run(ctx context.Context, env *Env) error {
	s, err := readSigned(c.File)
	if err != nil {
		return err
	}
	if err := s.verify(c.Signer); err != nil {
		return foldstream.Errorf(foldstream.KindOf(err), "", "%s: %w", c.File, err)
	}
	return c.on(ctx, env, func(a administered) error {
		m, err := manifestOf(ctx, a, s.Manifest.Experiment)
		if err != nil {
			return err
		}
		if err := s.Manifest.same(m); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, map[string]any{"experiment": m.Experiment, "results": len(m.Results), "signer": s.Signer})
		}
		_, err = fmt.Fprintf(env.Stdout, "%s: the store holds exactly the %d results and %d values that %s signed\n", m.Experiment, len(m.Results), len(m.Values), s.Signer)
		return err
	})
}

func readSigned(path string) (s signed, err error) {
	f, err := openPlain(path)
	if err != nil {
		return s, fileError("manifest", path, err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, foldstream.Errorf(foldstream.Invalid, "", "%s is no signed manifest: %w", path, err)
	}
	if s.Manifest.Version != manifestVersion {
		return s, foldstream.Errorf(foldstream.Invalid, "", "%s: a manifest of version %d; this program reads version %d", path, s.Manifest.Version, manifestVersion)
	}
	return s, nil
}

// verify checks the signature. Errors: Denied, Invalid (the signer is no nkey).
func (s signed) verify(signer string) error {
	if signer != "" && signer != s.Signer {
		return foldstream.Errorf(foldstream.Denied, "", "it is signed by %s and not by %s", s.Signer, signer)
	}
	key, err := nkeys.FromPublicKey(s.Signer)
	if err != nil {
		return foldstream.Errorf(foldstream.Invalid, "", "its signer %.80q is no public nkey", s.Signer)
	}
	text, err := s.Manifest.canonical()
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(s.Signature)
	if err != nil || key.Verify(text, signature) != nil {
		return foldstream.Errorf(foldstream.Denied, "", "its signature is not that of its content")
	}
	return nil
}
