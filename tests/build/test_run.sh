#!/usr/bin/env bash
# tests/run.sh: a Ctrl-C leaves no process and no file behind, and what load may have made fail is
# tried again.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

need nc setsid

RUN=${TMPDIR:-/tmp}/r$$ # where the interrupted run has its files; paths of tests are short

# The processes whose files go there.
left_over() {
	grep -lzs "^TMPDIR=$RUN" /proc/[0-9]*/environ
}

# A shell test in whose midst there is a proxy, and one that was written in C.
write_tests() {
	mkdir -p "$RUN" "$TMP/tests/build"
	cat >"$TMP/tests/build/test_endless.sh" <<-END
		. "$ROOT/tests/clients/lib.sh"
		start_socks5d
		bounded sh -c 'echo >"$TMP/begun"; exec sleep 1000'
	END
}

both_have_begun() {
	[[ -s $TMP/begun ]] && compgen -G "$RUN/*/tmp/socks5d-test-*" >/dev/null
}

# As a terminal does: to the whole group of processes, which this test is not in.
interrupt() {
	kill -INT -- "-$1"
}

nothing_is_left() {
	[[ -z $(left_over) && -z $(ls -A "$RUN") ]]
}

is_interrupted_cleanly() {
	local pid status=0
	write_tests
	TMPDIR=$RUN spawn env --default-signal=INT setsid "$ROOT/tests/run.sh" \
		"$TMP/tests/build/test_endless.sh" "$(dirname "$SOCKS5D")/tests/daemon/test_handshake"
	pid=$SPAWNED
	wait_for "$LIMIT" both_have_begun || return
	interrupt "$pid"
	retire "$pid" || status=$?
	left_over
	ls -AR "$RUN"
	((status == 130)) && wait_for "$LIMIT" nothing_is_left
}

# A test that fails as often as the file says, with what it prints besides.
write_failing() {
	cat >"$TMP/tests/build/test_$1.sh" <<-END
		read -r left <"$TMP/left"
		((left > 0)) || { echo ok it; exit 0; }
		echo \$((left - 1)) >"$TMP/left"
		echo 'not ok it'
		echo '$2'
		exit 1
	END
	echo "$3" >"$TMP/left"
	"$ROOT/tests/run.sh" "$TMP/tests/build/test_$1.sh" >"$TMP/output" 2>&1
}

what_passes_alone_passes() {
	write_failing once 'too late' 1 && grep -q '^again, alone: .*test_once.sh$' "$TMP/output" &&
		[[ $(tail -n 1 "$TMP/output") == '1 passed, 0 failed, 0 skipped' ]]
}

what_fails_alone_fails() {
	! write_failing twice 'too late' 2 &&
		[[ $(tail -n 1 "$TMP/output") == '0 passed, 1 failed, 0 skipped' ]]
}

a_report_counts_at_once() {
	! write_failing race 'WARNING: ThreadSanitizer: data race (pid=1)' 1 &&
		! grep -q '^again' "$TMP/output" &&
		! write_failing overflow 'ERROR: AddressSanitizer: heap-buffer-overflow' 1 &&
		write_failing leak 'WARNING: ThreadSanitizer: thread leak (pid=1)' 1
}

# The same of tests with real clients.
write_client() {
	cat >"$TMP/test_client.sh" <<-END
		. "$ROOT/tests/clients/lib.sh"
		read -r left <"$TMP/left"
		echo \$((left - 1)) >"$TMP/left"
		check it test "\$left" -le 0
		finish
	END
	echo "$1" >"$TMP/left"
	"$ROOT/tests/clients/run.sh" "$TMP/test_client.sh" >"$TMP/output" 2>&1
}

a_client_has_two_chances() {
	write_client 1 && [[ $(tail -n 1 "$TMP/output") == '1 passed, 0 failed, 0 skipped' ]] &&
		! write_client 2 && [[ $(tail -n 1 "$TMP/output") == '0 passed, 1 failed, 0 skipped' ]]
}

mkdir -p "$TMP/tests/build"
check a_test_with_real_clients_has_two_chances a_client_has_two_chances
check what_passes_alone_passes what_passes_alone_passes
check what_fails_alone_fails what_fails_alone_fails
check a_sanitizers_report_counts_at_once a_report_counts_at_once
check an_interrupt_leaves_nothing_behind is_interrupted_cleanly
rm -rf "$RUN"
finish
