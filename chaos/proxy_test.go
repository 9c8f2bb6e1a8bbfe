package chaos

import (
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// through opens a proxy before an echo and a connection through it.
func through(t *testing.T) (*proxy, net.Conn) {
	t.Helper()
	p, err := openProxy(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	c, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return p, c
}

// say sends a byte and returns how long its echo took.
func say(t *testing.T, c net.Conn) (time.Duration, error) {
	t.Helper()
	began := time.Now()
	if err := c.SetDeadline(began.Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Write([]byte{7})
	if err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
	}
	return time.Since(began), err
}

func TestProxyStallsAndSlows(t *testing.T) {
	p, c := through(t)
	if _, err := say(t, c); err != nil {
		t.Fatal(err)
	}
	p.stall(300 * time.Millisecond)
	if took, err := say(t, c); err != nil || took < 250*time.Millisecond {
		t.Errorf("stalled it takes %v, %v", took, err)
	}
	p.slow(100 * time.Millisecond)
	if took, err := say(t, c); err != nil || took < 200*time.Millisecond {
		t.Errorf("slowed it takes %v, %v: it passes twice", took, err)
	}
}

func TestProxyCuts(t *testing.T) {
	p, c := through(t)
	if _, err := say(t, c); err != nil {
		t.Fatal(err)
	}
	p.cut()
	if _, err := say(t, c); err == nil {
		t.Error("what was cut still answers")
	}
	again, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if _, err := say(t, again); err != nil {
		t.Errorf("a new connection: %v", err)
	}
}
