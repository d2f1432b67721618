#!/usr/bin/env bash
# A control group with little memory: the server makes no more workers than that carries, and with all
# of them busy and all their buffers full it lives on, serves, and gives the memory back.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/monitor.sh
. "$(dirname "$0")/../clients/monitor.sh"
# shellcheck source=tests/faults/health.sh
. "$(dirname "$0")/health.sh"
# shellcheck source=tests/clients/servers.sh
. "$(dirname "$0")/../clients/servers.sh"

need curl nginx "$PYTHON"
! grep -qE '__(asan|tsan)_init' "$SOCKS5D" || skip_all 'a build that takes no more memory than it uses'

# Within the group that the test runs in, of v2 or v1; what is not written stays with the default.
make_group() {
	local own
	own=$(sed -n 's/^0:://p' /proc/self/cgroup | head -n 1)
	GROUP=/sys/fs/cgroup$own/socks5d-$$ LIMIT_FILE=memory.max USAGE_FILE=memory.current
	[[ -e /sys/fs/cgroup$own/memory.max || $own == / ]] && mkdir "$GROUP" 2>/dev/null &&
		[[ -w $GROUP/memory.max ]] && return
	rmdir "$GROUP" 2>/dev/null
	own=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup | head -n 1)
	GROUP=/sys/fs/cgroup/memory$own/socks5d-$$
	LIMIT_FILE=memory.limit_in_bytes USAGE_FILE=memory.usage_in_bytes
	[[ -n $own ]] && mkdir "$GROUP" 2>/dev/null && [[ -w $GROUP/$LIMIT_FILE ]] && return
	rmdir "$GROUP" 2>/dev/null
	return 1
}

remove_group() {
	cleanup
	wait_for 10 rmdir "$GROUP" 2>/dev/null
}

# The server begins there.
wrap_server() {
	cat >"$TMP/socks5d" <<-END
		#!/bin/sh
		echo \$\$ >$GROUP/cgroup.procs && exec $SOCKS5D "\$@"
	END
	chmod +x "$TMP/socks5d"
	SOCKS5D=$TMP/socks5d
}

usage() {
	cat "$GROUP/$USAGE_FILE"
}

nobody_was_killed() {
	! grep -E '^oom_kill [1-9]' "$GROUP/memory.events" "$GROUP/memory.oom_control" 2>/dev/null
}

is_full() {
	grep -q '^full ' "$TMP/crowd" || gone "$CROWD" || gone "$SERVER"
}

begin_crowd() {
	spawn "$PYTHON" "$(dirname "$0")/crowd.py" "$PROXY" "$1" <&9 >"$TMP/crowd" 2>"$TMP/crowd.err"
	CROWD=$SPAWNED
	wait_for "$LIMIT" is_full
	cat "$TMP/crowd" "$TMP/crowd.err"
	[[ $(cat "$TMP/crowd") == "full $1" ]]
}

# What is beside the server in the group: pages of files, which the kernel takes back for others.
fill_with_pages() {
	(
		echo "$BASHPID" >"$GROUP/cgroup.procs"
		head -c 60M /dev/zero >"$TMP/pages" && cat "$TMP/pages" >/dev/null
	)
	echo "$(usage) bytes"
	(($(usage) > 24 * 1024 * 1024))
}

# What workers keep that have had a client once is no more for the second one.
has_as_much_as() {
	echo "$(usage) bytes, before $1"
	(($(usage) - $1 < 2 * 1024 * 1024))
}

make_group || skip_all 'a memory control group of its own'
trap remove_group EXIT
echo 32M >"$GROUP/$LIMIT_FILE" || skip_all 'a limit on memory'
wrap_server
start_nginx 1000
WORKERS=20000 start_monitored --auth none
check workers_fit grep -qE 'max_sessions = 20000 does not fit: lowered to [0-9]+ .*memory' "$LOG"
FITS=$(sed -n 's/.* msg="\([0-9]*\) sessions fit".*/\1/p' "$LOG")
check serves serves
note_health
mkfifo "$TMP/hold" && exec 9<>"$TMP/hold"
check all_but_a_few_are_busy begin_crowd $((FITS - 12))
check serves_beside_them serves
check monitor_answers as_alice STATS
check nobody_was_killed nobody_was_killed
stop "$CROWD" 2>/dev/null
check serves_then serves
BEFORE=$(usage)
check again begin_crowd $((FITS - 12))
stop "$CROWD" 2>/dev/null
check serves_again serves
check keeps_no_more wait_for 15 has_as_much_as "$BEFORE"
check pages_fill_the_rest fill_with_pages
check serves_among_pages serves
check monitor_answers_among_pages as_alice STATS
check nobody_was_killed_then nobody_was_killed
check healthy is_healthy
check stops stop_socks5d
finish
