// Package cache keeps prepared data: what takes long to make of a task's data and is the same for many tasks, as the features of a data set that
// every window trains on. It is made once by whoever needs it first, and shared by all processes and machines: the counterpart of
// Qlib's replace_task_handler_with_cache (workflow/task/utils.py), which two processes build twice, and whose file does not know that the data
// behind it changed.
//
// A piece is known by a Key over everything it is made of. Its bytes are an artifact; the entry cache/<key> in the bucket Experiments names it; copies
// are in a folder of each machine, with a limit. Who builds holds the entry cache/<key> in the bucket Locks, and beats for it. A builder that died is
// succeeded after a lease; its late result does not count: the first entry stands.
package cache
