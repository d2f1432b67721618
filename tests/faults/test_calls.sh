#!/usr/bin/env bash
# System calls that fail: strace puts an error in the place of a call's result. What the server's
# client sees may be a refusal, never a wrong answer, and the server goes on.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

need curl nginx strace

# inject RULE: from now on that happens to the server, until heal.
inject() {
	: >"$TMP/strace.err"
	spawn strace -f -qq -o "$TMP/strace.out" -e "trace=${1%%:*}" -e "inject=$1" -p "$SERVER" \
		2>"$TMP/strace.err"
	TRACER=$SPAWNED
	wait_for 30 is_traced || die "strace does not attach: $(cat "$TMP/strace.err")"
}

# All of its threads are.
is_traced() {
	! grep -q '^TracerPid:[[:space:]]*0$' /proc/"$SERVER"/task/*/status
}

heal() {
	kill -INT "$TRACER"
	retire "$TRACER" || true
}

page_comes() {
	gets_page "$WEB" -x "socks5h://$PROXY" "http://$WEB/page.txt"
}

accepts_again() {
	inject 'accept4:error=EMFILE:when=1'
	page_comes
	local status=$?
	heal
	((status == 0)) && grep -q INJECTED "$TMP/strace.out" && page_comes
}

start_nginx 1000
start_socks5d
check accept4_once accepts_again
check stops stop_socks5d
finish
