package foldstream

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Point is what a metric was at a step.
type Point struct {
	Metric string
	Step   int64
	Value  float64   // NaN is allowed and means undefined
	At     time.Time // when it was told, to the millisecond; zero is unknown
}

// Series is metrics with steps: the points of one piece of work in the order in which they were told. Of points of one metric
// and one step the last told counts.
type Series []Point

// SeriesType is the media type of an artifact that is a Series, as MarshalBinary writes it.
const SeriesType = "text/csv; profile=foldstream-series"

// seriesHeader is the first line of an encoded series.
var seriesHeader = []string{"metric", "step", "value", "time"}

// seriesTime is how a point's time is written, in UTC.
const seriesTime = "2006-01-02T15:04:05.000Z"

// Names returns the names of the metrics, in order of their text.
func (s Series) Names() []string {
	names := map[string]bool{}
	for _, p := range s {
		names[p.Metric] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Of returns the points of one metric in order of their steps, one a step.
func (s Series) Of(metric string) []Point {
	at := map[int64]Point{}
	for _, p := range s {
		if p.Metric == metric {
			at[p.Step] = p
		}
	}
	return slices.SortedFunc(maps.Values(at), func(a, b Point) int { return cmp.Compare(a.Step, b.Step) })
}

// MarshalBinary writes the series as CSV of the columns metric, step, value and time (RFC 3339, UTC, milliseconds), a row a point in
// their order. Values are written so that reading gives the same number again; NaN, +Inf and -Inf by these names. Carriage returns in names are left out.
func (s Series) MarshalBinary() ([]byte, error) {
	b := AppendSeriesHeader(nil)
	for _, p := range s {
		b = p.AppendCSV(b)
	}
	return b, nil
}

// AppendSeriesHeader appends the first line of an encoded Series.
func AppendSeriesHeader(b []byte) []byte {
	return append(append(b, strings.Join(seriesHeader, ",")...), '\n')
}

// AppendCSV appends the line of an encoded Series that the point is.
func (p Point) AppendCSV(b []byte) []byte {
	name := strings.ReplaceAll(p.Metric, "\r", "")
	if strings.ContainsAny(name, "\",\n") {
		name = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	b = append(append(b, name...), ',')
	b = append(strconv.AppendInt(b, p.Step, 10), ',')
	b = append(strconv.AppendFloat(b, p.Value, 'g', -1, 64), ',')
	if !p.At.IsZero() {
		b = p.At.UTC().AppendFormat(b, seriesTime)
	}
	return append(b, '\n')
}

// UnmarshalBinary reads what MarshalBinary wrote. Errors: Invalid.
func (s *Series) UnmarshalBinary(data []byte) error {
	read, err := ReadSeries(bytes.NewReader(data))
	if err == nil {
		*s = read
	}
	return err
}

// ReadSeries reads an encoded Series to its end. No bytes are no points. Errors: Invalid, naming the line; those of r.
func ReadSeries(r io.Reader) (Series, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord, in.ReuseRecord = len(seriesHeader), true
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil && !slices.Equal(header, seriesHeader) {
		return nil, Errorf(Invalid, "series", "line 1: %q is not %q", strings.Join(header, ","), strings.Join(seriesHeader, ","))
	}
	var s Series
	for err == nil {
		var record []string
		if record, err = in.Read(); err != nil {
			break
		}
		p, bad := pointOf(record)
		if bad != nil {
			line, _ := in.FieldPos(0)
			return nil, Errorf(Invalid, "series", "line %d: %w", line, bad)
		}
		s = append(s, p)
	}
	if _, broken := errors.AsType[*csv.ParseError](err); broken {
		return nil, E(Invalid, "series", err)
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return s, nil
}

func pointOf(record []string) (p Point, err error) {
	p.Metric = record[0]
	if p.Step, err = strconv.ParseInt(record[1], 10, 64); err != nil {
		return p, err
	}
	if p.Value, err = strconv.ParseFloat(record[2], 64); err != nil {
		return p, err
	}
	if record[3] != "" {
		p.At, err = time.Parse(seriesTime, record[3])
	}
	return p, err
}
