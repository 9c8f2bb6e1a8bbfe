// Package stream is the foldstream.Store on NATS JetStream: definitions, tickets and events are messages of streams, values
// are key-value buckets, artifacts an object store. A laptop and a cluster run the same code.
//
// One rule carries the whole protocol: an acknowledgement proves nothing. JetStream takes the ack of a worker that lost its
// lease, so only a compare-and-set on the task's event subject decides who works a task and whose result counts.
package stream
