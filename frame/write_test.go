package frame_test

import (
	"bytes"
	stdcsv "encoding/csv"
	stdjson "encoding/json"
	"errors"
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
)

func mixed() frame.Table {
	return frame.Table{Columns: []frame.Column{
		{Name: "key", Texts: []string{"a=1,b=2", "pi|pe \"q\"", ""}},
		{Name: "from", Times: []foldstream.Time{foldstream.DateOf(2020, 1, 2), {}, foldstream.TimeOf(foldstream.DateOf(2020, 1, 3).Std().Add(90e9))}},
		{Name: "ic", Numbers: []float64{0.1234567890123, math.NaN(), math.Inf(1)}},
		{Name: "windows", Counts: []int{20, 0, -3}},
	}}
}

func TestWrite(t *testing.T) {
	for format, want := range map[frame.Format]string{
		frame.CSV: "key,from,ic,windows\n\"a=1,b=2\",2020-01-02,0.1234567890123,20\n\"pi|pe \"\"q\"\"\",,,0\n,2020-01-03T00:01:30,+Inf,-3\n",
		frame.JSON: "[\n" + `{"key":"a=1,b=2","from":"2020-01-02","ic":0.1234567890123,"windows":20},` + "\n" +
			`{"key":"pi|pe \"q\"","from":null,"ic":null,"windows":0},` + "\n" + `{"key":"","from":"2020-01-03T00:01:30","ic":null,"windows":-3}` + "\n]\n",
		frame.Markdown: "| key        | from                |       ic | windows |\n" +
			"| ---------- | ------------------- | -------: | ------: |\n" +
			"| a=1,b=2    | 2020-01-02          | 0.123457 |      20 |\n" +
			"| pi\\|pe \"q\" |                     |          |       0 |\n" +
			"|            | 2020-01-03T00:01:30 |     +Inf |      -3 |\n",
	} {
		var b bytes.Buffer
		if err := frame.Write(&b, format, mixed()); err != nil || b.String() != want {
			t.Errorf("%s, %v:\n%s", format, err, b.String())
		}
	}
	var b bytes.Buffer
	if err := frame.Write(&b, frame.Parquet, mixed()); err != nil {
		t.Fatal(err)
	}
	back, err := frame.ReadParquet(b.Bytes())
	if err != nil || back.Columns[0].Texts[1] != `pi|pe "q"` || back.Columns[2].Numbers[2] != math.Inf(1) || back.Columns[3].Numbers[2] != -3 {
		t.Errorf("%+v, %v", back, err)
	}
	if err := frame.Write(&b, "xlsx", mixed()); !foldstream.Is(err, foldstream.Invalid) {
		t.Error(err)
	}
}

// broken is a place that takes nothing.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestErrWriter(t *testing.T) {
	for _, format := range frame.Formats() {
		if err := frame.Write(broken{}, format, mixed()); err == nil {
			t.Errorf("%s: no error", format)
		}
		if err := frame.Write(&bytes.Buffer{}, format, frame.Table{}); err != nil {
			t.Errorf("%s of nothing: %v", format, err)
		}
	}
}

// Numbers in CSV and JSON read back as they are.
func TestWriteExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := frames().Draw(t, "frame")
		var asCSV, asJSON bytes.Buffer
		if err := errors.Join(frame.Write(&asCSV, frame.CSV, frame.Of(f)), frame.Write(&asJSON, frame.JSON, frame.Of(f))); err != nil {
			t.Fatal(err)
		}
		lines, err := stdcsv.NewReader(&asCSV).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var objects []map[string]any
		if err := stdjson.Unmarshal(asJSON.Bytes(), &objects); err != nil || len(lines) != 1+f.Len() || len(objects) != f.Len() {
			t.Fatal(err, len(lines), len(objects))
		}
		for j, c := range f.Columns {
			for i, want := range c.Values {
				cell := lines[1+i][len(lines[0])-len(f.Columns)+j]
				number, isNumber := objects[i][c.Name].(float64)
				if got, err := strconv.ParseFloat(cell, 64); math.IsNaN(want) != (cell == "") || !math.IsNaN(want) && (err != nil || got != want) {
					t.Fatalf("%v is %q in CSV", want, cell)
				}
				if isNumber == math.IsNaN(want) || isNumber && number != want {
					t.Fatalf("%v is %v in JSON", want, objects[i][c.Name])
				}
			}
		}
	})
}
