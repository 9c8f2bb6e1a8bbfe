package foldstream

import "time"

// Result is what a worker hands back for one task. Small things travel inline, large ones as artifacts by digest.
type Result struct {
	Metrics   map[string]float64 // one number each: "ic"; NaN is allowed and means undefined
	Params    map[string]string
	Tags      map[string]string
	Frames    map[string]Frame // "pred", "daily", …
	Artifacts []Artifact
	Series    Series        // metrics with steps; where it is large, the artifact of type SeriesType has it
	Code      string        // version of the code that made it, as the consumer declares it
	Worker    string        // name of the consumer that made it
	Duration  time.Duration // how long the attempt took

	Data        Digest // of the data that it was made of, see DataDigest; "" is unknown
	Environment string // in which it was made, as the consumer declares it; "" is unknown, as where several stages had several keys
}

// Artifact is a blob in the store that a result refers to.
type Artifact struct {
	Name   string // how the result calls it: "stdout.log"
	Digest Digest
	Size   int64
	Type   string // media type; "" is unknown
}
