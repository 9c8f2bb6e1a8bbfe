package test

import (
	"path/filepath"
	"testing"
)

// Consumers on machines of their own share the features of an experiment: each has a copy of the one piece, and the collection is that of one alone.
func TestConsumersSharePreparedData(t *testing.T) {
	alone := served(t, small)
	url, _ := serve(t, filepath.Join(t.TempDir(), "store"))
	mustRun(t, "producer", "submit", small, "-s", url)
	dirs := []string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		start(t, "consumer", "run", "--pool", "small", "-n", "1", "--cache", dir, "-s", url)
	}
	mustRun(t, "foldstream", "wait", "small", "-s", url)
	pieces := map[string]bool{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "prepared", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			pieces[filepath.Base(file)] = true
		}
	}
	if len(pieces) != 1 {
		t.Errorf("the consumers have the pieces %v", pieces)
	}
	show := func(url string) string {
		return mustRun(t, "foldstream", "collection", "show", "small", "--series", "--format", "csv", "-s", url)
	}
	if show(alone) != show(url) {
		t.Error("the collection differs from that of one process")
	}
}
