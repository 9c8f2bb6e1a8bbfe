// Package record holds experiments and recorders: who belongs to an experiment, what became of each piece of its work, and what people
// wrote beside it. It stands on the contracts of package foldstream alone, so that it works on every Store.
//
// There is one truth. The recorder of a task is a view of the task's events: its status, parameters, metrics, tags, artifacts, times and
// worker are those of the winning result, or of the attempt that runs or failed. Nothing of it is written a second time, so that a task that
// was tried twice has logged nothing twice. What people add, and work that is no task (a free recorder: an ensemble, a notebook), are
// documents in the bucket EXPERIMENTS under EXPERIMENT.RECORDER, changed by compare-and-set.
package record
