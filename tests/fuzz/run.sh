#!/usr/bin/env bash
# Runs the fuzz targets given as arguments, FUZZ_JOBS (2) at a time, for FUZZ_SECONDS each (60),
# beginning with the corpus in tests/fuzz/corpus/NAME. An input that fails is left in
# build/fuzz/failed. The last line is the summary.
#
#	FUZZ_SEED=n	tries the same inputs each time, as far as the time allows
#	FUZZ_KEEP=1	adds what was found new to the corpus, as small as it gets
set -u

SECONDS_EACH=${FUZZ_SECONDS:-60}
FOLDER=$(cd "$(dirname "$0")" && pwd)
FAILED=build/fuzz/failed
TMP=$(mktemp -d "${TMPDIR:-/tmp}/socks5d-fuzz.XXXXXX") || exit 1
RUNNING=()
trap 'rm -rf "$TMP"' EXIT
trap 'kill -TERM "${RUNNING[@]}" 2>/dev/null; exit 130' HUP INT TERM

# fuzz PROGRAM: its output and exit status go to TMP.
fuzz() {
	local name=${1##*/fuzz_} corpus status=0
	corpus=$FOLDER/corpus/$name
	mkdir -p "$corpus" "$TMP/$name" "$FAILED"
	"$1" -max_total_time="$SECONDS_EACH" -timeout=10 -rss_limit_mb=2048 -max_len=65600 \
		-len_control=20 -seed="${FUZZ_SEED:-0}" -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$FAILED/$name-" "$TMP/$name" "$corpus" \
		>"$TMP/$name.out" 2>&1 &
	echo $! >"$TMP/$name.pid"
	wait $! || status=$?
	if [[ ${FUZZ_KEEP:-0} == 1 && $status == 0 ]]; then
		"$1" -merge=1 -max_len=4096 "$corpus" "$TMP/$name" >/dev/null 2>&1
	fi
	echo "$status" >"$TMP/$name.status"
}

PASSED=0
BAD=0

report() {
	local name=${1##*/fuzz_} runs
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$TMP/$name.out")
	if [[ $(<"$TMP/$name.status") == 0 ]]; then
		PASSED=$((PASSED + 1))
		echo "ok $name: ${runs:-?} inputs"
	else
		BAD=$((BAD + 1))
		echo "not ok $name"
		tail -n 40 "$TMP/$name.out"
	fi
}

while (($# > 0)); do
	batch=("${@:1:${FUZZ_JOBS:-2}}")
	shift "${#batch[@]}"
	for program in "${batch[@]}"; do
		fuzz "$program" &
		RUNNING+=($!)
	done
	wait
	for program in "${batch[@]}"; do
		report "$program"
	done
done
echo "$PASSED passed, $BAD failed"
((BAD == 0))
