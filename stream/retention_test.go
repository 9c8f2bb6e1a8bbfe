package stream_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestTheDocsStateTheRetentionOfEveryStream compares the table of docs/reliability.md with the streams that a store makes, and what it says can be
// changed with what the doctor has against it.
func TestTheDocsStateTheRetentionOfEveryStream(t *testing.T) {
	text, err := os.ReadFile("../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## What is kept, and for how long")
	stated := map[string][]string{}
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) == 7 {
			stated[strings.TrimSpace(cells[1])] = []string{strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3]), strings.TrimSpace(cells[4])}
		}
	}
	url := streamtest.Server(t).URL()
	s := open(t, url, stream.Config{})
	once := foldstream.Schedule{Name: "x", When: "@at 2099-01-01T00:00:00Z", Kind: "submit"}
	if err := s.Schedule(t.Context(), once, false); err != nil { // makes the stream of schedules
		t.Fatal(err)
	}
	js, err := jetstream.New(connect(t, url))
	if err != nil {
		t.Fatal(err)
	}
	there := 0
	for info := range js.ListStreams(t.Context()).Info() {
		there++
		name := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(info.Config.Name, "KV_"), "OBJ_"), "FOLD_")
		row := stated[name]
		if row == nil {
			t.Errorf("the docs do not say how long %s is kept", name)
			continue
		}
		if got := many(info.Config.MaxMsgsPerSubject); got != row[0] {
			t.Errorf("%s keeps %s a subject; the docs say %s", name, got, row[0])
		}
		if got := long(info.Config.MaxAge); got != row[1] {
			t.Errorf("%s keeps messages %s; the docs say %s", name, got, row[1])
		}
		other := info.Config
		other.MaxAge = 90 * 24 * time.Hour
		if free := !stream.Faulty(s, other); free != (row[2] == "yes") {
			t.Errorf("%s with another age is right to the doctor: %v; the docs say %q", name, free, row[2])
		}
	}
	if there != 12 {
		t.Errorf("there are %d streams", there)
	}
}

func many(n int64) string {
	if n < 0 {
		return "all"
	}
	return strconv.FormatInt(n, 10)
}

func long(d time.Duration) string {
	switch {
	case d == 0:
		return "for ever"
	case d%(24*time.Hour) == 0:
		return strconv.Itoa(int(d/(24*time.Hour))) + " days"
	}
	return d.String()
}
