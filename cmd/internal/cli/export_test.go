package cli

import "github.com/foldstream/foldstream"

// What the tests reach for past the command line.
var (
	CompileWhere = compileWhere
	ParseConfig  = parseConfig
	Keeps        = keeps
	Ordered      = ordered
)

// Vary applies overrides as -S has them.
func Vary(t foldstream.Template, texts ...string) ([]foldstream.Template, error) {
	overrides, err := Overrides{texts}.parse()
	if err != nil {
		return nil, err
	}
	return vary(t, overrides)
}

// ParseOverride returns the values of an override.
func ParseOverride(text string) ([]any, error) {
	o, err := parseOverride(text)
	return o.values, err
}
