package foldstream

import "maps"

// Status is where a task stands in its life.
type Status string

// The statuses. The first four are Qlib's. Waiting covers delayed and returned tasks.
const (
	Waiting   Status = "waiting"
	Running   Status = "running"
	PartDone  Status = "part_done" // a stage is done, the next one waits
	Done      Status = "done"
	Dead      Status = "failed" // worked and given up; a copy is in the dead letters
	Withdrawn Status = "cancelled"
	Removed   Status = "removed"
)

// Final reports whether no worker will touch a task of this status again unless somebody asks for it.
func (s Status) Final() bool {
	return s == Done || s == Dead || s == Withdrawn || s == Removed
}

// Counts is how many tasks of a pool have each status; a status without tasks is absent.
type Counts map[Status]int

// Total returns the number of tasks ever created in the pool.
func (c Counts) Total() int {
	n := 0
	for k := range maps.Values(c) {
		n += k
	}
	return n
}

// Open returns the number of tasks whose status is not final.
func (c Counts) Open() int {
	n := 0
	for s, k := range c {
		if !s.Final() {
			n += k
		}
	}
	return n
}
