package collect

import (
	"bytes"
	"context"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// maxValue is the most bytes of a group's value that are stored in the bucket, whose values a server bounds; the whole of a larger one goes
// to the artifacts.
const maxValue = 512 << 10

// wireLarge is what stands in the bucket for a value that is an artifact. Its basis has the name of that of a wireGroup.
type wireLarge struct {
	Basis string `msgpack:"basis"`
	Large string `msgpack:"large"`
}

// fitted returns a group's value as it is stored in the bucket. That of a group that may still change has no list of its windows and of its
// missing members where it is too large with them, as such lists would be stored again with every result.
func (k *keeper) fitted(ctx context.Context, g Group, final bool, basis foldstream.Digest, daily Blob) ([]byte, error) {
	data, err := g.encode(basis, daily)
	if err == nil && len(data) > maxValue && !final {
		g.Windows, g.Coverage.Missing = nil, nil
		data, err = g.encode(basis, daily)
	}
	if err != nil || len(data) <= maxValue {
		return data, err
	}
	d, _, err := k.Store.Artifacts().Put(ctx, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return encode(&wireLarge{string(basis), string(d)})
}

// whole returns a group's value that may be an artifact. Errors: NotFound (it is gone), those of the store.
func whole(ctx context.Context, store foldstream.Store, data []byte) ([]byte, error) {
	var w wireLarge
	if err := decode("group", data, &w); err != nil || w.Large == "" {
		return data, nil // whoever reads it as a group says what is wrong
	}
	return wire.ReadArtifact(ctx, store.Artifacts(), foldstream.Digest(w.Large))
}
