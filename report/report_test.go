package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/foldstream/foldstream/report"
)

func html(t *testing.T, r report.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// With FOLDSTREAM_LOOK=DIR the sample pages are written there, for eyes.
func TestSampleIsSmall(t *testing.T) {
	whole, broken := sampleReport(), sampleReport()
	broken.Failures = breakSome(&broken.Collection)
	for name, r := range map[string]report.Report{"whole.html": whole, "broken.html": broken} {
		page := html(t, r)
		if len(page) > 1<<20 {
			t.Errorf("%s has %d bytes, over 1 MiB", name, len(page))
		}
		if dir := os.Getenv("FOLDSTREAM_LOOK"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name), page, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
