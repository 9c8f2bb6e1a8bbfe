package stream

import (
	"bytes"
	"encoding/hex"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/pack"
)

func sampleTask() foldstream.Task {
	seed, priority := int64(-7), 3
	return foldstream.Task{
		ID: "aaaaaaaaaaaaaaaaaaaaaaaaaa",
		Template: foldstream.Template{
			Task: map[string]any{
				"int": int64(1), "big": int64(1)<<53 - 1, "negative": int64(-3), "float": 1.0, "none": nil, "yes": true,
				"list": []any{int64(1), 2.5, "x", nil, []any{}}, "map": map[string]any{"a": map[string]any{}},
			},
			Segments: foldstream.Segments{
				"train": {End: foldstream.DateOf(2020, 1, 2)},
				"test":  {Start: foldstream.TimeOf(time.Date(2020, 1, 3, 9, 30, 0, 5, time.UTC)), End: foldstream.DateOf(2020, 2, 1)},
			},
			Horizon: 5, Seed: &seed, Stages: []string{"fit", "score"}, Worker: "ridge", Calendar: "c",
			Key: foldstream.Key{{Name: "h", Value: "5"}}, Window: foldstream.Window{Index: 1, Of: 2}, Reach: foldstream.Ahead(6),
			Leak: foldstream.Certificate{Policy: foldstream.Warn, Gap: -1, Faults: []string{"f"}},
		},
		Experiment: "e", Priority: &priority, Tags: map[string]string{"b": "2", "a": "1"},
		Data:  []foldstream.Data{{Name: "prices", Digest: "d", Size: 9, Upload: true}},
		Retry: foldstream.Retry{Attempts: 2, Backoff: time.Second}, Deadline: time.Minute,
	}
}

func TestCodec_Task(t *testing.T) {
	want := sampleTask()
	data, err := encodeTask(&want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeTask(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })); d != "" {
		t.Error(d)
	}
	want.Stage, want.Attempt, want.Part = "fit", 3, &foldstream.Result{Code: "x"}
	placed, err := encodeTask(&want)
	if err != nil || len(placed) != len(data) {
		t.Errorf("the place in life takes %d bytes, %v", len(placed)-len(data), err)
	}
}

func TestCodec_Result(t *testing.T) {
	want := foldstream.Result{
		Metrics: map[string]float64{"ic": math.NaN(), "ir": math.Inf(1), "one": 1}, Params: map[string]string{"a": "b"},
		Frames: map[string]foldstream.Frame{"pred": {
			Times: []foldstream.Time{foldstream.DateOf(2020, 1, 2)}, Instruments: []string{"A"},
			Columns: []foldstream.Column{{Name: "score", Values: []float64{math.NaN()}}},
		}},
		Artifacts: []foldstream.Artifact{{Name: "log", Digest: "d", Size: 3, Type: "text/plain"}}, Worker: "w", Duration: time.Second,
	}
	data, err := encodeResult(&want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeResult(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&want, got, cmpopts.EquateNaNs(), cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })); d != "" {
		t.Error(d)
	}
}

// TestCodec_Stored reads a definition as version 1 stored it: what is in a store must stay readable.
func TestCodec_Stored(t *testing.T) {
	data, err := hex.DecodeString(storedTask)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeTask(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sampleTask(), got, cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })); d != "" {
		t.Error(d)
	}
}

func TestDecode_Refused(t *testing.T) {
	good, err := encodeTask(new(sampleTask()))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty": nil, "another version": append([]byte{2}, good[1:]...), "cut": good[:len(good)/2], "more": append(good[:len(good):len(good)], 0),
	} {
		if _, err := decodeTask(data); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%s: %v; want invalid", name, err)
		}
	}
}

// FuzzDecode feeds every decoder of stored bodies: none may panic, and what it takes it must write again.
func FuzzDecode(f *testing.F) {
	task, err := encodeTask(new(sampleTask()))
	if err != nil {
		f.Fatal(err)
	}
	result, err := encodeResult(&foldstream.Result{Metrics: map[string]float64{"ic": 1}, Frames: map[string]foldstream.Frame{"pred": {}}})
	if err != nil {
		f.Fatal(err)
	}
	presence, err := encode(&Presence{Worker: "w", Expires: time.Unix(1, 0), Tasks: map[string]Work{"p/t": {Claim: 1}}, Seconds: map[string]Work{"p/u": {Claim: 2}}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{task, result, presence, {codecVersion}, nil} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		who, set := writtenAgain(t, data, decoded[Presence], encoded), writtenAgain(t, data, decoded[settings], encoded)
		writtenAgain(t, data, decoded[ending], encoded)
		renamed(t, data, writtenAgain(t, data, decodeTask, EncodeTask))
		writtenAgain(t, data, decodeResult, encodeResult)
		_ = who.told(time.Unix(1, 0))
		_ = validSettings(set)
	})
}

// renamed holds rename to what decoding and encoding would do.
func renamed(t *testing.T, data []byte, task foldstream.Task) {
	t.Helper()
	if again, err := decodeTask(data); err != nil || again.ID != task.ID {
		return
	}
	task.Experiment, task.Replaces = "again", ""
	want, wantErr := encodeTask(&task)
	got, err := decodeTask(rename(data, "again"))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := encodeTask(&got); !bytes.Equal(body, want) || (err == nil) != (wantErr == nil) {
		t.Errorf("renamed it is %v, %v; want %v, %v", body, err, want, wantErr)
	}
}

// TestRename_Bytes has the bytes of a renamed body be those of a task that is encoded, and what a version to come says there stay.
func TestRename_Bytes(t *testing.T) {
	for _, task := range []foldstream.Task{sampleTask(), fullTask()} {
		body, err := encodeTask(&task)
		if err != nil {
			t.Fatal(err)
		}
		task.Experiment, task.Replaces = "again", ""
		want, err := encodeTask(&task)
		if err != nil {
			t.Fatal(err)
		}
		if got := rename(body, "again"); !bytes.Equal(got, want) {
			t.Errorf("%q\n%q", got, want)
		}
	}
	data := pack.AppendBool(pack.AppendText(pack.AppendText(pack.AppendText(pack.AppendMap([]byte{codecVersion}, 2), "ID"), "x"), "Later"), true)
	want := pack.AppendText(pack.AppendText(append(pack.AppendMap([]byte{codecVersion}, 3), data[2:]...), "Experiment"), "again")
	if got := rename(data, "again"); !bytes.Equal(got, want) {
		t.Errorf("%q\n%q", got, want)
	}
}

// decoded and encoded are of the bodies that the library reads and writes.
func decoded[T any](data []byte) (v T, err error) {
	err = decode(data, &v)
	return v, err
}

func encoded[T any](v T) ([]byte, error) { return encode(&v) }

// writtenAgain reads data, holds what was read, or the refusal, to what is said of it, and returns it.
func writtenAgain[T any](t *testing.T, data []byte, read func([]byte) (T, error), write func(T) ([]byte, error)) T {
	t.Helper()
	v, err := read(data)
	if err != nil {
		if !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%T: %v", v, err)
		}
		return v
	}
	first, err := write(v)
	if err != nil {
		if !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%T: %v", v, err)
		}
		return v
	}
	again, err := read(first)
	if err != nil {
		t.Fatalf("%T: what was read is written and not read: %v", v, err)
	}
	second, err := write(again)
	slices.Sort(first) // maps of structs have no order for the library
	if slices.Sort(second); err != nil || !bytes.Equal(first, second) {
		t.Errorf("%T: written twice, it has other bytes: %v", v, err)
	}
	return v
}

// FuzzLink feeds an event's message to its reader, and what it takes to the writer: it must be read as the same.
func FuzzLink(f *testing.F) {
	end, err := encode(ending{"why"})
	if err != nil {
		f.Fatal(err)
	}
	id := ".p.aaaaaaaaaaaaaaaaaaaaaaaaaa"
	f.Add("fold.event"+id, uint64(9), "claim running run=n by=s after=0 attempt=3 until=2020-01-02T03:04:05Z ticket=3 delivery=1", "\"x\"", uint64(3), []byte(nil))
	f.Add("fold.event"+id, uint64(9), "end failed run=n by=a%20b after=8 moved=21 later crashes=99999999999999999999", "x", uint64(1)<<63, end)
	f.Add("fold.event.p.nobody", uint64(1), "result done until=yesterday", "", uint64(0), []byte{1, 0x80})
	s := &Store{lay: newLayout("fold"), nc: &nats.Conn{}}
	f.Fuzz(func(t *testing.T, subject string, seq uint64, line, trouble string, version uint64, data []byte) {
		m := &stored{subject: subject, seq: seq, data: data, header: nats.Header{}}
		setText(m.header, headerEvent, line)
		setText(m.header, headerTrouble, trouble)
		setNumber(m.header, headerVersion, version)
		l, err := readLink(m)
		if err != nil {
			if _, is := strangerIn(err); !is {
				t.Errorf("%v is no stranger", err)
			}
			return
		}
		l.open()
		if l.Kind == foldstream.EventResult && l.Result == nil || l.Attempt < 0 || l.crashes < 0 || l.next < 0 || l.moved < 0 || l.Expected >= l.Seq {
			t.Errorf("read as %+v", l)
		}
		written, err := s.message("", l)
		if err != nil {
			return // too large for a server that takes nothing
		}
		again, err := readLink(&stored{subject: written.Subject, seq: seq, header: written.Header, data: written.Data})
		if err != nil || again.Kind != l.Kind || again.Status != l.Status || again.Expected != l.Expected || again.moved != l.moved || !again.until.Equal(l.until) {
			t.Errorf("%+v was read again as %+v, %v", l, again, err)
		}
	})
}

// FuzzPlace feeds the headers of a schedule to its reader: what it takes brings a ticket of its own task.
func FuzzPlace(f *testing.F) {
	id := "." + string(sampleTask().ID)
	f.Add("fold.work.p.later.3"+id, "@at 2030-01-02T03:04:05.6Z", "fold.work.p._.3"+id)
	f.Add("fold.work.p.later.3"+id, "@every 1s", "fold.work.q._.3"+id)
	f.Add("fold.work.p.fit.3"+id, "", "elsewhere")
	f.Fuzz(func(t *testing.T, subject, at, target string) {
		m := &stored{subject: subject, header: nats.Header{}}
		setText(m.header, jetstream.ScheduleHeader, at)
		setText(m.header, jetstream.ScheduleTargetHeader, target)
		p, err := placeOf(m)
		if err != nil {
			if _, is := strangerIn(err); !is {
				t.Errorf("%v is no stranger", err)
			}
			return
		}
		if p.later && !strings.HasSuffix(target, "."+p.pool+"."+stageToken(p.lane.stage)+"."+strconv.Itoa(p.lane.band)+"."+string(p.id)) {
			t.Errorf("%q for %q brings %+v", target, subject, p)
		}
	})
}

// FuzzPoolKey feeds keys and values of the bucket Pools to who learns from them.
func FuzzPoolKey(f *testing.F) {
	set, err := encode(&settings{Lease: time.Second, Limit: 3})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("p", set)
	f.Add("p._.3", []byte(nil))
	f.Add("p.x.99", []byte("x"))
	f.Add("=.a.b.c", []byte{2, 0x80})
	f.Fuzz(func(t *testing.T, key string, data []byte) {
		s := &Store{pools: map[string]*Pool{}, log: slog.New(slog.DiscardHandler), cfg: Config{Lease: time.Second}}
		if err := s.learn(foldstream.Value{Key: key, Data: data, Revision: 1}); err != nil && !isNewer(err) {
			t.Errorf("%q: %v", key, err)
		}
		for name, p := range s.pools {
			for _, ln := range p.lanes {
				if ln.band < 0 || ln.band > foldstream.MaxBand {
					t.Errorf("%q made the lane %v", key, ln.laneName)
				}
			}
			if p.lease < minLease || p.lease > maxLease || foldstream.ValidName("pool", name) != nil {
				t.Errorf("%q made the pool %q with a lease of %v", key, name, p.lease)
			}
		}
	})
}

// FuzzTicket feeds a ticket's message to its reader.
func FuzzTicket(f *testing.F) {
	def, err := encodeTask(new(sampleTask()))
	if err != nil {
		f.Fatal(err)
	}
	id := "." + string(sampleTask().ID)
	f.Add("fold.work.p.fit.13"+id, "0", "", "", def)
	f.Add("fold.work.p.score.19"+id, "7", strconv.Itoa(len(def)), "", append(def[:len(def):len(def)], codecVersion, 0x80))
	f.Add("fold.work.p._.19.x", "7", "9", "2", []byte("short"))
	f.Add("fold.work.p.later.05"+id, "-1", "", "x", def)
	f.Fuzz(func(t *testing.T, subject, expect, part, version string, data []byte) {
		m := &stored{subject: subject, data: data, header: nats.Header{headerExpected: {expect}}}
		setText(m.header, headerPart, part)
		setText(m.header, headerVersion, version)
		var tk ticket
		if err := tk.parse(m); err != nil {
			if _, is := strangerIn(err); !is {
				t.Errorf("%v is no stranger", err)
			}
			return
		}
		if len(tk.def)+len(tk.part) != len(data) {
			t.Errorf("the body of %d bytes was read as %d and %d", len(data), len(tk.def), len(tk.part))
		}
		lay := newLayout("fold")
		if want := lay.ticket(tk.pool, tk.lane, tk.id); !tk.later && want != "fold.work"+subject[strings.Index(subject, "."+tk.pool+"."):] {
			t.Errorf("%s was read as %s", subject, want)
		}
		if task, err := tk.task(); err == nil && (task.ID != tk.id || task.Stage != tk.lane.stage) {
			t.Errorf("%s became task %s at stage %q", subject, task.ID, task.Stage)
		}
	})
}

const storedTask = "" +
	"01de0015a24944ba6161616161616161616161616161616161616161616161616161a45461736b88a3626967d3001fffffffffffffa5666c6f6174cb" +
	"3ff0000000000000a3696e74d30000000000000001a46c69737495d30000000000000001cb4004000000000000a178c090a36d617081a16180a86e65" +
	"676174697665d3fffffffffffffffda46e6f6e65c0a3796573c3a85365676d656e747382a5747261696e82a55374617274c400a3456e64c40a323032" +
	"302d30312d3032a47465737482a55374617274c41d323032302d30312d30335430393a33303a30302e303030303030303035a3456e64c40a32303230" +
	"2d30322d3031a7486f72697a6f6e05a453656564d3fffffffffffffff9a653746167657392a3666974a573636f7265a6576f726b6572a57269646765" +
	"a843616c656e646172a163a34b65799182a44e616d65a168a556616c7565a135a657696e646f7782a5496e64657801a24f6602a5526561636882a853" +
	"657373696f6e7306a54b6e6f776ec3a44c65616b87a6506f6c696379a47761726ea843616c656e646172a0a5526561636882a853657373696f6e7300" +
	"a54b6e6f776ec2a3476170ffa9436572746966696564c2a64661756c747391a166a54e6f746573c0aa4578706572696d656e74a165a85072696f7269" +
	"747903a45461677382a161a131a162a132a4446174619185a44e616d65a6707269636573a450617468a0a6446967657374a164a453697a65d3000000" +
	"0000000009a655706c6f6164c3a5526574727983a8417474656d70747302a74261636b6f6666d3000000003b9aca00a74365696c696e67d300000000" +
	"00000000a8446561646c696e65d30000000df8475800a55374616765a0a7417474656d707400a450617274c0"
