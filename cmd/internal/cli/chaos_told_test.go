package cli_test

import (
	"strings"
	"testing"

	"github.com/foldstream/foldstream/cmd/internal/cli"
)

// TestChaos_ToldUnjudged has a run that came to no judgement, as on a full disk, not say that all is well.
func TestChaos_ToldUnjudged(t *testing.T) {
	for _, c := range []struct {
		name     string
		findings []string
		fine     bool
	}{{"unjudged", nil, false}, {"nothing found", []string{}, true}, {"something found", []string{"2 tasks failed"}, false}} {
		if told := cli.ToldOfChaos(c.findings); strings.Contains(told, "nothing was lost") != c.fine {
			t.Errorf("%s: %s", c.name, told)
		}
	}
}
