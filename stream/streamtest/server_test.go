package streamtest_test

import (
	"os"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream/stream/streamtest"
)

func TestServer(t *testing.T) {
	a, b := streamtest.Server(t), streamtest.Server(t)
	if a.Dir() == b.Dir() || a.URL() == b.URL() {
		t.Errorf("two tests share %s or %s", a.Dir(), a.URL())
	}
	answers(t, a.URL())
	answers(t, b.URL())
}

func TestServerProcess(t *testing.T) {
	p := streamtest.ServerProcess(t, t.TempDir())
	if p.PID() == os.Getpid() {
		t.Fatal("the server is in this process")
	}
	url := p.URL()
	answers(t, url)
	for range 2 {
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	if nc, err := nats.Connect(url); err == nil {
		nc.Close()
		t.Fatal("the server answers though it was killed")
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	answers(t, url)
}

func answers(t *testing.T, url string) {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.RTT(); err != nil {
		t.Error(err)
	}
}
