// Package pack has the forms of msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md) for what is written and read too often for
// reflection: the definitions and results of tasks, and frames. What it writes, the library that all else goes by reads, and the other way round.
package pack
