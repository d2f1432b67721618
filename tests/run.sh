#!/bin/sh
# Runs the test programs given as arguments, TEST_JOBS (2) at a time, shows what failed, and ends with
# "N passed, N failed". VERBOSE=1 shows everything. A program that hangs is ended after TEST_TIMEOUT
# seconds (300).
set -u

# Runs program $2 and leaves its results in folder $1.
run_one() {
	name=${2##*/tests/}
	output=$1/$(echo "$name" | tr / _)
	case $2 in
	*.sh) timeout -k 5 "${TEST_TIMEOUT:-300}" bash "$2" >"$output" 2>&1 ;;
	*) timeout -k 5 "${TEST_TIMEOUT:-300}" "$2" >"$output" 2>&1 ;;
	esac
	status=$?
	# cmocka's lines, or those of the shell tests.
	ok=$(grep -cE '^(\[       OK \]|ok )' "$output")
	bad=$(grep -cE '^(\[  FAILED  \] [a-z_0-9]+$|not ok )' "$output")
	# cmocka lists failures twice.
	case $2 in *.sh) ;; *) bad=$((bad / 2)) ;; esac
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	fi
	echo "$ok $bad" >"$output.sum"
	if [ "$bad" -gt 0 ] || [ "${VERBOSE:-0}" = 1 ]; then
		echo "$name: exit status $status" >>"$output"
	else
		: >"$output"
	fi
	# In one write, since others may report at the same time.
	printf '%-32s %4d passed, %d failed\n%s\n' "$name" "$ok" "$bad" "$(cat "$output")" |
		sed '/^$/d' >"$output.report"
	cat "$output.report"
}

if [ "${1:-}" = --one ]; then
	run_one "$2" "$3"
	exit 0
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
printf '%s\n' "$@" | xargs -P "${TEST_JOBS:-2}" -I '{}' "$0" --one "$results" '{}'
# A program that left no result behind has failed, too.
cat "$results"/*.sum | awk -v programs=$# '{ ok += $1; bad += $2 }
	END { bad += programs - NR; printf "%d passed, %d failed\n", ok, bad; exit bad > 0 }'
