// Package collect folds the results of an experiment's tasks into its collection.
//
// The folds are pure: they hold members by place and reduce them in key order, so that equal sets of winning results give
// equal bytes, whatever the order they came in, however often, and however often somebody looked in between. Around the
// folds stand the stored collection (Load, Watch), the experiments with the members they must have (PutExperiment), the
// Aggregator, which keeps the collections of a store up to date, and the tables and series that people take away (WriteTable,
// WriteSeries).
//
// Beside them stand Qlib's collectors: a RecorderCollector or a MergeCollector gathers a Tree of frames, which a Chain of
// processors groups (GroupBy), folds (Ensemble) and unwraps (SingleKey).
package collect
