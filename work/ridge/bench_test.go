package ridge_test

import (
	"context"
	"testing"

	"github.com/foldstream/foldstream/work/ridge"
)

// A task over the example's whole history: 75,000 train rows of 9 features.
func BenchmarkWork(b *testing.B) {
	t := dow30(b, 1)
	w := &ridge.Worker{}
	for b.Loop() {
		if _, err := w.Work(context.Background(), t, nil); err != nil {
			b.Fatal(err)
		}
	}
}
