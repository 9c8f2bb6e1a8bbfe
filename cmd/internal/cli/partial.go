package cli

import (
	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// Partial is the flags of every command that writes a collection into files.
type Partial struct {
	Strict       bool `xor:"partial" help:"Write no file of an incomplete collection: the default."`
	AllowPartial bool `xor:"partial" help:"Write the files of an incomplete collection too, marked as such; the exit code is 5 all the same."`
}

// refuse is the error of an incomplete collection, of which nothing is to be written; nil of a complete one, or where that is allowed.
func (p Partial) refuse(col collect.Collection) error {
	err := refuseIncomplete(col)
	if err == nil || p.AllowPartial {
		return nil
	}
	return foldstream.Errorf(foldstream.Incomplete, "", "%w; --allow-partial writes it all the same, marked", err)
}
