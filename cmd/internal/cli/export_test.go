package cli

// What the tests reach for past the command line.
var (
	CompileWhere = compileWhere
	ParseConfig  = parseConfig
	Keeps        = keeps
	Ordered      = ordered
)
