#!/bin/sh
# Keeps for each fuzz target of the module, under testdata/fuzz, a dozen of the inputs that the fuzzer found on this machine: of those of less than
# SIZE bytes (1025), which name nothing of the machine, a spread of sizes. go test runs them as seeds. A target that has some keeps those.
set -eu
cd "$(dirname "$0")/.."
found=$(go env GOCACHE)/fuzz/$(go list -m)
most=12

grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do
	folder=$(dirname "$file")
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		to=$folder/testdata/fuzz/$target
		if [ -d "$to" ] || [ ! -d "$found/$folder/$target" ]; then
			continue
		fi
		mkdir -p "$to"
		find "$found/$folder/$target" -type f -size "-${SIZE:-1025}c" -printf '%s %p\n' | sort -n | cut -d' ' -f2- |
			xargs -r grep -LE "/(root|home|tmp|work|usr|etc|var)/|$(hostname)|$(id -un)" |
			awk -v most=$most '{ all[NR] = $0 } END { for (i = 0; i < most && i < NR; i++) print all[NR <= most ? i + 1 : int(1 + i * (NR - 1) / (most - 1))] }' |
			xargs -r cp -t "$to"
		rmdir "$to" 2>/dev/null || true
	done
done
