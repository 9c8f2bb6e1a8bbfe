package exec

import "github.com/foldstream/foldstream"

// Limits are what one process of a command may take; 0 is no limit. They hold for each process that the command starts, not for all of them
// together: the limit of a whole consumer is its service manager's or container's to set.
type Limits struct {
	// Memory is how many bytes of memory of its own a process may have: heap and stacks, as RLIMIT_DATA counts them, and not the files
	// that it maps. What asks for more is refused it, and mostly ends.
	Memory int64
	// File is how many bytes a file may have that a process writes; who writes more gets SIGXFSZ.
	File int64
}

// Check reports limits that cannot be kept here. Errors: Invalid.
func (l Limits) Check() error {
	switch {
	case l.Memory < 0 || l.File < 0:
		return foldstream.Errorf(foldstream.Invalid, "exec", "a limit is below 0: memory %d, file size %d", l.Memory, l.File)
	case l != Limits{} && !canLimit:
		return foldstream.Errorf(foldstream.Invalid, "exec", "limits on a command's memory and files are kept on Linux only")
	}
	return nil
}
