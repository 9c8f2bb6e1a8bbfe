package report

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/foldstream/foldstream"
)

// All text of a report that is made of numbers is made here.

// missing stands where a number is undefined.
const missing = "–"

// number writes v with a fixed count of decimals and a real minus sign; NaN and infinities are missing.
func number(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return missing
	}
	if math.Abs(v) >= 1e15 {
		return strings.Replace(strconv.FormatFloat(v, 'e', 1, 64), "-", "−", 1)
	}
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	if v < 0 && strings.Trim(s, "0.") != "" {
		return "−" + s
	}
	return s
}

// percent writes the share v as a percentage.
func percent(v float64, decimals int) string {
	if s := number(v*100, decimals); s != missing {
		return s + "%"
	}
	return missing
}

// signed is a whole percentage with a plus where what is written is above zero.
func signed(v float64) string {
	s := percent(v, 0)
	if v > 0 && s != missing && strings.Trim(s, "0.%") != "" {
		return "+" + s
	}
	return s
}

// count writes n with commas between thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural writes "1 task", "2 tasks".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// pos writes a coordinate or a percentage of the width, to a tenth where it is a path's and a hundredth elsewhere, without
// idle zeros: equal input gives equal bytes on every machine.
func pos(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// clean replaces what neither XML nor a reader can take: broken UTF-8, control characters, and what is not seen but changes
// how its surroundings read, as marks of direction do. The two joiners, which some scripts need, stay.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\u200c', r == '\u200d':
			return r
		case r == '\t', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf), r&0xfffe == 0xfffe:
			return '\uFFFD'
		}
		return r
	}, s) // Map itself mends broken UTF-8
}

// period writes a segment in words; an open end is left open.
func period(s foldstream.Segment) string {
	return or(s.Start.String(), "…") + " to " + or(s.End.String(), "…")
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// maxName is how long a name of the user's can be, in characters.
const maxName = 80

// keyText writes a configuration for people.
func keyText(k foldstream.Key) string {
	parts := make([]string, len(k))
	for i, c := range k {
		parts[i] = cut(c.Name+" "+c.Value, maxName)
	}
	return clean(or(strings.Join(parts, ", "), "the one configuration"))
}

// cut shortens s to n characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
