// Package calendar holds trading sessions and the arithmetic on them: aligning a date to a session, shifting, truncating
// and slicing segments, reading calendars from Qlib's text files and from a column of a CSV, and those of the exchanges whose
// closed days are known here.
//
// It is pure: no clock, no state, readers take what they read. It does what Qlib's TimeAdjuster (workflow/task/utils.py)
// and calendar provider (data/data.py) do on good input; on input where those wrap around, collapse or fall silent, it
// returns a named error of kind Invalid instead.
package calendar
