# shellcheck shell=bash
# A system of its own in a folder, booted in namespaces beside lib.sh, which is to be read before:
# systemd and the journal and nothing else of what a host starts, without a network but loopback. Its
# control groups are below one that is made for it, so that several of them, and the host's own
# systemd, do not meet.
#
#	boot_system FOLDER	false where that cannot be
#	in_system COMMAND...	as root, within LIMIT seconds
#	halt_system

# What becomes systemd. Of a root that was only changed to there are no namespaces of users
# (PrivateUsers=), so that it takes pivot_root.
write_system_boot() {
	cat >"$TMP/boot" <<-'END'
		set -e
		mount --make-rprivate /
		mount --bind "$1" "$1"
		cd "$1"
		rm -f etc/fstab
		find lib/systemd/system/*.wants ! -type d ! -name '*journald*' -delete
		mount -t proc proc proc
		mount --bind proc/sys proc/sys
		mount -o remount,bind,ro proc/sys
		mount -t sysfs -o ro none sys
		mount -t cgroup2 none sys/fs/cgroup
		mount --rbind /dev dev
		mount -t tmpfs none run
		mount -t tmpfs none tmp
		mkdir -p host
		pivot_root . host
		umount -l /host
		exec env -i container=docker PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			/lib/systemd/systemd --system --unit=basic.target --show-status=no
	END
}

boot_system() {
	SYSTEM_GROUP=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)/socks5d-test-$$
	mkdir "$SYSTEM_GROUP" || return
	write_system_boot
	# shellcheck disable=SC2016 # the inner shell's
	spawn sh -c 'echo $$ >"$1/cgroup.procs" && exec unshare --mount --pid --fork --kill-child --uts \
		--ipc --net --cgroup bash "$2" "$3"' sh "$SYSTEM_GROUP" "$TMP/boot" "$1" >"$TMP/boot.log" 2>&1
	SYSTEM=$SPAWNED
	wait_for 60 system_settled && ! gone "$SYSTEM" &&
		nsenter --target "$INIT" --net ip link set lo up
}

system_settled() {
	gone "$SYSTEM" && return
	INIT=$(pgrep -P "$SYSTEM" -x systemd) &&
		in_system systemctl is-system-running 2>/dev/null | grep -qx 'running\|degraded'
}

in_system() {
	bounded nsenter --target "$INIT" --mount --pid --uts --ipc --net --cgroup --root --wd "$@"
}

halt_system() {
	in_system systemctl poweroff --force >/dev/null 2>&1
	retire "$SYSTEM"
	find "$SYSTEM_GROUP" -depth -type d -exec rmdir {} \;
}
