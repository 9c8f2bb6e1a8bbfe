package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority is a certificate authority of the test's own, and the folder of what it signed: NAME.pem and NAME.key.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	template := &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "test"}}
	a.cert, a.key = template, nil
	a.cert, a.key = a.sign(t, "ca", template)
	return a
}

// sign signs a certificate, by the authority itself where it has no key yet, and writes it and its key.
func (a *authority) sign(t *testing.T, name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	by := a.key
	if by == nil {
		by = key
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	if c.NotAfter.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for ext, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(a.dir, name+ext), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signed, key
}

// server and client sign what either shows the other; one of the client may have ended.
func (a *authority) server(t *testing.T) {
	a.sign(t, "server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
}

func (a *authority) client(t *testing.T, name string, ends time.Time) {
	a.sign(t, name, &x509.Certificate{NotBefore: ends.Add(-time.Hour), NotAfter: ends, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// config is the server's own words on TLS.
func (a *authority) config(verify bool) string {
	return fmt.Sprintf("tls {cert_file: %q, key_file: %q, ca_file: %q, verify: %t}\n", a.path("server.pem"), a.path("server.key"), a.path("ca.pem"), verify)
}

func (a *authority) shows(name string) []string {
	return []string{"--tlscert", a.path(name + ".pem"), "--tlskey", a.path(name + ".key")}
}

// Over TLS each role does its work, on a server that shows a certificate and asks for one; who shows no right one, or trusts another
// authority, is told in one line what is wrong.
func TestTLS(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	a.server(t)
	a.client(t, "client", time.Now().Add(time.Hour))
	a.client(t, "ended", time.Now().Add(-time.Minute))
	other.client(t, "client", time.Now().Add(time.Hour))
	trusts := []string{"--tlsca", a.path("ca.pem")}
	file, _ := jobFile(t, "good", 2)
	for _, verify := range []bool{false, true} {
		t.Run(fmt.Sprintf("verify=%t", verify), func(t *testing.T) {
			url, dir := guardedBy(t, a.config(verify))
			with := func(role string, tls []string, args ...string) []string {
				return append(append(args, "-s", url, "--nkey", filepath.Join(dir, role+".nk")), tls...)
			}
			tls := trusts
			if verify {
				tls = append(a.shows("client"), trusts...)
			}
			workOverTLS(t, file, func(role string, args ...string) []string { return with(role, tls, args...) })
			mistakes := map[string][]string{
				"another authority is trusted": append(a.shows("client"), "--tlsca", other.path("ca.pem")),
				"none is trusted":              nil,
			}
			if verify {
				mistakes["nothing is shown"] = trusts
				mistakes["what is shown has ended"] = append(a.shows("ended"), trusts...)
				mistakes["what is shown is another authority's"] = append(other.shows("client"), trusts...)
			}
			for mistake, tls := range mistakes { // which of the two ends the handshake first decides what more is said
				t.Log(mistake)
				oneLine(t, with("viewer", tls, "stat"), 1, "no TLS with the NATS server at "+url)
			}
		})
	}
}

// workOverTLS takes an experiment to its end by commands of all roles.
func workOverTLS(t *testing.T, file string, as func(role string, args ...string) []string) {
	t.Helper()
	mustRun(t, "foldstream", as("admin", "stat")...)
	mustRun(t, "producer", as("producer", "submit", file)...)
	start(t, "aggregator", as("aggregator", "run")...)
	start(t, "consumer", as("consumer", "run", "--pool", "jobs", "--allow", "sh -c")...)
	eventually(t, "two tasks are done", func() bool {
		return strings.Contains(mustRun(t, "foldstream", as("viewer", "stat", "jobs", "--json")...), `"done": 2`)
	})
	if out := mustRun(t, "foldstream", as("viewer", "doctor")...); strings.Contains(out, "critical") {
		t.Error(out)
	}
}
