#!/usr/bin/env bash
# Runs the tests with real clients that are given as arguments, or all, one after the other.
#
#	SOCKS5D=build/cc-address/socks5d tests/clients/run.sh tests/clients/test_curl.sh
#
# The last line is the summary over all; the status is 0 when nothing failed. A test whose program
# is not installed says so itself and counts as skipped. One in which something fails is tried once
# more behind all others, since a busy machine may have held it up, and that is what counts.
set -u

FOLDER=$(cd "$(dirname "$0")" && pwd)
PASSED=0
FAILED=0
SKIPPED=0
RUNNING=
LAST_CHANCE=() # tests that had a failure, as long as there are others

# Stops the test that runs, which ends what it started.
interrupted() {
	[[ -z $RUNNING ]] || {
		kill -TERM "$RUNNING" 2>/dev/null
		wait "$RUNNING"
	}
	exit "$1"
}

# The counts come from the test by a file; one that leaves none has failed somewhere on its way.
add_counts() {
	local passed failed skipped
	if read -r passed failed skipped <"$CLIENTS_TALLY"; then
		PASSED=$((PASSED + passed))
		FAILED=$((FAILED + failed))
		SKIPPED=$((SKIPPED + skipped))
	else
		echo "not ok $1: ended with status $2"
		FAILED=$((FAILED + 1))
	fi
}

run_test() {
	local script=$1 name status=0
	name=$(basename "$script" .sh)
	echo "== $name"
	: >"$CLIENTS_TALLY"
	bash "$script" &
	RUNNING=$!
	wait "$RUNNING" || status=$?
	RUNNING=
	if ((status == 77)); then
		SKIPPED=$((SKIPPED + 1))
	elif ((status != 0)) && [[ ${2:-} != last ]]; then
		echo "again, behind the others: $name"
		LAST_CHANCE+=("$script")
	else
		add_counts "$name" "$status"
	fi
}

CLIENTS_TALLY=$(mktemp "${TMPDIR:-/tmp}/socks5d-tally.XXXXXX") || exit 1
export CLIENTS_TALLY
trap 'rm -f "$CLIENTS_TALLY"' EXIT
trap 'interrupted 129' HUP
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

(($# > 0)) || set -- "$FOLDER"/test_*.sh "$FOLDER"/../web/test_*.sh
for script; do
	run_test "$script"
done
for script in "${LAST_CHANCE[@]}"; do
	run_test "$script" last
done
echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
((FAILED == 0))
