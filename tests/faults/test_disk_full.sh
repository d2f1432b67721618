#!/usr/bin/env bash
# A disk without room, under the logs, the users file and the state_dir one after the other: nothing
# that was there is lost, one line says what is wrong, clients are served, and all works again once
# there is room.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/../clients/host.sh"
# shellcheck source=tests/clients/monitor.sh
. "$(dirname "$0")/../clients/monitor.sh"
# shellcheck source=tests/faults/health.sh
. "$(dirname "$0")/health.sh"

need curl nginx mkpasswd

# A disk of so many bytes, in place of the one before.
mount_disk() {
	DISK=$TMP/disk$((${DISKS:=0} + 1))
	DISKS=$((DISKS + 1))
	mkdir "$DISK" && mount -t tmpfs -o "size=$1" none "$DISK" || die 'no disk can be mounted'
}

# What is mounted would outlive the test.
unmount_disks() {
	local disk
	for disk in "$TMP"/disk*; do
		umount -l "$disk" 2>/dev/null
	done
	cleanup
}
trap unmount_disks EXIT

# To its last byte.
fill_disk() {
	head -c 100M /dev/zero >"$DISK/filler" 2>/dev/null
	[[ $(df --output=avail "$DISK" | tail -n 1) -eq 0 ]]
}

make_room() {
	rm "$DISK/filler"
}

logs_take_no_more() {
	fill_disk || return
	# What is left of the last page is there for logs, too.
	for _ in {1..60}; do
		serves || return
	done
	cp "$DISK/log" "$TMP/log.full" && cp "$DISK/access" "$TMP/access.full" &&
		serves && cmp "$DISK/log" "$TMP/log.full" && cmp "$DISK/access" "$TMP/access.full"
}

# Whole lines follow, but for the one that was cut off when the disk became full.
lines_are_whole() {
	local bad
	bad=$(grep -cvE "$2" "$1")
	((bad <= 1)) || {
		echo "$bad lines of $1 are cut off"
		grep -nvE "$2" "$1"
		return 1
	}
}

logs_take_lines_again() {
	make_room
	mark_log
	serves && serves && logged outcome=success || return
	cmp -n "$(stat -c %s "$TMP/log.full")" "$DISK/log" "$TMP/log.full" &&
		cmp -n "$(stat -c %s "$TMP/access.full")" "$DISK/access" "$TMP/access.full" &&
		lines_are_whole "$DISK/log" '^time=.* level=[a-z]* msg=' &&
		lines_are_whole "$DISK/access" ' SUCCESS 0 [a-z-]+ [^ ]+ [0-9]+ [0-9]+ [0-9]+$'
}

alarms_tell_of() {
	as_alice ALARMS >"$TMP/alarms" && cat "$TMP/alarms" && grep -qF -- "$1" "$TMP/alarms"
}

try_logs() {
	mount_disk 64k
	start_monitored --log-file "$DISK/log" --access-log-file "$DISK/access" --auth none
	check logs_before serves
	note_health
	check logs_take_no_more logs_take_no_more
	check said_on_standard_error grep -qF "log_file: No space left on device" "$STDERR"
	check said_once said_on_standard_error_once
	check alarm_of_the_log alarms_tell_of 'lines of the log'
	check alarm_of_the_access_log alarms_tell_of 'lines of the access log'
	check logs_take_lines_again logs_take_lines_again
	check log_tells_how_many says 1 'lines are lost'
	check logs_healthy is_healthy
	check logs_stop stop_socks5d
}

said_on_standard_error_once() {
	cat "$STDERR"
	(($(grep -c 'No space left' "$STDERR") == 1))
}

hash_of() {
	mkpasswd -m sha512crypt "$1"
}

users_file_stays() {
	ls "$DISK"
	cmp "$DISK/users" "$TMP/users" && [[ $(ls "$DISK") == $'filler\nusers' ]]
}

adds_bob() {
	MONITOR_PASSWORD=secret NEW_PASSWORD=secret2 client -u root ADD_USER bob secret2
}

try_users() {
	mount_disk 64k
	{
		echo "# a remark that is to stay"
		echo "root:$(hash_of secret):admin"
		echo "carol:$(hash_of secret):user"
		for i in {1..40}; do
			echo "# line $i$(printf '%0200d' 0)"
		done
	} >"$DISK/users"
	start_monitored --users-file "$DISK/users" # alice is written into it
	cp "$DISK/users" "$TMP/users"
	check users_before serves carol:secret@
	note_health
	fill_disk
	check user_is_refused fails any 'No space left on device' adds_bob
	check users_file_stays users_file_stays
	check unknown_still fails any '' serves bob:secret2@
	check known_still serves carol:secret@
	make_room
	check user_is_added adds_bob
	check known_then serves bob:secret2@
	check others_still serves carol:secret@
	check remark_is_there grep -q 'remark that is to stay' "$DISK/users"
	check users_healthy is_healthy
	check users_stop stop_socks5d
}

asks_as_alice() {
	as_alice "$@" >"$TMP/answer" && cat "$TMP/answer"
}

# Of alice, the sessions of today in the history.
kept_sessions() {
	as_alice USAGE alice >"$TMP/usage" 2>&1
	cat "$TMP/usage"
	grep -qE "$1" "$TMP/usage"
}

try_state() {
	mount_disk 400k
	start_monitored --state-dir "$DISK"
	check state_before serves alice:secret@
	check ban_is_kept asks_as_alice BAN 192.0.2.1
	note_health
	fill_disk
	mark_log
	for _ in {1..5}; do
		check "state_full$_" serves alice:secret@
	done
	check ban_is_refused eventually_refused
	check state_says says 1 'state_dir: nothing can be written'
	check state_serves serves alice:secret@
	make_room
	check ban_is_kept_again asks_as_alice BAN 192.0.2.3
	check state_says_again says 1 'state_dir: it can be written again'
	check state_healthy is_healthy
	check state_stops stop_socks5d
	start_monitored --state-dir "$DISK"
	check bans_are_there asks_as_alice BANS
	check first_ban_is_there grep -q 192.0.2.1 "$TMP/answer"
	check last_ban_is_there grep -q 192.0.2.3 "$TMP/answer"
	check usage_is_there kept_sessions .
	check state_stops_again stop_socks5d
}

# SQLite may have some pages left that it can write to.
eventually_refused() {
	local i
	for i in {1..50}; do
		as_alice BAN "192.0.2.2/32" >"$TMP/answer" 2>&1 || break
	done
	cat "$TMP/answer"
	grep -qF full "$TMP/answer"
}

give_addresses '' lo
start_nginx 1000
try_logs
try_users
try_state
finish
