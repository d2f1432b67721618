#!/usr/bin/env bash
# A disk that becomes read-only, and one whose writes fail, under the logs, the users file and the
# state_dir one after the other: as on a full one (test_disk_full.sh).
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

EIO=5 EROFS=30

break_disk() {
	tell_disk fail "$ERROR"
}

mend_disk() {
	tell_disk well
}

give_addresses '' lo
start_nginx 1000
ERRORS=("$EROFS" "$EIO")
! is_short || ERRORS=("$EIO")
for ERROR in "${ERRORS[@]}"; do
	((ERROR == EROFS)) && WORDS='Read-only file system' || WORDS='Input/output error'
	echo "# $WORDS"
	mount_disk
	try_logs "$WORDS"
	mount_disk
	try_users "$WORDS"
	mount_disk
	try_state "$WORDS"
done

# The kernel's own way, which is refused while a file is open for writing.
break_disk() {
	mount -o remount,ro "$DISK"
}

mend_disk() {
	mount -o remount,rw "$DISK"
}

mount_room 64k
try_users 'Read-only file system'
finish
