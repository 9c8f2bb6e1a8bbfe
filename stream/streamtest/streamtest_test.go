package streamtest_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

func TestMain(m *testing.M) { streamtest.Main(m) }

// tries is how often a check may run before a mutant counts as not caught: some checks have goroutines that race, and the fault shows
// only where they meet.
const tries = 20

// TestMutants plants each fault in a sound store and wants the checks that are there for it to fail.
func TestMutants(t *testing.T) {
	checks := map[string]streamtest.Check{}
	for _, c := range allChecks() {
		checks[c.Name] = c
	}
	for _, m := range allMutants() {
		for _, name := range m.caught {
			t.Run(m.name+" / "+name, func(t *testing.T) {
				for range tries {
					if m.isCaught(t, checks[name]) {
						return
					}
				}
				t.Errorf("the check passes %d times of %d", tries, tries)
			})
		}
	}
}

// isCaught runs the check once against a fresh store with the fault.
func (m mutant) isCaught(t *testing.T, c streamtest.Check) (caught bool) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		b := &broken{}
		h := b.harness(m.opts)
		m.fault(b, &h)
		caught = c.Run(ctx, h) != nil
	})
	return caught
}

// TestMutants_EveryCheck wants every check to be one that can fail.
func TestMutants_EveryCheck(t *testing.T) {
	for _, c := range allChecks() {
		if !slices.ContainsFunc(allMutants(), func(m mutant) bool { return slices.Contains(m.caught, c.Name) }) {
			t.Errorf("no mutant shows that the check %q can fail", c.Name)
		}
	}
}

// TestMutants_Sound wants the store that the mutants are made of to pass.
func TestMutants_Sound(t *testing.T) {
	open := func(*testing.T, streamtest.Options) streamtest.Harness { return (&broken{}).harness(mem.Options{}) }
	streamtest.RunBubble(t, open)
	streamtest.RunAdminBubble(t, open)
}

func allChecks() []streamtest.Check {
	return slices.Concat(streamtest.Checks(), streamtest.AdminChecks())
}

func allMutants() []mutant {
	return slices.Concat(mutants, adminMutants, recordMutants, memoryMutants, scheduleMutants, secondMutants)
}
