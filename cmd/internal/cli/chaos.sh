# The command of some of the tasks that chaos works: it takes a moment, and says the same whenever it is asked.
segment=$(sed -n 's/.*"segments":{"test":\["\([^"]*\)","\([^"]*\)".*/-v from=\1 -v to=\2/p')
echo '{"progress": {"percent": 50}}' >> "$FOLDSTREAM_EVENTS"
sleep 0.05
awk -F, $segment 'BEGIN { printf "{\"frames\": {\"pred\": {\"columns\": [\"datetime\", \"instrument\", \"score\", \"label\"], \"data\": [" }
	NR > 1 && $1 >= from && $1 <= to {
		for (i = 2; i <= 8; i++) printf "%s[\"%s\", \"S%d\", %s, %.3f]", (rows++ ? ", " : ""), $1, i, $i, (i * NR % 5) / 100
	}
	END { print "]}}}" }' "$1" > "$FOLDSTREAM_OUT"
