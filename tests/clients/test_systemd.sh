#!/usr/bin/env bash
# The unit under a systemd that boots in namespaces of its own, over this host's files and without
# its network: the first administrator, who may use the socket, and reloads that fail when the server
# refuses. Nothing is written to the host.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need systemctl nsenter pivot_root make cc
[[ $EUID == 0 ]] || skip_all root
[[ -x /lib/systemd/systemd ]] || skip_all /lib/systemd/systemd
[[ ! -d /run/systemd/system ]] || skip_all 'a host that has no systemd running, whose control groups it would share'

CONFIG=/etc/socks5d/socks5d.conf

# Installed for a package, and put over the host's files, what these have of it themselves aside.
install_for_boot() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES make -C "$ROOT" --no-print-directory \
		BUILD="$(dirname "$SOCKS5D")" BIN="$TMP/bin" DESTDIR="$TMP/install" install
}

# What becomes systemd, with the journal and nothing else of what a host starts. Of a root that was
# only changed to there are no namespaces of users (PrivateUsers=), so that it takes pivot_root.
write_boot() {
	cat >"$TMP/boot" <<-'END'
		set -e
		mount --make-rprivate /
		mount -t tmpfs none "$1/fs"
		mkdir "$1/fs/upper" "$1/fs/work" "$1/fs/root"
		mount -t overlay overlay \
			-o "lowerdir=/,upperdir=$1/fs/upper,workdir=$1/fs/work" "$1/fs/root"
		cp -a "$1/install/." "$1/fs/root/"
		cd "$1/fs/root"
		rm -rf var/log/journal var/lib/socks5d var/log/socks5d etc/fstab etc/systemd/system/*
		find lib/systemd/system/*.wants ! -type d ! -name '*journald*' -delete
		mount -t proc proc proc
		mount --bind proc/sys proc/sys
		mount -o remount,bind,ro proc/sys
		mount --rbind /sys sys
		mount -o remount,bind,ro sys
		mount --rbind /dev dev
		mount -t tmpfs none run
		mount -t tmpfs none tmp
		mkdir host
		pivot_root . host
		umount -l /host
		systemd-sysusers /usr/local/lib/sysusers.d/socks5d.conf
		exec env -i container=docker PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			/lib/systemd/systemd --system --unit=basic.target --show-status=no
	END
}

cgroups() {
	find /sys/fs/cgroup -type d \( -path '*/init.scope*' -o -path '*/system.slice*' \) | LC_ALL=C sort
}

# Those of its own, from the leaves on.
remove_cgroups() {
	cgroups | LC_ALL=C comm -13 "$TMP/cgroups" - | tac | xargs -r rmdir
}

boot() {
	mkdir "$TMP/fs"
	spawn unshare --mount --pid --fork --kill-child --uts --ipc --net \
		bash "$TMP/boot" "$TMP" >"$TMP/boot.log" 2>&1
	BOOT=$SPAWNED
	wait_for 60 booted && ! gone "$BOOT"
}

booted() {
	gone "$BOOT" && return
	INIT=$(pgrep -P "$BOOT" -x systemd) && inside systemctl is-system-running 2>/dev/null |
		grep -qx 'running\|degraded'
}

inside() {
	bounded nsenter --target "$INIT" --mount --pid --uts --ipc --net --root --wd "$@"
}

# set_line NAME VALUE: in the configuration, in the place of what there was.
set_line() {
	inside sed -i "/^#\{0,1\}$1 =/d; \$a $1 = $2" "$CONFIG"
}

monitor() {
	inside monitor_client "$@"
}

prepare_service() {
	inside ip link set lo up
	set_line listen 127.0.0.1
	set_line users_file /var/lib/socks5d/users
	inside install -d -o socks5d -g socks5d -m 700 /var/lib/socks5d &&
		inside install -o socks5d -g socks5d -m 600 /dev/null /var/lib/socks5d/users
}

serves_at_socket() {
	inside test -S /run/socks5d/monitor.sock && monitor USERS >/dev/null
}

starts() {
	inside systemctl start socks5d && wait_for 30 serves_at_socket
}

adds_the_first_users() {
	echo hidden | monitor ADD_USER alice - admin && echo secret | monitor ADD_USER carol - &&
		inside env MONITOR_PASSWORD=hidden monitor_client -u alice ACCOUNTS | tee "$TMP/accounts" &&
		grep -q '^name:carol role:user ' "$TMP/accounts"
}

# The namespace of the unit knows only root and its own user.
others_are_asked() {
	local as=(setpriv --reuid 12345 --clear-groups --regid)
	echo alice:wrong | fails 1 'ERR Invalid credentials' inside "${as[@]}" socks5d monitor_client \
		--socket /run/socks5d/monitor.sock USERS &&
		echo alice:hidden | fails 3 'Permission denied' inside "${as[@]}" 12345 monitor_client \
			--socket /run/socks5d/monitor.sock USERS
}

reload() {
	inside systemctl reload socks5d
}

a_reload_tells_what_waits() {
	set_line timeout 77s
	set_line max_sessions 33
	reload && last_words 'OK max_sessions changes only at the next start, timeout set to 77s'
}

# last_words TEXT: the last line that is the service's, not systemd's own about it.
last_words() {
	wait_for 15 said_last "$1" || {
		inside journalctl -u socks5d --no-pager -n 10
		return 1
	}
}

said_last() {
	inside journalctl _SYSTEMD_UNIT=socks5d.service -o cat --no-pager -n 1 >"$TMP/last" &&
		grep -qF -- "$1" "$TMP/last"
}

# reload_fails TEXT: so does systemctl, with TEXT as the reason, and the client says the same.
reload_fails() {
	fails any 'Job for socks5d.service failed' reload && last_words "ERR $1" &&
		fails 1 "ERR $1" monitor RELOAD
}

reloads_that_are_refused() {
	set_line log_file /nowhere/log && reload_fails 'log_file: "/nowhere/log": cannot be opened' &&
		inside sed -i /nowhere/d "$CONFIG" && set_line listen 10.9.9.9 &&
		reload_fails 'cannot listen on 10.9.9.9:1080: Cannot assign requested address' &&
		set_line listen 127.0.0.1 && inside cp -p /var/lib/socks5d/users /root/users &&
		inside truncate -s 0 /var/lib/socks5d/users &&
		reload_fails '/var/lib/socks5d/users: no users are left in it' &&
		inside cp /root/users /var/lib/socks5d/users && reload
}

restarts() {
	inside systemctl restart socks5d && wait_for 30 serves_at_socket &&
		monitor ACCOUNTS | grep -q '^name:carol '
}

# In the folder that the unit names.
keeps_state() {
	monitor USAGE &&
		[[ $(inside stat -c '%a %U' /var/lib/socks5d/socks5d.db) == '600 socks5d' ]]
}

stops() {
	inside systemctl stop socks5d && ! inside test -e /run/socks5d
}

install_for_boot >"$TMP/install.log" 2>&1 || die "make install: $(tail -n 5 "$TMP/install.log")"
write_boot
cgroups >"$TMP/cgroups"
boot || skip_all "a systemd that boots: $(tail -n 2 "$TMP/boot.log")"
prepare_service
check the_service_starts starts
check the_first_users_are_added_as_root adds_the_first_users
check others_are_asked others_are_asked
check a_reload_tells_what_waits a_reload_tells_what_waits
check refused_reloads_fail_with_the_reason reloads_that_are_refused
check users_stay_over_a_restart restarts
check the_state_is_kept_where_the_unit_says keeps_state
check the_socket_goes_with_the_service stops
inside systemctl poweroff --force >/dev/null 2>&1
retire "$BOOT"
remove_cgroups
finish
