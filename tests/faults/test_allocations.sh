#!/usr/bin/env bash
# Allocations that fail, each of them in turn: of the start, of a session at each door, of commands, a
# reload and pages. The server does not end, leaves nothing behind, says "out of memory", and what was
# refused has not been done. FAULTS_SHORT takes samples.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/faults/server.sh
. "$(dirname "$0")/server.sh"

need dnsmasq python3
# The library that the Makefile builds from allocations.c. A sanitizer has allocations of its own.
MEMORY_LIBRARY=$(realpath "${MEMORY_LIBRARY:-$(dirname "$SOCKS5D")/tests/faults/allocations.so}")
[[ -e $MEMORY_LIBRARY ]] || skip_all "$MEMORY_LIBRARY, which make test-faults builds"
! grep -qE '__(asan|tsan)_init' "$SOCKS5D" || skip_all 'a server without sanitizers'
LIMIT=1000
if is_short; then
	STEPS=(271 11 397 1511)
else
	STEPS=(9 1 7 71)
fi

MEMORY_FILE=$TMP/memory
truncate -s 4096 "$MEMORY_FILE"
export LOG MEMORY_FILE MEMORY_LIBRARY NAMES=yes PATIENCE=2

memory() {
	bounded python3 "$ROOT/tests/faults/allocations.py" "$@"
}

starts_or_says_why() {
	HOUSE=$TMP/start
	prepare_doors "$HOUSE"
	LOG=$HOUSE/log
	memory start "${STEPS[0]}" "$SOCKS5D" -c "$HOUSE/socks5d.conf" -u alice:secret
}

# Of all that it has allocated it has as much at its end as one that only started.
leaves_nothing() {
	local left
	left=$(od -An -t d8 -j 32 -N 8 "$MEMORY_FILE") # `alive` of allocations.c
	echo "$((left)) allocations are left, of a mere start $LEFT"
	((left <= LEFT))
}

start_neighbours
check start starts_or_says_why
LEFT=$(sed -n 's/.*, \([0-9]*\) left at the end$/\1/p' "$TMP/check.out")
SERVER_BY="env LD_PRELOAD=$MEMORY_LIBRARY"
start_all_doors
export PROXY MONITOR FRONT MONITOR_SOCKET
check doors memory doors "${STEPS[1]}" "$SERVER" socks5 login stale_login name no_name bulk socks4 connect \
	forward balancer upstream unreachable bind udp pages metrics
check web memory doors "${STEPS[3]}" "$SERVER" web
check commands memory commands "${STEPS[2]}" "$SERVER"
check all_are_served all_served
check stops stop_socks5d
check nothing_is_left leaves_nothing
finish
