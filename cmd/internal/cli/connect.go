package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"github.com/synadia-io/orbit.go/natscontext"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
)

// Connection is the flags by which every program finds its server, named as the nats command names them.
type Connection struct {
	Endpoint
	Timeout time.Duration `group:"Server" env:"NATS_TIMEOUT" default:"5s" help:"How long to wait for the server's answers."`
}

// Endpoint is Connection without --timeout, for a command that has one of its own.
type Endpoint struct {
	Server   string        `short:"s" group:"Server" env:"NATS_URL" placeholder:"URL" help:"NATS server; without it, the context, then nats://127.0.0.1:4222."`
	Context  string        `group:"Server" env:"NATS_CONTEXT" placeholder:"NAME" help:"Context of the nats command to connect with."`
	User     string        `group:"Server" env:"NATS_USER" help:"User name or token."`
	Password string        `group:"Server" env:"NATS_PASSWORD" help:"Password."`
	Creds    string        `group:"Server" env:"NATS_CREDS" type:"existingfile" placeholder:"FILE" help:"Credentials file."`
	Nkey     string        `group:"Server" env:"NATS_NKEY" type:"existingfile" placeholder:"FILE" help:"File with an nkey seed."`
	TLSCert  string        `name:"tlscert" group:"Server" env:"NATS_CERT" type:"existingfile" placeholder:"FILE" help:"TLS certificate."`
	TLSKey   string        `name:"tlskey" group:"Server" env:"NATS_KEY" type:"existingfile" placeholder:"FILE" help:"TLS key."`
	TLSCA    string        `name:"tlsca" group:"Server" env:"NATS_CA" type:"existingfile" placeholder:"FILE" help:"TLS certificate authority."`
	Prefix   string        `group:"Server" env:"FOLDSTREAM_PREFIX" help:"Prefix of streams, buckets and subjects, for several Foldstreams on one server."`
	Lease    time.Duration `group:"Server" env:"FOLDSTREAM_LEASE" default:"10s" help:"How long a task's lease lives without a beat, for pools that this command makes."`
	Replicas int           `group:"Server" env:"FOLDSTREAM_REPLICAS" default:"1" help:"Replicas of streams and buckets that this command has to make: 3 on a cluster."`
}

// Output is the flags of every command for what it prints.
type Output struct {
	JSON    bool `short:"j" name:"json" help:"Print JSON."`
	Verbose bool `short:"v" help:"Log what happens, to stderr."`
}

// logger makes the logger that the flags ask for.
func (o Output) logger(env *Env) *slog.Logger {
	level := slog.LevelWarn
	if o.Verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(env.Stderr, &slog.HandlerOptions{Level: level}))
}

// session is an open store with whatever has to be closed after it.
type session struct {
	store *stream.Store
	url   string
	close []func() error
}

// Close closes what the session opened, the last first.
func (s *session) Close() error {
	var errs []error
	for i := len(s.close) - 1; i >= 0; i-- {
		errs = append(errs, s.close[i]())
	}
	s.close = nil
	return errors.Join(errs...)
}

// dial connects to the server that the flags name and opens the store on it.
func (c Connection) dial(ctx context.Context, log *slog.Logger) (*session, error) {
	nc, err := c.connect(log)
	if err != nil {
		return nil, err
	}
	return open(ctx, nc, c, log, func() error { nc.Close(); return nil })
}

// open opens the store on a connection; closers are what to close with it, in order of opening.
func open(ctx context.Context, nc *nats.Conn, c Connection, log *slog.Logger, closers ...func() error) (*session, error) {
	s := &session{url: nc.ConnectedUrlRedacted(), close: closers}
	store, err := stream.Open(ctx, nc, c.config(log))
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.store = store
	s.close = append(s.close, store.Close)
	return s, nil
}

// config is how the flags have the store.
func (c Connection) config(log *slog.Logger) stream.Config {
	return stream.Config{Prefix: c.Prefix, Replicas: c.Replicas, Lease: c.Lease, Worker: workerName(), Version: CodeVersion(), Logger: log}
}

func (c Connection) connect(log *slog.Logger) (*nats.Conn, error) {
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	options = append(options, nats.ErrorHandler(tellNATS(log)))
	if c.Server == "" && c.Context != "" {
		nc, _, err := natscontext.Connect(c.Context, options...)
		if err != nil && strings.Contains(err.Error(), "unknown context") {
			return nil, foldstream.Errorf(foldstream.NotFound, "", "--context: the nats command has no context %q", c.Context)
		}
		return nc, c.unreachable("the context "+c.Context, err)
	}
	address := cmp.Or(c.Server, nats.DefaultURL)
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	nc, err := nats.Connect(address, options...)
	return nc, c.unreachable(address, err)
}

// tellNATS returns what tells of errors that come beside all replies. What was denied is told by who hears no reply.
func tellNATS(log *slog.Logger) nats.ErrHandler {
	return func(_ *nats.Conn, _ *nats.Subscription, err error) {
		level := slog.LevelWarn
		if errors.Is(err, nats.ErrPermissionViolation) {
			level = slog.LevelDebug
		}
		log.Log(context.Background(), level, "the connection", "err", err)
	}
}

// checkAddress reports what cannot be the addresses of servers. Errors: Invalid.
func checkAddress(servers string) error {
	for server := range strings.SplitSeq(servers, ",") {
		address := strings.TrimSpace(server)
		if !strings.Contains(address, "://") {
			address = "nats://" + address
		}
		u, err := url.Parse(address)
		if err == nil && !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			err = fmt.Errorf("%q is none of nats, tls, ws, wss", u.Scheme)
		}
		if err == nil && u.Hostname() == "" {
			err = errors.New("it names no host")
		}
		if err != nil {
			return foldstream.E(foldstream.Invalid, "", fmt.Errorf("--server %s is no address of a NATS server: %w", hideInURLs(server), withoutSecrets(err, server)))
		}
	}
	return nil
}

// unreachable says which server was tried and how to get one.
func (c Connection) unreachable(tried string, err error) error {
	if err == nil {
		return nil
	}
	err, tried = withoutSecrets(err, tried), hideInURLs(tried)
	if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) {
		return foldstream.Errorf(foldstream.Denied, "", "the NATS server at %s refused the credentials: %w", tried, err)
	}
	if isTLS(err) {
		return foldstream.Errorf(foldstream.Denied, "",
			"no TLS with the NATS server at %s (%w): --tlsca names whom to trust, and --tlscert and --tlskey what to show a server that asks for a certificate", tried, err)
	}
	return foldstream.Errorf(foldstream.Unavailable, "",
		"no NATS server at %s (%w): start one with `foldstream serve` or `nats-server -js`, or name one with --server or NATS_URL", tried, err)
}

// isTLS reports whether two who reached each other did not agree on TLS. An alert of the other side's has no type.
func isTLS(err error) bool {
	return errors.Is(err, nats.ErrTLS) || errors.Is(err, nats.ErrSecureConnWanted) || strings.Contains(err.Error(), "remote error: tls: ")
}

func (c Connection) options() ([]nats.Option, error) {
	options := []nats.Option{nats.Name("foldstream " + workerName()), nats.Timeout(c.Timeout), nats.MaxReconnects(-1)}
	if c.Password != "" {
		options = append(options, nats.UserInfo(c.User, c.Password))
	} else if c.User != "" {
		options = append(options, nats.Token(c.User))
	}
	if c.Creds != "" {
		if err := checkCreds(c.Creds); err != nil {
			return nil, err
		}
		options = append(options, nats.UserCredentials(c.Creds))
	}
	if c.Nkey != "" {
		nkey, err := nats.NkeyOptionFromSeed(c.Nkey)
		if err != nil {
			return nil, fileError("--nkey", c.Nkey, err)
		}
		options = append(options, nkey)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "--tlscert and --tlskey need each other")
	}
	if c.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			return nil, fileError("--tlscert", c.TLSCert, err)
		}
		options = append(options, nats.ClientCert(c.TLSCert, c.TLSKey))
	}
	if c.TLSCA != "" {
		text, err := os.ReadFile(c.TLSCA)
		if err == nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
			err = errors.New("it has no certificate in it")
		}
		if err != nil {
			return nil, fileError("--tlsca", c.TLSCA, err)
		}
		options = append(options, nats.RootCAs(c.TLSCA))
	}
	return options, nil
}

// checkCreds reports a file that has no credentials in it. Errors: Invalid.
func checkCreds(path string) error {
	text, err := os.ReadFile(path)
	if err == nil {
		_, err = nkeys.ParseDecoratedUserNKey(text)
	}
	if err != nil {
		return fileError("--creds", path, err)
	}
	return nil
}

// workerName is who this process is, for people: host and process id.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// embedded starts the server inside this process and opens the store on it.
func embedded(ctx context.Context, env *Env, c Embedding) (*session, error) {
	if env.Embed == nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "this program has no server inside; name one with --server or NATS_URL")
	}
	server, err := env.Embed(ctx, c)
	if err != nil {
		return nil, err
	}
	nc, err := server.Conn()
	if err != nil {
		return nil, errors.Join(foldstream.E(foldstream.Unavailable, "embedded server", err), server.Close())
	}
	s, err := open(ctx, nc, Connection{Endpoint: Endpoint{Replicas: 1}}, c.Log, server.Close, func() error { nc.Close(); return nil })
	if err == nil {
		s.url = server.URL()
	}
	return s, err
}

// dataHome returns the folder in which embedded stores lie by default.
func dataHome(getenv func(string) string) string {
	if dir := getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "foldstream")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, ".local", "share", "foldstream")
}
