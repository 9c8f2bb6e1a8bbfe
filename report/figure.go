package report

// figure is a drawing with what is said beside it.
type figure struct {
	drawing
	Note   string
	Legend []swatch
}

// swatch is an entry of a legend: a line, or a box.
type swatch struct {
	Class, Label string
	Box          bool
	Choose       string // the curves of this class can be hidden by it
}

// Single reports whether the figure has one curve, which then needs no name.
func (f figure) Single() bool { return len(f.Curves) == 1 }
