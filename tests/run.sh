#!/bin/sh
# Runs the test programs given as arguments, TEST_JOBS (2) at a time, shows what failed and what was
# skipped, and ends with "N passed, N failed, N skipped". VERBOSE=1 shows everything. A program that
# hangs is ended after TEST_TIMEOUT seconds (300). What cannot even be built here is in LACKING, as
# "NAME (needs WHAT)".
#
# Ctrl-C ends what runs, and what that has started; the folder that tests keep their files in goes
# with it.
#
# What fails beside others is tried once more, alone, since a busy machine may have held it up; that
# it was is told. A crash, or a sanitizer's report of anything but what a test leaves behind that
# ended amid its work, is no matter of load and counts at once.
#
# A test that lacks something prints "skipped: NAME (needs WHAT)"; a program of cmocka's prints
# "needs WHAT" (tests/lib/lacking.h), and a shell test that does nothing at all has status 77.
set -u

# The lines about what was skipped in file $1, of program $2. cmocka lists them twice.
skipped_in() {
	awk -v program="$2" '
		/^skipped: / { print }
		/^needs / { need = substr($0, 7) }
		/^\[  SKIPPED \] [a-z_0-9]+$/ && !seen[$4]++ {
			printf "skipped: %s %s (needs %s)\n", program, $4, need
		}' "$1"
}

# May load have made the test fail whose output is file $1 and whose status is $2? 124 and 137 are
# timeout's.
may_be_load() {
	if [ "$2" -eq 124 ] || [ "$2" -eq 137 ]; then
		return 0
	fi
	[ "$2" -lt 128 ] && grep -qE '^(\[  FAILED  \]|not ok )' "$1" &&
		! grep -qE 'runtime error: |ERROR: AddressSanitizer|WARNING: ThreadSanitizer: ([^t]|t[^h]|thread [^l])' "$1"
}

# Runs program $2 and leaves its results in folder $1.
run_one() {
	name=${2##*/tests/}
	name=${name#tests/}
	output=$1/$(echo "$name" | tr / _)
	shell=
	case $2 in *.sh) shell=bash ;; esac
	: >"$output.running"
	trap 'rm -f "$output.running"' EXIT
	trap 'exit 130' INT # behind the test's own end
	# In the foreground, so that Ctrl-C reaches the test, too.
	timeout --foreground -k 5 "${TEST_TIMEOUT:-300}" $shell "$2" >"$output" 2>&1
	status=$?
	# cmocka's lines, or those of the shell tests.
	ok=$(grep -cE '^(\[       OK \]|ok )' "$output")
	bad=$(grep -cE '^(\[  FAILED  \] [a-z_0-9]+$|not ok )' "$output")
	# cmocka lists failures twice.
	case $2 in *.sh) ;; *) bad=$((bad / 2)) ;; esac
	skipped_in "$output" "$name" >"$output.skipped"
	skipped=$(grep -c . "$output.skipped")
	if [ "$status" -eq 77 ] && [ "$skipped" -gt 0 ]; then
		status=0
	fi
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	fi
	echo "$ok $bad $skipped" >"$output.sum"
	rm -f "$output.again"
	if [ "$bad" -gt 0 ] && may_be_load "$output" "$status"; then
		echo "$2" >"$output.again"
	fi
	if [ "$bad" -gt 0 ] || [ "${VERBOSE:-0}" = 1 ]; then
		echo "$name: exit status $status" >>"$output"
	else
		cp "$output.skipped" "$output"
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

# What was interrupted may take a moment to end.
remove_all() {
	patience=100
	while [ $((patience -= 1)) -gt 0 ] && [ -n "$(find "$results" -name '*.running')" ]; do
		sleep 0.1
	done
	rm -rf "$results"
}

results=$(mktemp -d)
trap remove_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# As /tmp: some tests become somebody else.
mkdir "$results/tmp"
chmod 755 "$results"
chmod 1777 "$results/tmp"
TMPDIR=$results/tmp
export TMPDIR
lacking=0
if [ -n "${LACKING:-}" ]; then
	echo "skipped: $LACKING"
	lacking=1
fi
printf '%s\n' "$@" | xargs -r -P "${TEST_JOBS:-2}" -I '{}' "$0" --one "$results" '{}'
find "$results" -name '*.again' -exec cat {} + | while read -r program; do
	echo "again, alone: $program"
	"$0" --one "$results" "$program" </dev/null
done
# A program that left no result behind has failed, too.
find "$results" -name '*.sum' -exec cat {} + | awk -v programs=$# -v skipped=$lacking '
	{ ok += $1; bad += $2; skipped += $3 }
	END {
		bad += programs - NR
		printf "%d passed, %d failed, %d skipped\n", ok, bad, skipped
		exit bad > 0
	}'
