package mem

import "github.com/foldstream/foldstream"

// Plant appends an event as nobody could by the contracts; what it follows is as given.
func (s *Store) Plant(e foldstream.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Seq = foldstream.Cursor(len(s.events) + 1)
	s.events = append(s.events, e)
}
