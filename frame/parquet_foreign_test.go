package frame_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
)

// The files in testdata were written by pandas 3.1.1 with pyarrow 26.0.1:
//
//	import numpy as np, pandas as pd, pyarrow as pa, pyarrow.parquet as pq
//
//	days = pd.bdate_range("2020-01-06", periods=70)
//	index = pd.MultiIndex.from_product([days, [f"S{i:02d}" for i in range(30)]], names=["datetime", "instrument"])
//	n = np.arange(len(index))
//	pred = pd.DataFrame({"score": np.where(n % 7 == 3, np.nan, n / 8), "label": (n % 30) / 4.0}, index=index)
//	pred.to_parquet("testdata/pandas.parquet")
//	table = pa.Table.from_pandas(pred)
//	pq.write_table(table, "testdata/v2-zstd.parquet", data_page_version="2.0", compression="zstd", row_group_size=999)
//	pq.write_table(table, "testdata/plain-gzip.parquet", use_dictionary=False, compression="gzip", data_page_size=4096)
//	pq.write_table(table, "testdata/none-v1.parquet", version="1.0", compression="none", data_page_size=2048, write_page_checksum=True)
//
//	few = pd.DataFrame({"datetime": pd.to_datetime(["2020-01-06 09:30:00.000000001", None, "2020-01-08"], format="ISO8601").astype("datetime64[ns]"),
//	    "instrument": pd.Categorical(["A", "", "é"]), "i8": np.array([-1, 0, 1], "int8"), "u32": np.array([0, 1, 2**32 - 1], "uint32"),
//	    "i64": [-2**53, 0, 2**53], "f32": np.array([0.5, np.nan, -2], "float32"), "flag": [True, False, True],
//	    "maybe": pd.array([1, None, 3], "Int64"), "none": [None, None, None]})
//	few.to_parquet("testdata/types.parquet")
//	few.to_parquet("testdata/types-v2.parquet", data_page_version="2.0", use_dictionary=False, compression="none")
//	empty = pred.iloc[:0]
//	empty.to_parquet("testdata/empty.parquet")
//	dates = pa.table({"datetime": pa.array([1, 2], pa.date32()), "instrument": ["A", "A"], "score": [1.0, 2.0]})
//	pq.write_table(dates, "testdata/date.parquet")
//	texts = pa.table({"datetime": ["2020-01-06", "2020-01-07"], "score": [1.0, 2.0]})
//	pq.write_table(texts, "testdata/text.parquet")
//	millis = pa.table({"datetime": pa.array([1577836800000], pa.timestamp("ms")), "score": [1]})
//	pq.write_table(millis, "testdata/millis.parquet")
//
//	bad = {"zone": {"datetime": pa.array([0], pa.timestamp("us", "UTC"))}, "time-of-day": {"datetime": pa.array([0], pa.time64("us"))},
//	    "list": {"datetime": ["2020-01-06"], "score": [[1.0]]}, "struct": {"datetime": ["2020-01-06"], "score": [{"a": 1.0}]},
//	    "decimal": {"datetime": ["2020-01-06"], "score": pa.array([1], pa.decimal128(5, 2))}, "bytes": {"datetime": [b"\xff"]},
//	    "large": {"datetime": ["2020-01-06"], "score": [2**53 + 1]}, "no-time": {"date": ["2020-01-06"], "score": [1.0]},
//	    "text-score": {"datetime": ["2020-01-06"], "score": ["x"]}, "number-instrument": {"datetime": ["2020-01-06"], "instrument": [600000]},
//	    "bad-date": {"datetime": ["2020-01-06", "soon"]}}
//	for name, columns in bad.items():
//	    pq.write_table(pa.table(columns), f"testdata/bad-{name}.parquet")
//	int96 = pa.table({"datetime": pa.array([0], pa.timestamp("ns"))})
//	pq.write_table(int96, "testdata/bad-int96.parquet", use_deprecated_int96_timestamps=True)
//	pq.write_table(texts, "testdata/bad-brotli.parquet", compression="brotli")
//	delta = pa.table({"datetime": ["2020-01-06", "2020-01-07"], "score": [1, 2]})
//	pq.write_table(delta, "testdata/bad-delta.parquet", use_dictionary=False, column_encoding={"datetime": "PLAIN", "score": "DELTA_BINARY_PACKED"})
//
// and these by Polars 2.1.0 and DuckDB 2.0.1:
//
//	import datetime as dt, duckdb, polars as pl
//
//	few = pl.DataFrame({"datetime": [dt.datetime(2020, 1, 6), dt.datetime(2020, 1, 6), dt.datetime(2020, 1, 7)],
//	    "instrument": ["A", "B", "A"], "score": [0.5, None, -1.0], "n": [1, 2, 3]})
//	few.write_parquet("testdata/polars.parquet")
//	duckdb.sql("copy few to 'testdata/duckdb.parquet'")

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".parquet")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// same is how two frames compare.
var same = []cmp.Option{cmp.Comparer(func(a, b foldstream.Time) bool { return a == b }), cmpopts.EquateNaNs()}

func TestReadsWhatPandasWrites(t *testing.T) {
	want := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}}}
	day := foldstream.DateOf(2020, 1, 6)
	for n := range 70 * 30 {
		if n > 0 && n%30 == 0 {
			for day = foldstream.TimeOf(day.Std().AddDate(0, 0, 1)); day.Std().Weekday() == 0 || day.Std().Weekday() == 6; {
				day = foldstream.TimeOf(day.Std().AddDate(0, 0, 1))
			}
		}
		score := float64(n) / 8
		if n%7 == 3 {
			score = math.NaN()
		}
		want.Times, want.Instruments = append(want.Times, day), append(want.Instruments, fmt.Sprintf("S%02d", n%30))
		want.Columns[0].Values = append(want.Columns[0].Values, score)
		want.Columns[1].Values = append(want.Columns[1].Values, float64(n%30)/4)
	}
	for _, name := range []string{"pandas", "v2-zstd", "plain-gzip", "none-v1"} {
		got, err := frame.Decode(testdata(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d := cmp.Diff(want, got, same...); d != "" {
			t.Error(name, d)
		}
	}
}

func TestReadsTypesOfPandas(t *testing.T) {
	nan := math.NaN()
	at, err := foldstream.ParseTime("2020-01-06T09:30:00.000000001")
	if err != nil {
		t.Fatal(err)
	}
	want := foldstream.Frame{
		Times:       []foldstream.Time{at, {}, foldstream.DateOf(2020, 1, 8)},
		Instruments: []string{"A", "", "é"},
		Columns: []foldstream.Column{
			{Name: "i8", Values: []float64{-1, 0, 1}}, {Name: "u32", Values: []float64{0, 1, 1<<32 - 1}},
			{Name: "i64", Values: []float64{-1 << 53, 0, 1 << 53}}, {Name: "f32", Values: []float64{0.5, nan, -2}},
			{Name: "flag", Values: []float64{1, 0, 1}}, {Name: "maybe", Values: []float64{1, nan, 3}}, {Name: "none", Values: []float64{nan, nan, nan}},
		},
	}
	short := func(times []foldstream.Time, instruments []string, scores ...float64) foldstream.Frame {
		return foldstream.Frame{Times: times, Instruments: instruments, Columns: []foldstream.Column{{Name: "score", Values: scores}}}
	}
	for name, want := range map[string]foldstream.Frame{
		"types": want, "types-v2": want,
		"date":   short([]foldstream.Time{foldstream.DateOf(1970, 1, 2), foldstream.DateOf(1970, 1, 3)}, []string{"A", "A"}, 1, 2),
		"text":   short([]foldstream.Time{foldstream.DateOf(2020, 1, 6), foldstream.DateOf(2020, 1, 7)}, nil, 1, 2),
		"millis": short([]foldstream.Time{foldstream.DateOf(2020, 1, 1)}, nil, 1),
		"empty": {Times: []foldstream.Time{}, Instruments: []string{},
			Columns: []foldstream.Column{{Name: "score", Values: []float64{}}, {Name: "label", Values: []float64{}}}},
	} {
		got, err := frame.Decode(testdata(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d := cmp.Diff(want, got, same...); d != "" {
			t.Error(name, d)
		}
	}
}

func TestReadsWhatPolarsAndDuckDBWrite(t *testing.T) {
	day := foldstream.DateOf(2020, 1, 6)
	want := foldstream.Frame{Times: []foldstream.Time{day, day, foldstream.DateOf(2020, 1, 7)}, Instruments: []string{"A", "B", "A"},
		Columns: []foldstream.Column{{Name: "score", Values: []float64{0.5, math.NaN(), -1}}, {Name: "n", Values: []float64{1, 2, 3}}}}
	for _, name := range []string{"polars", "duckdb"} {
		got, err := frame.Decode(testdata(t, name))
		if d := cmp.Diff(want, got, same...); d != "" || err != nil {
			t.Error(name, d, err)
		}
	}
}

func TestErrForeign(t *testing.T) {
	for name, want := range map[string]string{
		"zone":              `column "datetime": its times have a time zone`,
		"time-of-day":       `column "datetime": neither times, texts nor numbers`,
		"int96":             `column "datetime": its times are of the deprecated type INT96`,
		"list":              `not flat`,
		"struct":            `not flat`,
		"decimal":           `column "score": neither`,
		"bytes":             `column "datetime": a text is not UTF-8`,
		"large":             `column "score": a whole number is beyond`,
		"no-time":           `no column "datetime"; there are "date", "score"`,
		"text-score":        `column "score" has no numbers`,
		"number-instrument": `column "instrument" has no texts`,
		"bad-date":          `row 2, column "datetime": time: "soon"`,
		"brotli":            `column "datetime": the compression 4 is not read here`,
		"delta":             `column "score": the encoding 5 is not read here`,
	} {
		_, err := frame.Decode(testdata(t, "bad-"+name))
		if !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
