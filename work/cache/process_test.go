package cache_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
	"github.com/foldstream/foldstream/work/cache"
)

// childVariable makes this test's binary a process that gets one piece: "URL DIR HOW".
const childVariable = "FOLDSTREAM_TEST_CACHE"

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		words := strings.Fields(text)
		if err := child(words[0], words[1], words[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	streamtest.Main(m)
}

// child prints "building" when it builds, and then what it got. How "hang" never ends the building.
func child(url, dir, how string) error {
	store, done, err := dial(url)
	if err != nil {
		return err
	}
	defer done()
	c, err := cache.Open(cache.Config{Store: store, Dir: dir, Lease: lease, Holder: how})
	if err != nil {
		return err
	}
	k, err := cache.KeyOf("of processes", "1")
	if err != nil {
		return err
	}
	f, err := c.Get(context.Background(), k, func(ctx context.Context, w io.Writer) error {
		fmt.Println("building")
		if how == "hang" {
			_, _ = io.WriteString(w, "half of it")
			<-ctx.Done()
		}
		_, err := io.WriteString(w, "the piece")
		return err
	})
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	fmt.Printf("got %s\n", data)
	return err
}

func dial(url string) (*stream.Store, func(), error) {
	nc, err := nats.Connect(url)
	if err != nil {
		return nil, nil, err
	}
	store, err := stream.Open(context.Background(), nc, stream.Config{})
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return store, func() { _ = store.Close(); nc.Close() }, nil
}

// started starts a child and returns it with its output.
func started(t *testing.T, url, dir, how string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+url+" "+dir+" "+how)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

// A builder that is killed is succeeded by one of those who wait, and by one only; what it left half written is in nobody's way.
func TestKilledBuilder(t *testing.T) {
	url, dir := streamtest.Server(t).URL(), t.TempDir()
	killed, out := started(t, url, dir, "hang")
	if !out.Scan() || out.Text() != "building" {
		t.Fatalf("it says %q", out.Text())
	}
	var waiting []*bufio.Scanner
	for _, where := range []string{dir, dir, t.TempDir()} {
		_, out := started(t, url, where, "build")
		waiting = append(waiting, out)
	}
	select { // they wait for as long as the builder lives, longer than its lease
	case <-time.After(3 * lease):
	case <-t.Context().Done():
	}
	ok(t, killed.Process.Kill())
	built := 0
	for i, out := range waiting {
		var last string
		for out.Scan() {
			if last = out.Text(); last == "building" {
				built++
			}
		}
		if last != "got the piece" {
			t.Errorf("process %d says %q", i, last)
		}
	}
	if built != 1 {
		t.Errorf("built %d times after the kill", built)
	}
}
