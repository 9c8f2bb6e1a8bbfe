// Package qlib reads the files that describe an experiment: Foldstream's own experiment file, and Qlib's task dict and
// workflow YAML as a source of templates. What it reads becomes templates, generators and, with a calendar, a Plan.
//
// Reading is strict: an unknown or doubled key, a value of the wrong type or a number that would not survive JSON is an
// error that names file, line, column and field, and all errors of a file come at once. Scalars follow YAML 1.2 as Qlib's
// runner reads them (yes and no are text); dates stay text as written. The package opens no file itself.
package qlib
