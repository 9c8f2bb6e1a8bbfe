package ridge

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/foldstream/foldstream"
)

// prices are the daily closes of some instruments.
type prices struct {
	times []foldstream.Time // the sessions, ascending
	names []string          // the instruments, ascending
	close []float64         // session-major: close[t*len(names)+i]; NaN is missing
}

// at returns the close of instrument i at session t.
func (p *prices) at(t, i int) float64 { return p.close[t*len(p.names)+i] }

// change returns close[to] / close[from] − 1 of an instrument, NaN where a price is missing or a session is outside the data.
func (p *prices) change(i, from, to int) float64 {
	if from < 0 || to >= len(p.times) {
		return math.NaN()
	}
	return p.at(to, i)/p.at(from, i) - 1
}

// from returns the first session at or after t; an open t is the start of the data.
func (p *prices) from(t foldstream.Time) int {
	return sort.Search(len(p.times), func(i int) bool { return !p.times[i].Before(t) })
}

// until returns the session after the last at or before t; an open t is the end of the data.
func (p *prices) until(t foldstream.Time) int {
	if t.IsOpen() {
		return len(p.times)
	}
	return sort.Search(len(p.times), func(i int) bool { return p.times[i].After(t) })
}

// maxPrices is the most prices of a file: a century of the days of a thousand instruments, in 256 MiB.
const maxPrices = 1 << 25

// readPrices reads a CSV: a header of a name for the dates and one for each instrument, then a session a row, ascending. An empty
// cell is a missing price. Errors: Invalid, with line and column.
func readPrices(from io.Reader) (*prices, error) {
	r := csv.NewReader(from)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "no header: %w", err)
	}
	header = slices.Clone(header)
	p := &prices{names: slices.Sorted(slices.Values(header[1:]))}
	place, err := columns(p.names, header[1:])
	if err != nil {
		return nil, err
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, foldstream.E(foldstream.Invalid, "", err)
		}
		if err := p.add(row, place); err != nil {
			line, _ := r.FieldPos(0)
			return nil, foldstream.Errorf(foldstream.Invalid, "", "line %d: %w", line, err)
		}
	}
	if len(p.times) == 0 {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "no sessions")
	}
	return p, nil
}

// columns returns where each column of the file goes.
func columns(names, header []string) ([]int, error) {
	if len(names) == 0 {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "line 1: no instruments after the dates")
	}
	place := make([]int, len(header))
	for j, name := range header {
		i, _ := slices.BinarySearch(names, name)
		if name == "" || i+1 < len(names) && names[i+1] == name {
			return nil, foldstream.Errorf(foldstream.Invalid, "", "line 1: column %d: the instrument %q is empty or stands twice", j+2, name)
		}
		place[j] = i
	}
	return place, nil
}

// add appends a session.
func (p *prices) add(row []string, place []int) error {
	t, err := foldstream.ParseTime(row[0])
	if err != nil {
		return err
	}
	if n := len(p.times); n > 0 && !t.After(p.times[n-1]) {
		return fmt.Errorf("%s does not come after %s", t, p.times[n-1])
	}
	if len(p.close)+len(place) > maxPrices {
		return fmt.Errorf("more than %d prices", maxPrices)
	}
	closes := make([]float64, len(place))
	for j, cell := range row[1:] {
		v := math.NaN()
		if cell != "" {
			if v, err = strconv.ParseFloat(cell, 64); err != nil || !(v > 0) || math.IsInf(v, 0) {
				return fmt.Errorf("column %d: %q is not a price above 0", j+2, cell)
			}
		}
		closes[place[j]] = v
	}
	p.times, p.close = append(p.times, t), append(p.close, closes...)
	return nil
}
