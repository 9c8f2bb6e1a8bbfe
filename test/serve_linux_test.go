package test

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The embedded server asks for no password, so it listens to this machine alone, and no flag changes that.
func TestServeListensToThisMachineAlone(t *testing.T) {
	oneLine(t, []string{"serve", "--host", "0.0.0.0"}, 2, "unknown flag --host")
	address, _ := serve(t, t.TempDir())
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			t.Skip(err)
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line) // number, local address, remote address, state: 0A is listening
			if len(fields) < 4 || fields[3] != "0A" || !strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
				continue
			}
			if found++; fields[1] != fmt.Sprintf("0100007F:%04X", port) {
				t.Errorf("it listens on %s", fields[1])
			}
		}
	}
	if found != 1 {
		t.Errorf("%d listeners", found)
	}
}
