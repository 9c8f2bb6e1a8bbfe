package heap_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/foldstream/foldstream/internal/heap"
)

// A room makes collections rarer, and takes no memory itself.
func TestRoom(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	before, resident := collections(256<<20), memory(t)
	heap.Room(128 << 20)
	if after := collections(256 << 20); after > 4 || before < 4*after {
		t.Errorf("%d collections, and with room %d", before, after)
	}
	heap.Room(1 << 30)
	if more := memory(t) - resident; more > 512<<20 {
		t.Errorf("the room takes %d bytes", more)
	}
}

var garbage []byte

// collections makes so much garbage and counts how often it is collected.
func collections(bytes int) uint32 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range bytes >> 12 {
		garbage = make([]byte, 1<<12)
	}
	runtime.ReadMemStats(&after)
	return after.NumGC - before.NumGC
}

// memory is what this process has in memory, in bytes; 0 where no file tells it.
func memory(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
