package calendar_test

import (
	"bytes"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"2020-01-02\n2020-01-03\n", "20200102", "2020-09-24 09:30:00\r\n2020-09-24 09:31:00\r\n", "\ufeff2020-01-02\n\n\n", "0001-01-01", "", "x\n",
		"2020-01-03\n2020-01-02", "2020-01-02T00:00:00.5\n2020-01-02T00:00:00.50000000001"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := calendar.Parse(bytes.NewReader(data))
		checkRead(t, c, err)
	})
}

func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{"date,a\n2020-01-02,1\n2020-01-03,2\n", "a,date\n1,2020-01-02\n", "date\n\"2020-01-02\n\"\n", "date,date\n", "date\n2020-01-02\n2020-01-02", "date,a\n2020-01-02\n",
		"\"da\nte\"\n"} {
		f.Add([]byte(seed), "date")
	}
	f.Fuzz(func(t *testing.T, data []byte, column string) {
		c, err := calendar.ReadCSV(bytes.NewReader(data), column)
		checkRead(t, c, err)
	})
}

// checkRead wants an error of kind Invalid, or a good calendar that its text gives back.
func checkRead(t *testing.T, c *calendar.Calendar, err error) {
	t.Helper()
	if err != nil {
		if !foldstream.Is(err, foldstream.Invalid) {
			t.Fatalf("kind %s: %v", foldstream.KindOf(err), err)
		}
		return
	}
	all, err := c.Slice(foldstream.Segment{})
	if err != nil || len(all) != c.Len() {
		t.Fatalf("%d sessions of %d, %v", len(all), c.Len(), err)
	}
	again, err := calendar.New(all)
	if err != nil {
		t.Fatalf("read a list that New refuses: %v", err)
	}
	parsed, err := calendar.Parse(bytes.NewReader(c.Text()))
	if err != nil || parsed.Version() != c.Version() || again.Version() != c.Version() {
		t.Fatalf("the text gives back %v, %v", parsed, err)
	}
}
