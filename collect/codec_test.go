package collect

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

var compareTimes = cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })

func sampleGroup() Group {
	return Group{
		Key: foldstream.Key{{Name: "model.kwargs.alpha", Value: "0.5"}, {Name: "h", Value: "2"}},
		Coverage: foldstream.Coverage{
			Expected: 3, Present: 1, Failed: []foldstream.TaskID{"b"}, Missing: []foldstream.TaskID{"c"},
			Gaps:     []foldstream.Segment{{Start: day(3), End: day(5)}, {Start: day(7)}},
			Overlaps: []foldstream.Segment{{Start: day(1), End: day(1)}},
		},
		Windows: []Window{
			{Index: 0, Test: foldstream.Segment{Start: day(0), End: day(2)}, Task: "a", Status: foldstream.Done, Metrics: Metrics{"ic": 0.25, "a": -1}},
			{Index: 1, Test: foldstream.Segment{Start: day(3), End: day(5)}, Task: "b", Status: foldstream.Dead},
			{Index: 2, Test: foldstream.Segment{Start: day(7)}, Task: "c", Status: foldstream.Waiting, Fault: "none"},
		},
		Metrics: Metrics{MetricIC: 0.5, MetricICIR: 2, MetricRankIC: 0.75},
		Frame:   Blob{Digest: "abc"},
		Faults:  []string{"no portfolio"},
	}
}

func TestCodecRoundTrip(t *testing.T) {
	want := sampleGroup()
	want.Coverage.Duplicates, want.Windows[0].Code = []foldstream.Segment{{Start: day(1), End: day(2)}}, "v1"
	data, err := want.encode("basis", Blob{Inline: []byte("daily")})
	if err != nil {
		t.Fatal(err)
	}
	got, basis, daily, err := decodeGroup("group", data)
	if err != nil || basis != "basis" || string(daily.Inline) != "daily" {
		t.Fatal(basis, daily, err)
	}
	if d := cmp.Diff(want, got, compareTimes); d != "" {
		t.Error(d)
	}
	s := Summary{
		Members: "m", Spec: foldstream.CollectionSpec{Score: "s", Portfolio: foldstream.PortfolioSpec{TopK: 3, NDrop: 1, Cost: 0.5},
			Ensemble: "weighted", Weights: []foldstream.Weight{{Key: foldstream.Key{{Name: "h", Value: "2"}}, Weight: 0.25}}},
		Settled: true, Certified: true, Ensemble: true, Expected: 5, Present: 3, Failed: 2,
		Groups: []GroupSummary{{Key: want.Key, Expected: 5, Present: 3, Failed: 2}, {}},
		Gaps:   1, Overlaps: 2, Duplicates: 3, Codes: Codes{"": 1, "v1": 2},
	}
	if data, err = s.encode(); err != nil {
		t.Fatal(err)
	}
	back, err := decodeSummary("summary", data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s, back); d != "" {
		t.Error(d)
	}
}

// A spec without weights has the bytes that it had before there were any: its groups need not be folded again.
func TestCodecSpecWithoutWeights(t *testing.T) {
	data, err := encode(wire.SpecOf(foldstream.CollectionSpec{Ensemble: "average"}))
	if err != nil || bytes.Contains(data, []byte("weights")) {
		t.Errorf("%q, %v", data, err)
	}
}

// The bytes of version 1. A change of them makes stored collections look other than new ones: it needs a new version.
const goldenGroup = "92018da36b657994b26d6f64656c2e6b77617267732e616c706861a3302e35a168a132a56261736973a56261736973a86578" +
	"70656374656403a770726573656e7401a66661696c656491a162a76d697373696e6791a163a4676170739292aa323032302d" +
	"30312d3034aa323032302d30312d303692aa323032302d30312d3038a0a86f7665726c6170739192aa323032302d30312d30" +
	"32aa323032302d30312d3032a777696e646f77739386a5696e64657800a47465737492aa323032302d30312d3031aa323032" +
	"302d30312d3033a47461736ba161a6737461747573a4646f6e65a76d65747269637382a161cbbff0000000000000a26963cb" +
	"3fd0000000000000a56661756c74a086a5696e64657801a47465737492aa323032302d30312d3034aa323032302d30312d30" +
	"36a47461736ba162a6737461747573a66661696c6564a76d657472696373c0a56661756c74a086a5696e64657802a4746573" +
	"7492aa323032302d30312d3038a0a47461736ba163a6737461747573a777616974696e67a76d657472696373c0a56661756c" +
	"74a46e6f6e65a76d65747269637383a26963cb3fe0000000000000a469636972cb4000000000000000a772616e6b5f6963cb" +
	"3fe8000000000000a66661756c747391ac6e6f20706f7274666f6c696fa56461696c7982a6696e6c696e65c0a66469676573" +
	"74a0a56672616d6582a6696e6c696e65c0a6646967657374a3616263"

func TestCodecGolden(t *testing.T) {
	data, err := sampleGroup().encode("basis", Blob{})
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(data); got != goldenGroup {
		t.Errorf("the bytes are now\n%s", got)
	}
}

// Every NaN has the same bytes.
func TestCodecNaN(t *testing.T) {
	var all []string
	for _, bits := range []uint64{0x7ff8000000000001, 0xfff8000000000000, 0x7ff0000000000001} {
		data, err := Group{Metrics: Metrics{"x": math.Float64frombits(bits)}}.encode("", Blob{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(data))
	}
	if all[0] != all[1] || all[1] != all[2] {
		t.Errorf("%q", all)
	}
}

func TestCodecErrors(t *testing.T) {
	other, err := encode(map[string]int{"x": 1})
	if err != nil {
		t.Fatal(err)
	}
	other[1]++ // the version
	for name, data := range map[string][]byte{"empty": nil, "text": []byte("hello"), "version": other} {
		_, err := decodeSummary("collection x", data)
		if !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), "collection x") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	data, err := sampleGroup().encode("basis", Blob{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{0x92, 1, 0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		if g, basis, daily, err := decodeGroup("group", data); err == nil {
			if _, err := g.encode(basis, daily); err != nil {
				t.Error(err)
			}
		}
		if s, err := decodeSummary("summary", data); err == nil {
			if _, err := s.encode(); err != nil {
				t.Error(err)
			}
		}
		var lock wireLock
		_ = decode("lock", data, &lock)
	})
}

// FuzzMembers: a list of members that is read makes a fold, or none, and is written as it was.
func FuzzMembers(f *testing.F) {
	day := foldstream.DateOf(2020, 1, 2)
	data, err := encode(wire.MembersOf([]foldstream.Expectation{
		{Key: foldstream.Key{{Name: "a", Value: "1"}}, Window: foldstream.Window{Index: 0, Of: 2}, Test: foldstream.Segment{Start: day, End: day}, Task: "t"},
		{Key: foldstream.Key{{Name: "a", Value: "1"}}, Window: foldstream.Window{Index: 1, Of: 2}, Test: foldstream.Segment{Start: day}, Task: "u"},
	}, []foldstream.Time{day}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{0x92, 1, 0x81, 0xa7, 'm', 'e', 'm', 'b', 'e', 'r', 's', 0x91, 0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		var w wire.Members
		err := decode("members", data, &w)
		members, sessions, err2 := w.List()
		err = errors.Join(err, err2)
		if err != nil {
			return
		}
		if _, err := encode(wire.MembersOf(members, sessions)); err != nil {
			t.Error(err)
		}
		fold, err := newFold(foldstream.Experiment{Name: "x", Pool: "x"}, members, sessions)
		if err != nil {
			return
		}
		for i, m := range members {
			fold.apply(foldstream.Event{Seq: foldstream.Cursor(i + 1), Task: m.Task, Kind: foldstream.EventResult, Status: foldstream.Done, Result: &foldstream.Result{}}, foldstream.Frame{}, "none")
		}
		if !fold.settled() && len(members) > 0 {
			t.Errorf("%d members, each with a result, are not settled", len(members))
		}
		for _, g := range fold.groups {
			fold.value(g)
		}
	})
}
