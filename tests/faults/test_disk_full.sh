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
# shellcheck source=tests/faults/disk.sh
. "$(dirname "$0")/disk.sh"

need curl nginx mkpasswd

# To its last byte.
break_disk() {
	head -c 100M /dev/zero >"$DISK/filler" 2>/dev/null
	[[ $(df --output=avail "$DISK" | tail -n 1) -eq 0 ]]
}

mend_disk() {
	rm "$DISK/filler"
}

does_not_start() {
	fails 2 "$1" bounded "$SOCKS5D" -l 127.0.0.1 -p 0 --monitor-port 0 "${@:2}"
}

give_addresses '' lo
start_nginx 1000
mount_room 64k
try_logs 'No space left on device'
mount_room 64k
try_users 'No space left on device'
mount_room 400k
try_state 'full'

# What cannot be read in, or be written where a flag says so, ends the start with the reason.
mount_room 64k
break_disk
check no_start_with_state does_not_start 'database or disk is full' --state-dir "$DISK"
check no_start_with_users does_not_start 'No space left on device' -u bob:secret --users-file "$DISK/users"
unmount_disk
finish
