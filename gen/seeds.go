package gen

import (
	"strconv"

	"github.com/foldstream/foldstream"
)

// Seeds makes one template for each seed, in order. It sets Template.Seed and the choice "seed". No seeds make nothing.
type Seeds struct {
	Seeds []int64
}

var _ foldstream.Generator = Seeds{}

// Generate returns one template for each seed. Errors: Invalid for a seed beyond ±(2^53−1), which JSON would not keep.
func (s Seeds) Generate(t foldstream.Template) ([]foldstream.Template, error) {
	out := make([]foldstream.Template, len(s.Seeds))
	for i, seed := range s.Seeds {
		if seed > maxInt || seed < -maxInt {
			return nil, foldstream.Errorf(foldstream.Invalid, "seeds", "seed %d is beyond ±(2^53−1)", seed)
		}
		out[i] = t.Clone()
		out[i].Seed = &seed
		out[i].Key = t.Key.With("seed", strconv.FormatInt(seed, 10))
	}
	return out, nil
}
