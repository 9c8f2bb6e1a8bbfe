// Package frame keeps frames and tables in files: Parquet, and CSV, JSON and Markdown to write.
//
// A Frame that is large travels as Parquet, see WriteParquet; a small one travels in the msgpack document that
// foldstream.Frame itself makes. Decode reads either. What it reads may come from anybody, so it takes no more memory than
// the size of the data allows, whatever they say of themselves.
package frame
