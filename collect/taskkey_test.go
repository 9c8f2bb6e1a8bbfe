package collect

import (
	"strings"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
)

// Every text is told apart from every other, and comes back: an id from its key alone, any other text from what the roster holds of it.
func TestTaskKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfNDistinct(rapid.OneOf(rapid.StringMatching(`[a-z2-7]{26}`), rapid.StringMatching(`[a-z2-7]{25,27}`), rapid.String()), 1, 20, rapid.ID).Draw(t, "texts")
		keys := map[taskKey]string{}
		var members []foldstream.Expectation
		for i, text := range texts {
			key, exact := keyOf(foldstream.TaskID(text))
			if exact && string(key.id()) != text {
				t.Fatalf("%q came back as %q", text, key.id())
			}
			if other, taken := keys[key]; taken {
				t.Fatalf("%q and %q have one key", text, other)
			}
			keys[key] = text
			members = append(members, foldstream.Expectation{Task: foldstream.TaskID(text), Window: foldstream.Window{Index: i}})
		}
		f, err := newFold(foldstream.Experiment{}, members, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range texts {
			at := f.places(foldstream.TaskID(text))
			if len(at) != 1 || f.task(&f.slots[at[0]]) != foldstream.TaskID(text) || int(f.slots[at[0]].index) != i {
				t.Fatalf("%q is at %v", text, at)
			}
		}
	})
	if _, exact := keyOf(foldstream.TaskID(strings.Repeat("a", 26))); !exact {
		t.Error("an id is not exact")
	}
	if _, exact := keyOf(foldstream.TaskID(strings.Repeat("a", 25) + "b")); exact {
		t.Error("bits beyond the sixteenth byte are lost")
	}
}

// A member takes 48 bytes, and four for finding it.
func TestSlotIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(slot{}); size != 48 {
		t.Errorf("a slot has %d bytes", size)
	}
}
