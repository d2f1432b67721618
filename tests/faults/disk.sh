# shellcheck shell=bash disable=SC2034,SC2317,SC2119 # variables are for the tests, functions for check
# A disk under what the server writes, beside lib.sh, host.sh and monitor.sh: the logs, the users file
# or the state_dir. The test says how its disk breaks and is mended:
#
#	break_disk, mend_disk		functions of the test
#	try_logs REASON			all of it, with what the log is to say
#	try_users REASON
#	try_state REASON
#	mount_room SIZE			DISK is a disk of so many bytes
#	mount_disk			DISK is one of disk.c's, which DISK_PROCESS serves and tell_disk
#					tells what to be
#	need_disk			skips the test where that cannot be made

# shellcheck source=tests/faults/health.sh
. "$(dirname "${BASH_SOURCE[0]}")/health.sh"

DISKS=0
DISK_CONTROL=$TMP/control
DISK_PROCESS=

# What is mounted would outlive the test.
unmount_disks() {
	local disk
	for disk in "$TMP"/disk*; do
		umount -l "$disk" 2>/dev/null
	done
	[[ -z $DISK_PROCESS ]] || kill -CONT "$DISK_PROCESS" 2>/dev/null
	cleanup
}
trap unmount_disks EXIT

new_folder() {
	DISKS=$((DISKS + 1))
	DISK=$TMP/disk$DISKS
	mkdir "$DISK"
}

mount_room() {
	new_folder
	mount -t tmpfs -o "size=$1" none "$DISK" || die 'no disk can be mounted'
}

need_disk() {
	need cc pkg-config
	pkg-config --exists fuse3 || skip_all libfuse3-dev
	[[ -w /dev/fuse ]] || skip_all /dev/fuse
	# shellcheck disable=SC2046 # words
	cc -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -o "$TMP/disk" "${BASH_SOURCE[0]%.sh}.c" \
		$(pkg-config --cflags --libs fuse3) || die 'disk.c does not compile'
}

mount_disk() {
	new_folder
	mkdir "$TMP/beneath$DISKS" || die 'no folder'
	tell_disk well
	spawn "$TMP/disk" "$TMP/beneath$DISKS" "$DISK_CONTROL" "$DISK" 2>"$TMP/disk.err"
	DISK_PROCESS=$SPAWNED
	wait_for 30 disk_is_mounted || die "no disk: $(cat "$TMP/disk.err")"
}

disk_is_mounted() {
	mountpoint -q "$DISK"
}

tell_disk() {
	echo "$*" >"$DISK_CONTROL.new" && mv "$DISK_CONTROL.new" "$DISK_CONTROL"
}

unmount_disk() {
	umount "$DISK" && { [[ -z $DISK_PROCESS ]] || retire "$DISK_PROCESS"; }
	DISK_PROCESS=
}

# ---- the logs ----

logs_take_no_more() {
	break_disk || return
	# What is left of the last page of a full disk is there for logs, too.
	for _ in {1..40}; do
		serves || return
	done
	cp "$DISK/log" "$TMP/log.before" && cp "$DISK/access" "$TMP/access.before" &&
		serves && cmp "$DISK/log" "$TMP/log.before" && cmp "$DISK/access" "$TMP/access.before"
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

log_is_whole() {
	lines_are_whole "$DISK/log" '^time=.* level=[a-z]* msg=' &&
		lines_are_whole "$DISK/access" ' SUCCESS 0 [a-z-]+ [^ ]+ [0-9]+ [0-9]+ [0-9]+$'
}

begins_with() {
	cmp -n "$(stat -c %s "$2")" "$1" "$2"
}

logs_take_lines_again() {
	mend_disk
	mark_log
	serves && serves && logged outcome=success && log_is_whole &&
		begins_with "$DISK/log" "$TMP/log.before" &&
		begins_with "$DISK/access" "$TMP/access.before"
}

alarms_tell_of() {
	as_alice ALARMS >"$TMP/alarms" && cat "$TMP/alarms" && grep -qF -- "$1" "$TMP/alarms"
}

said_on_standard_error_once() {
	cat "$STDERR"
	(($(grep -cF "log_file: $1; lines are lost" "$STDERR") == 1 && $(wc -l <"$STDERR") == 1))
}

try_logs() {
	start_monitored --log-file "$DISK/log" --access-log-file "$DISK/access" --auth none
	check logs_before serves
	note_health
	check logs_take_no_more logs_take_no_more
	check logs_said_once said_on_standard_error_once "$1"
	check logs_alarm alarms_tell_of 'lines of the log'
	check logs_alarm_of_access alarms_tell_of 'lines of the access log'
	check logs_take_lines_again logs_take_lines_again
	check logs_tell_how_many says 1 'lines are lost'
	check logs_healthy is_healthy
	check logs_stop stop_socks5d
	unmount_disk
}

# ---- the users file ----

hash_of() {
	mkpasswd -m sha512crypt -R 1000 "$1"
}

# alice is written into it by the start.
start_with_users() {
	{
		echo "# a remark that is to stay"
		echo "carol:$(hash_of secret):user"
		for i in {1..40}; do
			echo "# line $i$(printf '%0200d' 0)"
		done
	} >"$DISK/users"
	start_monitored --users-file "$DISK/users"
	cp "$DISK/users" "$TMP/users"
}

users_file_stays() {
	local left
	left=$(cd "$DISK" && echo *)
	echo "$left"
	cmp "$DISK/users" "$TMP/users" && [[ ${left#filler } == users ]]
}

adds() {
	as_alice ADD_USER "$1" secret2
}

try_users() {
	start_with_users
	check users_before serves carol:secret@
	note_health
	check users_break break_disk
	check user_is_refused fails any "$1" adds bob
	check users_file_stays users_file_stays
	check unknown_still fails any '' serves bob:secret2@
	check known_still serves carol:secret@
	check users_mend mend_disk
	check user_is_added adds bob
	check known_then serves bob:secret2@
	check others_still serves carol:secret@
	check remark_is_there begins_with "$DISK/users" "$TMP/users"
	check users_healthy is_healthy
	check users_stop stop_socks5d
	unmount_disk
}

# ---- the state ----

# SQLite may have some pages left that it can write to.
eventually_refuses() {
	local i
	for i in {1..100}; do
		answers BAN 192.0.2.2 || break
	done
	grep -qF -- "$1" "$TMP/answer"
}

is_banned() {
	answers BANS && grep -qF "$1" "$TMP/answer"
}

# Of alice, as the last field of her line says in today's history.
has_sessions() {
	answers USAGE alice && grep -qE "sessions:$1( |\$)" "$TMP/answer"
}

try_state() {
	local sessions=3
	start_monitored --state-dir "$DISK"
	check state_before serves alice:secret@
	check ban_is_kept answers BAN 192.0.2.1
	note_health
	check state_breaks break_disk
	mark_log
	check state_serves serves alice:secret@
	check ban_is_refused eventually_refuses "$1"
	check state_says says 1 'state_dir: nothing can be written'
	check state_says_why grep -qF -- "$1" "$LOG"
	check state_serves_then serves alice:secret@
	check state_mends mend_disk
	check ban_is_kept_again answers BAN 192.0.2.3
	check state_says_again says 1 'state_dir: it can be written again'
	check state_healthy is_healthy
	check state_stops stop_socks5d
	start_monitored --state-dir "$DISK"
	check first_ban_is_there is_banned 192.0.2.1
	check last_ban_is_there is_banned 192.0.2.3
	check sessions_are_there has_sessions "$sessions"
	check state_stops_again stop_socks5d
	unmount_disk
}
