package chaos

import (
	"net"
	"slices"
	"strconv"
	"testing"
)

// TestFreePorts has ports that no system hands out by itself: a server that was killed finds its own again.
func TestFreePorts(t *testing.T) {
	ports, err := freePorts(20)
	if err != nil || len(ports) != 20 || len(slices.Compact(slices.Sorted(slices.Values(ports)))) != 20 {
		t.Fatalf("%v, %v; want 20 that differ", ports, err)
	}
	for _, port := range ports {
		if n, err := strconv.Atoi(port); err != nil || n >= 32768 {
			t.Errorf("%s is a port that a system may hand out", port)
		}
	}
	if _, err := freePorts(20_000); err == nil {
		t.Error("more ports were free than there are")
	}
}

// TestServer_AnswersByItself has somebody else listen on the port of a server that is down.
func TestServer_AnswersByItself(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	v := &server{actor: newActor(Config{Dir: t.TempDir()}, "server"), address: l.Addr().String()}
	if v.answers() {
		t.Error("a server that does not run answers")
	}
}
