package test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// diagnosis is what doctor --json says.
type diagnosis struct {
	Level    string
	Findings []struct{ About, Level, Text string }
	Foreign  []struct {
		Stream, Subject, Reason string
		Seq                     uint64
		Newer, Aside            bool
	}
}

func TestDoctor(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	out := run(t, "foldstream", "doctor", "-s", url)
	if out.code != 0 || !strings.Contains(out.stdout, "ok       foreign messages: none") || strings.Contains(out.stdout, "critical") || out.stderr != "" {
		t.Errorf("a sound server: %+v", out)
	}
	plantAs(t, url, "fold.work.p._.3.nobody", nil, "hello \x1b[31m")
	plantAs(t, url, "fold.event.p.aaaaaaaaaaaaaaaaaaaaaaaaaa", nats.Header{"Fold-Version": {"7"}}, "")
	out = run(t, "foldstream", "doctor", "--json", "-s", url)
	var d diagnosis
	if err := json.Unmarshal([]byte(out.stdout), &d); err != nil || out.code != 0 || d.Level != "warning" || len(d.Foreign) != 2 {
		t.Fatalf("%v: %+v", err, out)
	}
	for _, f := range d.Foreign {
		if f.Stream == "FOLD_WORK" && (f.Newer || f.Aside || f.Seq != 1 || !strings.Contains(f.Reason, "no task's id")) ||
			f.Stream == "FOLD_EVENTS" && (!f.Newer || !strings.Contains(f.Reason, "version 7")) {
			t.Errorf("%+v", f)
		}
	}
	if out := mustRun(t, "foldstream", "doctor", "-s", url); !strings.Contains(out, "foreign message: FOLD_WORK, sequence 1, subject fold.work.p._.3.nobody is not ours") {
		t.Error(out)
	}
	js, err := jetstream.New(connected(t, url))
	if err == nil {
		err = js.DeleteStream(t.Context(), "FOLD_DLQ")
	}
	if err != nil {
		t.Fatal(err)
	}
	if out := run(t, "foldstream", "doctor", "-s", url); out.code != 5 || !strings.Contains(out.stdout, "critical streams: FOLD_DLQ missing") {
		t.Errorf("a server that lacks a stream: %+v", out)
	}
	if out := run(t, "foldstream", "doctor", "-s", "nats://127.0.0.1:1"); out.code != 1 {
		t.Errorf("no server: %+v", out)
	}
}

func TestCheck(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	for format, want := range map[string]string{
		"nagios": "FOLDSTREAM OK: ", "text": "\nok\n", "prometheus": "\nfoldstream_check_state 0\n", "json": `"state": "ok"`,
	} {
		if out := run(t, "foldstream", "check", "--format", format, "-s", url); out.code != 0 || !strings.Contains(out.stdout, want) || out.stderr != "" {
			t.Errorf("%s: %+v", format, out)
		}
	}
	file, _ := jobFile(t, "good", 2)
	mustRun(t, "producer", "submit", file, "-s", url)
	if out := run(t, "foldstream", "check", "--idle", "-s", url); out.code != 1 || !strings.Contains(out.stdout, "WARNING") || !strings.Contains(out.stdout, "waiting_tickets=2") {
		t.Errorf("nobody works: %+v", out)
	}
	if out := run(t, "foldstream", "check", "-s", "nats://127.0.0.1:1"); out.code != 2 || !strings.Contains(out.stdout, "FOLDSTREAM CRITICAL: connection: no NATS server") {
		t.Errorf("no server: %+v", out)
	}
	bare := configured(t, &server.Options{})
	if out := run(t, "foldstream", "check", "-s", bare); out.code != 2 || !strings.Contains(out.stdout, "JetStream: there is none for this account") {
		t.Errorf("no JetStream: %+v", out)
	}
}

func connected(t *testing.T, url string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// plantAs publishes a message of another program's into a stream.
func plantAs(t *testing.T, url, subject string, header nats.Header, body string) {
	t.Helper()
	js, err := jetstream.New(connected(t, url))
	if err == nil {
		_, err = js.PublishMsg(t.Context(), &nats.Msg{Subject: subject, Header: header, Data: []byte(body)})
	}
	if err != nil {
		t.Fatal(err)
	}
}
