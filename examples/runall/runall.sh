#!/bin/sh
# Run every experiment of this folder, or those that are named, and print the table of them all.
#
#   sh examples/runall/runall.sh [MODEL...]        # STORE=DIR is where all is kept
set -eu
here=$(dirname "$0")
store=${STORE:-runall}
[ $# -gt 0 ] || set -- $(cd "$here" && ls ./*.yaml | sed 's|^\./||; s|\.yaml$||')
for model; do
	foldstream run "$here/$model.yaml" --store "$store" --out "$store-out/$model" > /dev/null || echo "$model: exit code $?" >&2 # the others go on
done
foldstream table --store "$store" --markdown
