// Package foldstream holds the vocabulary and the contracts of Foldstream: templates become tasks, tasks become
// tickets on a work-queue stream, leases become fenced results, results fold into collections.
//
// The package knows no technology: it imports the standard library only. Each room beside it fills one contract:
// gen turns templates into tasks, stream keeps them on NATS JetStream, work runs them, record tells what became of each, collect folds
// their results.
package foldstream
