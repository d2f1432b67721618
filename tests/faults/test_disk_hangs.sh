#!/usr/bin/env bash
# A disk that is slow, and one that does not answer at all for a while, under the logs, the users file
# and the state_dir one after the other: nobody waits for it but who has asked for what is on it, and
# what they asked for is done when it answers again.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/../clients/host.sh"
# shellcheck source=tests/clients/monitor.sh
. "$(dirname "$0")/../clients/monitor.sh"
# shellcheck source=tests/faults/disk.sh
. "$(dirname "$0")/disk.sh"

need curl nginx mkpasswd
need_disk

halt_disk() {
	kill -STOP "$DISK_PROCESS" && wait_for 30 disk_has_halted
}

disk_has_halted() {
	[[ $(ps -o stat= -p "$DISK_PROCESS") == T* ]]
}

wake_disk() {
	kill -CONT "$DISK_PROCESS"
}

all_are_served() {
	local i
	for ((i = 0; i < $1; i++)); do
		serves "${2:-}" || return
	done
}


# What somebody asks for who is to wait for the disk: as_alice ARG... in the background.
ask() {
	as_alice "$@" >"$TMP/asked" 2>&1 &
	ASKER=$!
	OWNED[ASKER]=asker
}

waits() {
	! gone "$ASKER"
}

was_answered() {
	retire "$ASKER"
	local status=$?
	cat "$TMP/asked"
	return "$status"
}

# At least those lines that nobody had to wait for are there, and the number of the others.
counts_add_up() {
	local there lost
	there=$(grep -c 'msg="session ended"' "$DISK/log")
	lost=$(sed -n 's/.* a while: \([0-9]*\) line.*/\1/p' "$DISK/log")
	echo "$there sessions in the log, $lost lines lost"
	((lost > 0 && there > 0))
}

try_logs_that_hang() {
	mount_disk
	WORKERS=12 start_monitored --log-file "$DISK/log" --access-log-file "$DISK/access" --auth none
	check log_before serves
	note_health
	LOG=$STDERR # of which check shows the end
	check log_halts halt_disk
	check log_holds_up_nobody all_are_served 20
	check log_holds_up_no_administrator answers STATS
	check log_said_once said_on_standard_error_once 'it is too slow'
	wake_disk
	LOG=$DISK/log
	mark_log
	check log_goes_on wait_for 30 logged_then
	check log_tells_how_many says 1 'a while: '
	check log_is_whole log_is_whole
	check log_counts counts_add_up
	check log_healthy is_healthy
	check log_stops stop_socks5d
	unmount_disk
}

# Those who were stuck may take a moment.
logged_then() {
	serves && said 1 'a while: '
}

try_users_that_hang() {
	mount_disk
	start_with_users
	check users_before serves carol:secret@
	note_health
	check users_halt halt_disk
	ask ADD_USER bob secret2
	check users_login all_are_served 3 carol:secret@
	check users_monitor answers STATS
	check unknown_meanwhile fails any '' serves bob:secret2@
	check who_asked_waits waits
	wake_disk
	check who_asked_is_answered was_answered
	check user_is_there serves bob:secret2@
	check users_stay begins_with "$DISK/users" "$TMP/users"
	check users_healthy is_healthy
	check users_stop stop_socks5d
	unmount_disk
}

try_state_that_hangs() {
	mount_disk
	start_monitored --state-dir "$DISK"
	check state_before serves alice:secret@
	note_health
	check state_halts halt_disk
	ask BAN 192.0.2.1
	check state_serves all_are_served 10 alice:secret@
	check state_monitor answers STATS
	check who_bans_waits waits
	check ban_is_in_force_already is_banned 192.0.2.1
	wake_disk
	check who_bans_is_answered was_answered
	check state_sums has_sessions 11
	check state_healthy is_healthy
	check state_stops stop_socks5d
	unmount_disk
}

serves_as() {
	run_curl -o "$TMP/got$1" -x "socks5h://alice:secret@$PROXY" "http://$WEB/page.txt" &&
		cmp "$TMP/got$1" "$WWW/page.txt"
}

# At once: the lines of all of them, one after the other, are more than the disk takes meanwhile.
twenty_are_served() {
	local i pids=() status=0
	for i in {1..20}; do
		serves_as "$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || status=1
	done
	return "$status"
}

try_slow() {
	mount_disk
	start_with_all_on_disk
	check slow_before serves alice:secret@
	note_health
	tell_disk slow 200
	check slow_serves_many twenty_are_served
	check slow_monitor answers STATS
	check slow_serves all_are_served 2 alice:secret@
	check slow_bans answers BAN 192.0.2.1
	check slow_adds adds bob
	tell_disk well
	check slow_then serves bob:secret2@
	check slow_sums wait_for 15 has_sessions 23
	check slow_healthy is_healthy
	check slow_stops stop_socks5d
	unmount_disk
}

start_with_all_on_disk() {
	: >"$DISK/users"
	mkdir "$TMP/beneath$DISKS/state"
	start_monitored --log-file "$DISK/log" --access-log-file "$DISK/access" \
		--users-file "$DISK/users" --state-dir "$DISK/state"
}

# Whom the kernel has waiting for the disk it ends no sooner, whatever the signal.
try_stop() {
	mount_disk
	start_monitored --state-dir "$DISK" --log-file "$DISK/log"
	check stop_before serves alice:secret@
	LOG=$STDERR # of which check shows the end
	check stop_halts halt_disk
	check stop_serves all_are_served 3 alice:secret@
	kill -TERM "$SERVER"
	check stop_closes wait_for 30 is_stopping
	kill -TERM "$SERVER"
	wake_disk
	check stop_ends wait_for 30 gone "$SERVER"
	retire "$SERVER"
	start_monitored --state-dir "$DISK" --log-file "$DISK/log2"
	check starts_again serves alice:secret@
	check state_outlived_that answers USAGE alice
	check stops_again stop_socks5d
	unmount_disk
}

# Nobody is let in any more.
is_stopping() {
	! serves alice:secret@ >/dev/null 2>&1
}

give_addresses '' lo
start_nginx 1000
try_logs_that_hang
try_users_that_hang
try_state_that_hangs
if ! is_short; then
	try_slow
	try_stop
fi
finish
