//go:build !linux

package chaos

// There is no way to do these from outside of a process.
var faultsOfDisks, faultsOfCommands []fault
