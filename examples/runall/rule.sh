#!/bin/sh
# A worker in sh and awk: it scores by the return over the look-back, Momentum as it is and Reversal turned round. The seed draws 20 of
# the stocks. It reads the task from its standard input and the prices from the file that its argument names, and writes a frame
# "pred" of the test period to $FOLDSTREAM_OUT.
set -eu
task=$(cat)
field() { printf %s "$task" | sed -n "s/.*\"$1\":\"\\{0,1\\}\\([A-Za-z0-9]*\\).*/\\1/p"; }
period=$(printf %s "$task" | sed -n 's/.*"test":\["\([^"]*\)","\([^"]*\)"\].*/\1 \2/p')

awk -F, -v model="$(printf %s "$task" | sed -n 's/.*"model":{"class":"\([A-Za-z]*\)".*/\1/p')" -v back="$(field look_back)" \
	-v seed="$(field seed)" -v from="${period% *}" -v to="${period#* }" '
	function draw(n) { state = (state * 16807) % 2147483647; return state % n } # the same in every awk
	NR == 1 {
		state = seed * 7919 + 1
		for (i = 2; i <= NF; i++) { name[i] = $i; left[i - 1] = i }
		for (n = NF - 1; picked < 20; n--) { at = 1 + draw(n); of[++picked] = left[at]; left[at] = left[n] }
		next
	}
	{ date[++rows] = $1; for (i = 2; i <= NF; i++) close_[rows, i] = $i }
	END {
		sign = model == "Reversal" ? -1 : 1
		printf "{\"frames\": {\"pred\": {\"columns\": [\"datetime\", \"instrument\", \"score\", \"label\", \"return\"], \"data\": ["
		for (r = back + 1; r <= rows; r++) {
			if (date[r] < from || date[r] > to) continue
			for (k = 1; k <= picked; k++) {
				i = of[k]
				came = r + 2 <= rows ? sprintf("%.9f", close_[r + 2, i] / close_[r + 1, i] - 1) : "null"
				printf "%s[\"%s\", \"%s\", %.9f, %s, %s]", comma, date[r], name[i], sign * (close_[r, i] / close_[r - back, i] - 1), came, came
				comma = ", "
			}
		}
		print "]}}}"
	}' "$1" > "$FOLDSTREAM_OUT"
