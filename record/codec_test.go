package record_test

import (
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// FuzzExperiment: what is read as an experiment of a key has its name and a pool, or no members; all else is Invalid.
func FuzzExperiment(f *testing.F) {
	store := mem.New(mem.Options{})
	e := foldstream.Experiment{Name: "x", Pool: "x", Notes: []string{"note"}, Created: now}
	if err := record.PutExperiment(f.Context(), store, e, members(3)); err != nil {
		f.Fatal(err)
	}
	v, err := store.Values(foldstream.Experiments).Get(f.Context(), e.Name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(v.Data)
	f.Add([]byte{0x92, 1, 0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		read, _, err := record.DecodeExperiment(foldstream.Value{Key: e.Name, Data: data})
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Error(err)
			}
			return
		}
		if read.Name != e.Name || read.Members != "" && foldstream.ValidName("pool", read.Pool) != nil {
			t.Errorf("read as %+v", read)
		}
		if _, err := wire.Encode(1, wire.SpecOf(read.Collection)); err != nil {
			t.Error(err)
		}
	})
}
