package test

import (
	"encoding/json"
	"fmt"
)

// The notes of task_manager.json that say what to return.
const (
	noteKeyOrder = "recorded on an in-memory stand-in that ignores key order; a real MongoDB compares embedded " +
		"documents with their key order and would insert a second task. Hash a canonical form instead"
	noteNoPriority = "a task WITHOUT a priority sorts below every number, so even priority -1 runs before it; treat none " +
		"as 0"
	noteAnyStatus = "any text is taken as a status and such a task is then invisible to fetch and to wait; only the " +
		"known statuses should be accepted"
	noteNotFetched  = "a task nobody fetched can be committed; a commit needs a valid lease"
	noteCommitTwice = "the second commit overwrites the first without a word; first commit wins, or refuse by lease"
	noteTwoWorkers  = "after a reset two workers run the same task and both commits are taken; stale commits must be " +
		"refused"
	noteSecondPhase = "a task that crashed in its SECOND phase is reset to waiting, i.e. to before its first phase; " +
		"remember the phase and go back to part_done"
	noteDeadWorker = "tasks of a dead worker stay running for ever: nothing fetches them, wait never ends; leases must " +
		"expire"
	noteRemoved     = "committing a removed task does nothing and says nothing; return not-found"
	noteQueryStatus = "a status inside the query is overwritten by the status argument"
	noteUnknownID   = "asking for an unknown id fails on a null; return not-found"
	noteExit        = "an exit request is not caught: the task stays running"
	notePoison      = "the first failing task stops the worker and goes back to waiting; the next worker takes it again " +
		"and dies too. No try count, no failed status, no error kept: a poison task blocks the pool. Count " +
		"tries, store the error, move it aside"
	noteStarving   = "a failing task with a high priority starves every other task"
	notePartToPart = "part_done to part_done is documented as a legal mode, but the loop fetches the same task again and " +
		"never ends; run each task once per call"
	noteNeverEnds = "never ends, as above"
	noteNoPart    = "a part_done task without a stored result is a KeyError in the worker; part_done must always carry " +
		"its result"
)

// asRecorded is the recording, where a note's wish is decided against or met by it.
func asRecorded(v *vector) (any, error) { return v.Expect, nil }

// played is the recording with what some steps give, and how the tasks stand after them, by number from 0.
func played(steps map[int]string) func(v *vector) (any, error) {
	return func(v *vector) (any, error) {
		var all []json.RawMessage
		if err := json.Unmarshal(v.Expect, &all); err != nil {
			return nil, err
		}
		for i, step := range steps {
			if i >= len(all) || string(all[i]) == step {
				return nil, fmt.Errorf("step %d needs no other outcome", i)
			}
			all[i] = json.RawMessage(step)
		}
		return all, nil
	}
}

// The definitions of the scripts, running.
const (
	runningA = `{"task": "a", "def": {"model": "a", "lr": 0.1}, "status": "running"}`
	runningB = `{"task": "b", "def": {"model": "b", "lr": 0.1}, "status": "running"}`
	runningC = `{"task": "c", "def": {"model": "c", "lr": 0.2}, "status": "running"}`
)

// What the scripts give with leases that end once, statuses that are a closed set and errors that are told.
var (
	playedAnyStatus = played(map[int]string{
		2: `{"result": {"error": "invalid"}, "stat": {"running": 1, "waiting": 2}}`,
		3: `{"result": {"running": 1, "waiting": 2}, "stat": {"running": 1, "waiting": 2}}`,
		4: `{"result": 3, "stat": {"running": 1, "waiting": 2}}`,
	})
	playedNotFetched = played(map[int]string{
		1: `{"result": {"error": "conflict"}, "stat": {"waiting": 3}}`,
		2: `{"result": {"waiting": 3}, "stat": {"waiting": 3}}`,
		3: `{"result": ` + runningA + `, "stat": {"running": 1, "waiting": 2}}`,
		4: `{"result": ` + runningB + `, "stat": {"running": 2, "waiting": 1}}`,
		5: `{"result": ` + runningC + `, "stat": {"running": 3}}`,
	})
	playedCommitTwice = played(map[int]string{
		3: `{"result": {"error": "conflict"}, "stat": {"done": 1, "waiting": 2}}`,
		4: `{"result": {"task": "a", "def": {"model": "a", "lr": 0.1}, "status": "done", "res": 1}, "stat": {"done": 1, "waiting": 2}}`,
	})
	playedTwoWorkers = played(map[int]string{
		4: `{"result": {"error": "conflict"}, "stat": {"running": 1, "waiting": 2}}`,
	})
	playedSecondPhase = played(map[int]string{
		4: `{"result": null, "stat": {"part_done": 1, "waiting": 2}}`,
		5: `{"result": {"part_done": 1, "waiting": 2}, "stat": {"part_done": 1, "waiting": 2}}`,
		6: `{"result": {"task": "a", "def": {"model": "a", "lr": 0.1}, "status": "running", "res": {"rec": 1}},
			"stat": {"running": 1, "waiting": 2}}`,
	})
	playedRemoved = played(map[int]string{
		3: `{"result": {"error": "conflict"}, "stat": {"waiting": 2}}`,
	})
	playedQueryStatus = played(map[int]string{
		2: `{"result": null, "stat": {"running": 1, "waiting": 2}}`,
	})
	playedUnknownID = played(map[int]string{
		1: `{"result": {"error": "not found"}, "stat": {"waiting": 3}}`,
	})
	playedExit = played(map[int]string{
		1: `{"result": [` + runningA + `, "SystemExit"], "stat": {"waiting": 3}}`,
		2: `{"result": {"waiting": 3}, "stat": {"waiting": 3}}`,
		3: `{"result": ` + runningA + `, "stat": {"running": 1, "waiting": 2}}`,
	})
	playedPoison = played(map[int]string{
		1: `{"result": {"params_seen": [{"model": "a", "lr": 0.1}, {"model": "b", "lr": 0.1}], "returned": {"error": "failed"}},
			"stat": {"done": 1, "waiting": 2}}`,
		3: `{"result": {"params_seen": [{"model": "b", "lr": 0.1}], "returned": {"error": "failed"}},
			"stat": {"done": 1, "failed": 1, "waiting": 1}}`,
		4: `{"result": {"done": 1, "failed": 1, "waiting": 1}, "stat": {"done": 1, "failed": 1, "waiting": 1}}`,
	})
	playedStarving = played(map[int]string{
		2: `{"result": {"params_seen": [{"model": "b", "lr": 0.1}], "returned": {"error": "failed"}}, "stat": {"waiting": 3}}`,
		3: `{"result": {"params_seen": [{"model": "b", "lr": 0.1}], "returned": {"error": "failed"}}, "stat": {"failed": 1, "waiting": 2}}`,
		4: `{"result": {"failed": 1, "waiting": 2}, "stat": {"failed": 1, "waiting": 2}}`,
	})
	playedPartToPart = played(map[int]string{
		2: `{"result": {"params_seen": [], "returned": {"error": "invalid"}}, "stat": {"part_done": 1}}`,
	})
	playedNeverEnds = played(map[int]string{
		1: `{"result": {"params_seen": [], "returned": {"error": "invalid"}}, "stat": {"waiting": 1}}`,
	})
	playedNoPart = played(map[int]string{
		3: `{"result": {"params_seen": [null], "returned": true}, "stat": {"done": 1, "waiting": 2}}`,
		4: `{"result": {"done": 1, "waiting": 2}, "stat": {"done": 1, "waiting": 2}}`,
	})
)
