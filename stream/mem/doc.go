// Package mem keeps a foldstream.Store in the memory of one process. It is the reference that every other Store is measured
// against: one mutex, plain maps, nothing clever. It is also the store of tests and of small runs that need not survive.
package mem
