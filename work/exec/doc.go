// Package exec is the worker that runs any command in any language: the task goes to its standard input as JSON, the result
// comes back as JSON on its standard output or in the file that $FOLDSTREAM_OUT names.
//
// While it runs, a command may tell how far it is and what it has found, each time by appending a line of JSON to the file that
// $FOLDSTREAM_EVENTS names (it is not there before the first):
//
//	echo '{"progress": {"percent": 50, "step": 3, "message": "fold 3 of 6"}}' >> "$FOLDSTREAM_EVENTS"
//	echo '{"param": {"depth": 6}, "metric": {"loss": 0.25}, "tag": {"gpu": "A100"}}' >> "$FOLDSTREAM_EVENTS"
//	echo '{"metric": {"loss": 0.5}, "step": 3}' >> "$FOLDSTREAM_EVENTS"
//	echo '{"artifact": "model.bin"}' >> "$FOLDSTREAM_EVENTS"
//	echo '{"artifact": {"name": "model", "path": "model.bin", "type": "application/octet-stream"}}' >> "$FOLDSTREAM_EVENTS"
//
// A metric with a step is a point of a curve, which people can watch as it comes and which the result keeps whole; one without is what
// the metric comes to. Where a command tells points alone, it comes to the value at the highest step.
//
// Progress is what a task's limit of silence listens for. What an event and the result both name, the result has. A line is
// read once its end is written, five times a second; one that is no such object, that has another name in it, that is over 64 KiB
// long or whose file is not there is ignored, which the log tells. It is a file and no pipe, so that a command never
// waits for its reader, dies of its absence, or has to hand it on to its children.
package exec
