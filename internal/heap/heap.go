// Package heap gives a process room for garbage.
package heap

// OfPrograms is the room of our programs, in bytes.
const OfPrograms = 16 << 20

// room is never written to: it takes addresses, and no memory.
var room []byte

// Room has the collector begin when there are size bytes of garbage more. By itself it begins when there is as much as there is in use, which
// in a process that keeps little and makes much, as one that works short tasks, is a hundred times a second, for a seventh of its time. A larger
// GOGC would do the same for a small heap, and double a large one; it stays the user's to set. A smaller room than there is changes nothing.
func Room(size int) {
	if size > len(room) {
		room = make([]byte, size)
	}
}
