package frame_test

import (
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
)

// 3,000 sessions of 30 instruments and three columns: 90,000 rows.
func BenchmarkFrame(b *testing.B) {
	f := large(3000, 30)
	for name, encode := range map[string]func(foldstream.Frame) ([]byte, error){"parquet": frame.Encode, "msgpack": foldstream.Frame.MarshalBinary} {
		data, err := encode(f)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/encode", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := encode(f); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/decode", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := frame.Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
