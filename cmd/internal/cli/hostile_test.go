package cli_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/foldstream/foldstream/cmd/internal/cli"
)

// FuzzSize: a size is a number of bytes above 0 or is refused.
func FuzzSize(f *testing.F) {
	for _, seed := range []string{"1", "512M", "8GiB", "1k", "9223372036854775807", "99999999T", "-1", "0", "M", "1MM", "１"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s cli.Size
		if s.UnmarshalText([]byte(text)) == nil && s < 1 {
			t.Errorf("%q is %d", text, s)
		}
	})
}

func TestSize(t *testing.T) {
	for text, want := range map[string]cli.Size{"1": 1, "512M": 512 << 20, "8GiB": 8 << 30, "1k": 1 << 10, "2t": 2 << 40, "7B": 7} {
		var s cli.Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s is %d, %v", text, s, err)
		}
	}
}

// FuzzSecrets: a password in the address of a server is in nothing that is told of it.
func FuzzSecrets(f *testing.F) {
	for _, seed := range []string{"nats://%s@h:1", "nats://u:%s@h", "u:%s@h,nats://u:%s@[::1", "tls://u:%s@h/path?x=%%", "nats://u:%s@a b"} {
		f.Add(seed)
	}
	const secret = "hunter2hunter2"
	f.Fuzz(func(t *testing.T, pattern string) {
		if n := strings.Count(pattern, "%s"); n == 0 || !strings.Contains(pattern, "%s@") || strings.Count(pattern, "%s@") != n {
			return
		}
		address := strings.ReplaceAll(pattern, "%s", secret)
		if told := cli.HideInURLs(address); strings.Contains(told, secret) {
			t.Errorf("%q is told as %q", address, told)
		}
		if err := cli.WithoutSecrets(errors.New(`parse "`+address+`": no`), address); strings.Contains(err.Error(), secret) {
			t.Errorf("%q is told by %v", address, err)
		}
		if err := cli.CheckAddress(address); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%q is told by %v", address, err)
		}
	})
}
