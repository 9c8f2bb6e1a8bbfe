// Package gen turns templates into tasks: generators multiply a template over rolling windows, horizons, parameters and
// seeds, the leak check certifies what they made, and the task id names it.
//
// Everything here is pure: no clock, no files, no goroutines. Equal input gives equal output, the templates passed in are
// never changed, and no two templates handed out share memory.
//
// The generators mirror Qlib's qlib/workflow/task/gen.py. By default they give what Qlib gives; where Qlib gives an
// accident (a test segment that ends before it starts, a train segment that reaches into the test, a step backwards), they
// give an error of kind Invalid or Leak that names the segment and the dates.
package gen
