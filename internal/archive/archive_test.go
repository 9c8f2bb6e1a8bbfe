package archive_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/archive"
)

func digestOf(text string) foldstream.Digest {
	sum := sha256.Sum256([]byte(text))
	return foldstream.Digest(hex.EncodeToString(sum[:]))
}

// sample is an archive of an experiment, one entry of tasks and two artifacts.
func sample(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	a, err := archive.NewWriter(&b)
	check(t, err)
	check(t, a.PutBytes(archive.Experiment, []byte("e")))
	var data []byte
	for _, item := range items() {
		data, err = archive.AppendItem(data, item)
		check(t, err)
	}
	check(t, a.PutBytes(archive.TasksName(0), data))
	for _, text := range []string{"", strings.Repeat("model ", 300)} {
		check(t, a.Put(archive.BlobName(digestOf(text)), int64(len(text)), strings.NewReader(text)))
	}
	check(t, a.Close())
	return b.Bytes()
}

func items() []archive.Item {
	seed, priority := int64(7), -3
	task := foldstream.Task{
		ID: "aaaaaaaaaaaaaaaaaaaaaaaaaa", Priority: &priority, Experiment: "e", Tags: map[string]string{"a": "b"}, Deadline: time.Minute,
		Template: foldstream.Template{
			Task:     map[string]any{"int": int64(1), "big": int64(100000), "float": 1.0, "none": nil, "list": []any{int64(1), 2.5, "x"}, "map": map[string]any{"a": true}},
			Segments: foldstream.Segments{"test": {Start: foldstream.DateOf(2020, 1, 3)}}, Seed: &seed, Stages: []string{"a", "b"},
			Key: foldstream.Key{{Name: "h", Value: "5"}}, Window: foldstream.Window{Index: 1, Of: 2},
		},
		Data: []foldstream.Data{{Name: "prices", Digest: "d", Size: 9, Upload: true}}, Retry: foldstream.Retry{Attempts: 2},
	}
	frame := foldstream.Frame{Times: []foldstream.Time{foldstream.DateOf(2020, 1, 3)}, Columns: []foldstream.Column{{Name: "score", Values: []float64{0.1}}}}
	result := &foldstream.Result{
		Metrics: map[string]float64{"ic": 0.1 + 0.2, "loss": math.Inf(1)}, Frames: map[string]foldstream.Frame{"pred": frame}, Code: "v1", Worker: "w",
		Duration: time.Second, Artifacts: []foldstream.Artifact{{Name: "log", Digest: "d", Size: 3, Type: "text/plain"}},
		Series: foldstream.Series{{Metric: "loss", Step: 1, Value: 2}},
	}
	return []archive.Item{{Task: task, Result: result}, {Task: task}}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func nothing(archive.Kind, string, int64, io.Reader) error { return nil }

func TestArchiveIsReadAsItWasWritten(t *testing.T) {
	data := sample(t)
	var told []string
	var got []archive.Item
	m, err := archive.Read(bytes.NewReader(data), func(kind archive.Kind, name string, size int64, r io.Reader) error {
		told = append(told, string(kind)+" "+name)
		if kind == archive.KindTasks {
			return archive.Items(r, func(item archive.Item) error { got = append(got, item); return nil })
		}
		return nil
	})
	check(t, err)
	want := []string{string(archive.KindExperiment) + " " + archive.Experiment, "tasks 00000000", "artifact " + string(digestOf("")), "artifact " + string(digestOf(strings.Repeat("model ", 300)))}
	if d := cmp.Diff(want, told); d != "" || m.Version != archive.Version || len(m.Entries) != 5 {
		t.Error(d, m)
	}
	if d := cmp.Diff(items(), got, cmp.Comparer(func(a, b foldstream.Time) bool { return a == b }), cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

// Cut off anywhere, or with any byte changed, an archive is refused, in words.
func TestDamagedArchivesAreRefused(t *testing.T) {
	data := sample(t)
	end := bytes.LastIndex(data, []byte("]}")) + 2 // of the manifest; zeros follow
	for n := range end {
		if _, err := archive.Read(bytes.NewReader(data[:n]), nothing); !foldstream.Is(err, foldstream.Differs) && !foldstream.Is(err, foldstream.Invalid) {
			t.Fatalf("cut off after %d of %d bytes: %v", n, end, err)
		}
	}
	passed := 0
	for i := range end {
		changed := bytes.Clone(data)
		changed[i] ^= 0x40
		_, err := archive.Read(bytes.NewReader(changed), nothing)
		if err == nil {
			passed++ // the padding behind an entry, and behind the checksum of its header, says nothing
			if data[i] != 0 && data[i] != ' ' {
				t.Errorf("byte %d of %d may be changed: %q", i, end, data[max(0, i-20):i+20])
			}
		}
	}
	if passed > end/2 {
		t.Errorf("%d of %d bytes may be changed", passed, end)
	}
}

func TestForeignArchivesAreRefused(t *testing.T) {
	for name, files := range map[string][][2]string{
		"empty":        {},
		"another tar":  {{"README", "hello"}},
		"path":         {{"foldstream-archive", "1"}, {"../../etc/passwd", "x"}},
		"absolute":     {{"foldstream-archive", "1"}, {"/tasks/00000000", "x"}},
		"dots":         {{"foldstream-archive", "1"}, {"artifacts/../tasks/00000000", "x"}},
		"newer":        {{"foldstream-archive", "2"}},
		"no version":   {{"foldstream-archive", "one"}},
		"twice":        {{"foldstream-archive", "1"}, {"experiment", "x"}, {"experiment", "x"}},
		"other digest": {{"foldstream-archive", "1"}, {archive.BlobName(digestOf("a")), "b"}},
		"no manifest":  {{"foldstream-archive", "1"}, {"experiment", "x"}},
		"a wrong one":  {{"foldstream-archive", "1"}, {"experiment", "x"}, {"manifest.json", `{"version":1,"entries":[]}`}},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, f := range files {
			check(t, w.WriteHeader(&tar.Header{Name: f[0], Size: int64(len(f[1])), Mode: 0o600}))
			_, err := io.WriteString(w, f[1])
			check(t, err)
		}
		check(t, w.Close())
		if _, err := archive.Read(&b, nothing); !foldstream.Is(err, foldstream.Differs) && !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	check(t, w.WriteHeader(&tar.Header{Name: "foldstream-archive", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}))
	check(t, w.Close())
	if _, err := archive.Read(&b, nothing); !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("a link: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(sample(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := archive.Read(bytes.NewReader(data), func(kind archive.Kind, _ string, _ int64, r io.Reader) error {
			if kind == archive.KindTasks {
				return archive.Items(r, func(archive.Item) error { return nil })
			}
			return nil
		})
		if err != nil && foldstream.KindOf(err) == foldstream.Internal {
			t.Errorf("an error without a kind: %v", err)
		}
	})
}
