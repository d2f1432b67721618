#!/usr/bin/env bash
# tests/run.sh: a Ctrl-C leaves no process and no file behind.
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

check an_interrupt_leaves_nothing_behind is_interrupted_cleanly
rm -rf "$RUN"
finish
