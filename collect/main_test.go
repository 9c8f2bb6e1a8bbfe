package collect_test

import (
	"testing"

	"github.com/foldstream/foldstream/stream/streamtest"
)

func TestMain(m *testing.M) { streamtest.Main(m) }
