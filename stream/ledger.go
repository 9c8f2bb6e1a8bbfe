package stream

import (
	"encoding/base32"
	"fmt"

	"github.com/foldstream/foldstream"
)

// ledger is what the events of one task say, read one by one.
type ledger struct {
	last    foldstream.Cursor
	status  foldstream.Status
	results int                  // of the present life
	kind    foldstream.EventKind // of the last event
}

// add takes the task's next event and returns what is wrong with it, "" where nothing is. The first one read may follow another:
// a task keeps its youngest events only.
func (l *ledger) add(e foldstream.Event) (wrong string) {
	back := e.Kind == foldstream.EventEnd && e.Status == foldstream.Waiting
	switch {
	case e.Expected >= e.Seq || l.last != 0 && e.Expected != l.last:
		wrong = fmt.Sprintf("follows event %d, but the one before it is %d", e.Expected, l.last)
	case l.status.Final() && e.Status != foldstream.Removed && (!back || l.status == foldstream.Done):
		wrong = fmt.Sprintf("comes after it was %s", l.status)
	}
	if e.Status == foldstream.Removed {
		l.results = 0
	}
	if e.Kind == foldstream.EventResult {
		l.results++
	}
	if e.Kind == foldstream.EventResult && e.Origin.Seq == 0 && l.kind != foldstream.EventClaim && e.Expected == l.last {
		wrong = "is the result of no claim and was not taken over"
	}
	if l.results > 1 {
		wrong = fmt.Sprintf("is result %d of one life", l.results)
	}
	l.last, l.status, l.kind = e.Seq, e.Status, e.Kind
	return wrong
}

// key is a TaskID in less room.
type key [17]byte

var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// keyOf returns the key of an id; false where it is none. The 26 characters are 130 bits, all of which count.
func keyOf(id foldstream.TaskID) (k key, ok bool) {
	if !id.Valid() {
		return k, false
	}
	_, err := idText.Decode(k[:], []byte(id+"aa"))
	return k, err == nil
}

func (k key) id() foldstream.TaskID { return foldstream.TaskID(idText.EncodeToString(k[:])[:26]) }
