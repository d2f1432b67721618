#!/bin/sh
# Runs the test programs given as arguments, shows what failed, and ends with "N passed, N failed".
# VERBOSE=1 shows everything. A program that hangs is ended after TEST_TIMEOUT seconds (300).
set -u
passed=0
failed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

for program; do
	name=${program##*/tests/}
	case $program in
	*.sh) timeout -k 5 "${TEST_TIMEOUT:-300}" bash "$program" >"$output" 2>&1 ;;
	*) timeout -k 5 "${TEST_TIMEOUT:-300}" "$program" >"$output" 2>&1 ;;
	esac
	status=$?
	# cmocka's lines, or those of the shell tests.
	ok=$(grep -cE '^(\[       OK \]|ok )' "$output")
	bad=$(grep -cE '^(\[  FAILED  \] [a-z_0-9]+$|not ok )' "$output")
	# cmocka lists failures twice.
	case $program in *.sh) ;; *) bad=$((bad / 2)) ;; esac
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	printf '%-32s %4d passed, %d failed\n' "$name" "$ok" "$bad"
	if [ "$bad" -gt 0 ] || [ "${VERBOSE:-0}" = 1 ]; then
		cat "$output"
		echo "$name: exit status $status"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
