// Package gc deletes the blobs of a store that nothing refers to: inputs of tasks that were purged, outputs of attempts that lost, frames of
// collections that have newer ones, superseded signals, prepared data that nobody used for long, uploads that were never completed.
//
// Nothing is deleted that was stored a short while ago, as a blob is stored before what refers to it; and nothing that was stored or renewed after
// it was listed. What dies in the middle is repeated: there is no state but the store's.
package gc
