package gen

import (
	"math"
	"strconv"

	"github.com/foldstream/foldstream"
)

// maxRange is the most values that a Range may have.
const maxRange = 100_000

// Range returns the values from, from + step, … up to and including to, as int64 or float64, for an Axis. Floats are rounded
// to 12 significant digits, so that 0.1, 0.2, 0.3 are what they look like. A step that leads away from to gives no values.
// Errors: Invalid: a step of 0, a number that is not finite, more than 100,000 values.
func Range[T int | int64 | float64](from, to, step T) ([]any, error) {
	n := (float64(to) - float64(from)) / float64(step)
	switch {
	case step == 0 || math.IsNaN(n) || math.IsInf(n, 0):
		return nil, foldstream.Errorf(foldstream.Invalid, "range", "from %v to %v by %v: the numbers must be finite and the step not 0", from, to, step)
	case n >= maxRange:
		return nil, foldstream.Errorf(foldstream.Invalid, "range", "from %v to %v by %v: %.15g values, more than %d", from, to, step, math.Floor(n)+1, maxRange)
	}
	values := []any{}
	for i := 0; float64(i) <= n+1e-9; i++ {
		values = append(values, rounded(from+T(i)*step))
	}
	return values, nil
}

func rounded[T int | int64 | float64](v T) any {
	switch v := any(v).(type) {
	case float64:
		f, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64)
		return f
	case int:
		return int64(v)
	}
	return any(v)
}
