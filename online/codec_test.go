package online

import (
	"bytes"
	"testing"

	"github.com/foldstream/foldstream"
)

func full() State {
	day := func(d int) foldstream.Time { return foldstream.DateOf(2021, 3, d) }
	model := foldstream.Expectation{
		Key: foldstream.Key{{Name: "alpha", Value: "1"}}, Window: foldstream.Window{Index: 2, Of: 3},
		Test: foldstream.Segment{Start: day(2)}, Task: "abc",
	}
	return State{
		Pool: "p", Spec: foldstream.CollectionSpec{Frame: "pred", Score: "score", Ensemble: foldstream.EnsembleRank},
		Begin: day(1), Session: day(9), Calendar: "v", Switches: []Switch{{day(2), model}},
		Signals: []Part{{"2021-03", 7, 21, foldstream.Segment{Start: day(2), End: day(9)}, "d"}},
	}
}

func TestStateIsStoredWhole(t *testing.T) {
	for _, s := range []State{full(), {}, {Pool: "p", Begin: foldstream.DateOf(2021, 3, 1)}} {
		data, err := s.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decode("it", data)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := back.encode()
		if !bytes.Equal(data, again) {
			t.Errorf("%+v came back as %+v", s, back)
		}
	}
}

func TestStateThatIsNone(t *testing.T) {
	good, _ := full().encode()
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("online"), "cut": good[:len(good)-3], "longer": append(bytes.Clone(good), 0),
		"no date": bytes.Replace(good, []byte("2021-03-09"), []byte("2021-13-09"), 1),
	} {
		if s, err := decode("it", data); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func FuzzState(f *testing.F) {
	good, _ := full().encode()
	f.Add(good)
	f.Add([]byte{0x92, 1, 0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decode("it", data)
		if err != nil {
			return
		}
		stored, err := s.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decode("it", stored)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := back.encode(); !bytes.Equal(stored, again) {
			t.Errorf("%x came back as %x", stored, again)
		}
	})
}
