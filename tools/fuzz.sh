#!/bin/sh
# Runs each fuzz target of the module in turn, FUZZTIME (default 10s) each.
set -eu
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fuzz() { # TARGET FOLDER
	# Making an interesting input smaller takes up to a minute each, if it is let: of large ones nothing else would be done.
	go test -run '^$' -fuzz "^$1\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 100x "$2" >"$log" 2>&1
}

# late reports whether all that failed is that the fuzzer was not ready when its time was over, which finds nothing: it has no input to show.
late() {
	grep -q '^ *context deadline exceeded$' "$log" && ! grep -q 'Failing input' "$log"
}

grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		echo "== $(dirname "$file") $target"
		fuzz "$target" "$(dirname "$file")" || { late && fuzz "$target" "$(dirname "$file")"; } || { cat "$log"; exit 1; }
		tail -n 3 "$log"
	done
done
