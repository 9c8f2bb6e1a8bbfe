// Package work is what a consumer runs: a Runner takes tasks from a pool, checks them, brings their input data, has a
// registered worker do them, and commits what comes of it. It knows tasks only through the contracts of package foldstream.
//
// The workers that come with it are in the folders beside: exec, any command in any language, and ridge, a regression in Go.
package work
