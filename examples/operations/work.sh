#!/bin/sh
# A worker in sh and awk: what fell most over the look-back is expected to rise. It reads the task from its standard input and the
# prices from the file that its argument names, and writes a frame "pred" of the test period to $FOLDSTREAM_OUT.
#
# A look-back of 63 needs a licence, so to speak, and gets none the first time that a task asks.
set -eu
task=$(cat)
look_back=$(printf %s "$task" | sed -n 's/.*"look_back":\([0-9]*\).*/\1/p')
from=$(printf %s "$task" | sed -n 's/.*"segments":{"test":\["\([^"]*\)".*/\1/p')
to=$(printf %s "$task" | sed -n 's/.*"segments":{"test":\["[^"]*","\([^"]*\)".*/\1/p')

asked=${TMPDIR%/*}/foldstream-operations-$FOLDSTREAM_TASK # beside the folder of this run, which goes when it ends
if [ "$look_back" = 63 ] && [ ! -e "$asked" ]; then
	: > "$asked"
	echo "no licence for a look-back of 63" >&2
	exit 3
fi

echo '{"progress": {"percent": 50, "message": "scoring"}}' >> "$FOLDSTREAM_EVENTS"
awk -F, -v back="$look_back" -v from="$from" -v to="$to" '
	NR == 1 { n = NF; for (i = 2; i <= n; i++) name[i] = $i; next }
	{ date[++rows] = $1; for (i = 2; i <= n; i++) close_[rows, i] = $i }
	END {
		printf "{\"metrics\": {\"rows\": %d}, \"frames\": {\"pred\": {\"columns\": [\"datetime\", \"instrument\", \"score\", \"label\"], \"data\": [", rows
		for (r = back + 1; r <= rows; r++) {
			if (date[r] < from || date[r] > to) continue
			for (i = 2; i <= n; i++) {
				label = r + 2 <= rows ? sprintf("%.9f", close_[r + 2, i] / close_[r + 1, i] - 1) : "null"
				printf "%s[\"%s\", \"%s\", %.9f, %s]", comma, date[r], name[i], 1 - close_[r, i] / close_[r - back, i], label
				comma = ", "
			}
		}
		print "]}}}"
	}' "$1" > "$FOLDSTREAM_OUT"
