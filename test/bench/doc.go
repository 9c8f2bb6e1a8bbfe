// Command bench measures Foldstream's pool beside the raw JetStream floor for the same guarantees, in the same run: each figure is the
// median of interleaved rounds, and stands with its ratio to the floor. Figures of other machines and other moments do not compare; ratios
// do.
//
// Every round of every point gets fresh servers, and servers and clients are processes of their own, so that their memory is
// told apart. A point is the base case with one factor varied: a star of measurements.
//
//	go run ./test/bench               # the whole star, under 15 minutes
//	go run ./test/bench -only base    # one point of it
//	go run ./test/bench -replay 100000            # the command replay, beside a floor that makes as many tasks
//	go run ./test/bench -load 1000,10000,100000   # memory of each role, listings, restarts, by the number of tasks
//	go run ./test/bench -crowd        # 200 consumer processes, 1,000 pools
//	go run ./test/bench -soak 30m     # all roles for a while, and what grows
//	go run ./test/bench -at nats://127.0.0.1:4222 -replicas 3   # a server or a cluster that runs, without a floor
//	go run ./test/bench -fold 1000000 -rounds 1   # the aggregator, beside a reader that drops what it reads
package main
