// Package exec is the worker that runs any command in any language: the task goes to its standard input as JSON, the result
// comes back as JSON on its standard output or in the file that $FOLDSTREAM_OUT names.
package exec
