package frame_test

import (
	"fmt"
	"math"
	"os"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
)

func pred() foldstream.Frame {
	day := foldstream.DateOf(2020, 1, 2)
	return foldstream.Frame{Times: []foldstream.Time{day, day}, Instruments: []string{"AA", "IBM"},
		Columns: []foldstream.Column{{Name: "score", Values: []float64{0.25, math.NaN()}}}}
}

func ExampleWrite() {
	if err := frame.Write(os.Stdout, frame.CSV, frame.Of(pred())); err != nil {
		fmt.Println(err)
	}
	// Output:
	// datetime,instrument,score
	// 2020-01-02,AA,0.25
	// 2020-01-02,IBM,
}

// A Parquet file, ours or one that pandas wrote, comes back as a frame.
func ExampleDecode() {
	data, err := frame.Encode(pred())
	if err != nil {
		fmt.Println(err)
	}
	f, err := frame.Decode(data)
	fmt.Printf("%s %v %v %v\n", data[:4], f, f.Column("score"), err)
	// Output:
	// PAR1 frame of 2 rows × 1 columns [0.25 NaN] <nil>
}
