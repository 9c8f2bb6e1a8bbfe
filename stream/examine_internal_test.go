package stream

import (
	"testing"
	"time"
)

func TestJudgeClock(t *testing.T) {
	for _, c := range []struct {
		skew, within time.Duration
		want         Level
	}{
		{0, 0, Good}, {900 * time.Millisecond, 0, Good}, {-1500 * time.Millisecond, 0, Warning}, {1500 * time.Millisecond, 2 * time.Second, Good},
		{4 * time.Second, 0, Warning}, {6 * time.Second, 0, Critical}, {-6 * time.Second, time.Second, Critical}, {time.Hour, 0, Critical},
	} {
		if level, text := judgeClock(c.skew, c.within, 10*time.Second); level != c.want || text == "" {
			t.Errorf("a skew of %v within %v is %v, want %v: %s", c.skew, c.within, level, c.want, text)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		used, most int64
		want       Level
	}{{5, -1, Good}, {5, 0, Good}, {89, 100, Good}, {90, 100, Warning}, {98, 100, Critical}, {200, 100, Critical}} {
		if level, _ := usage(c.used, c.most, "streams"); level != c.want {
			t.Errorf("%d of %d: %v, want %v", c.used, c.most, level, c.want)
		}
	}
}

func TestAtLeast(t *testing.T) {
	for version, want := range map[string]bool{"2.12.0": true, "2.15.2": true, "3.0.0": true, "2.11.9": false, "1.99.0": false, "2.9.0-beta": false, "development": true, "": true} {
		if got := atLeast(version, 2, 12); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}

func TestSubjectMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, subject string
		want             bool
	}{
		{">", "a", true}, {"a.>", "a.b.c", true}, {"a.>", "a", false}, {"a.*", "a.b", true}, {"a.*", "a.b.c", false}, {"a.b", "a.b", true}, {"a.b", "a.c", false}, {"a.b.c", "a.b", false}, {"", "a", false},
	} {
		if got := subjectMatches(c.pattern, c.subject); got != c.want {
			t.Errorf("%q, %q: %v", c.pattern, c.subject, got)
		}
	}
}
