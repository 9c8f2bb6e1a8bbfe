package stream

import "testing"

func BenchmarkEncodeTask(b *testing.B) {
	t := fullTask()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encodeTask(&t); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeTask(b *testing.B) {
	data, err := encodeTask(new(fullTask()))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeTask(data); err != nil {
			b.Fatal(err)
		}
	}
}
