#!/usr/bin/env bash
# The unit under a systemd that boots in namespaces of its own, over this host's files and without
# its network: installed, upgraded and removed by README's commands; the first administrator, who may
# use the socket, and reloads that fail when the server refuses. Nothing is written to the host.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/readme.sh
. "$(dirname "$0")/readme.sh"

need systemctl nsenter pivot_root make cc
[[ $EUID == 0 ]] || skip_all root
[[ $SOCKS5D == "$ROOT"/* ]] || skip_all "a build in $ROOT"
[[ -x /lib/systemd/systemd ]] || skip_all /lib/systemd/systemd
[[ ! -d /run/systemd/system ]] || skip_all 'a host that has no systemd running, whose control groups it would share'

CONFIG=/etc/socks5d/socks5d.conf
BUILT=$(dirname "$SOCKS5D")

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
		mkdir -p "$1/fs/upper-project" "$1/fs/work-project" "$1/fs/root/project"
		mount -t overlay overlay \
			-o "lowerdir=$2,upperdir=$1/fs/upper-project,workdir=$1/fs/work-project" \
			"$1/fs/root/project"
		cd "$1/fs/root"
		rm -rf var/log/journal var/lib/socks5d var/log/socks5d etc/fstab etc/systemd/system/* \
			etc/socks5d usr/local/lib/systemd/system/socks5d.service
		printf '#!/bin/sh\nexec "$@"\n' >usr/local/bin/sudo
		chmod 755 usr/local/bin/sudo
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
		bash "$TMP/boot" "$TMP" "$ROOT" >"$TMP/boot.log" 2>&1
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

serves_at_socket() {
	inside test -S /run/socks5d/monitor.sock && monitor USERS >/dev/null
}

# runs COMMAND: in the project, with the build that is tested, with the caller's standard input.
# A command that starts the service is done before that serves.
runs() {
	echo "# $1"
	inside env MAKEFLAGS="-- BUILD=${BUILT#"$ROOT"/}" sh -c "cd /project && $1" || return
	[[ $1 != *'systemctl '*start* && $1 != *'systemctl enable'* ]] || wait_for 30 serves_at_socket
}

# Passwords are asked for.
runs_all() {
	local line
	while IFS= read -r line; do
		runs "$line" <<<hidden || return
	done
}

adds_the_first_users() {
	inside env MONITOR_PASSWORD=hidden monitor_client -u alice ACCOUNTS | tee "$TMP/accounts" &&
		grep -q '^name:carol role:user ' "$TMP/accounts"
}

installs() {
	readme_commands 'As a service' >"$TMP/commands" && runs_all <"$TMP/commands" &&
		adds_the_first_users && set_line listen 127.0.0.1 &&
		inside systemctl restart socks5d && wait_for 30 serves_at_socket
}

# What was changed stays.
upgrades_and_removes() {
	readme_commands 'Upgrading and removing' >"$TMP/commands" && runs_all <"$TMP/commands" &&
		! inside test -e /usr/local/sbin/socks5d && ! inside test -e /run/socks5d &&
		inside grep -q '^carol:' /var/lib/socks5d/users &&
		inside grep -qx 'users_file = /var/lib/socks5d/users' "$CONFIG"
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

# Through the filter of the unit, and with the folder that the unit has for logs.
confines_itself() {
	monitor STATS | tee "$TMP/stats" | grep -q 'confined by.*landlock.*no_new_privs.*call_filter' &&
		set_line log_file /var/log/socks5d/log && reload &&
		wait_for 10 inside test -s /var/log/socks5d/log &&
		inside sed -i '/^log_file =/d' "$CONFIG" && reload
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

write_boot
cgroups >"$TMP/cgroups"
boot || skip_all "a systemd that boots: $(tail -n 2 "$TMP/boot.log")"
inside ip link set lo up
check it_is_installed_and_has_users_as_in_the_readme installs
check others_are_asked others_are_asked
check a_reload_tells_what_waits a_reload_tells_what_waits
check refused_reloads_fail_with_the_reason reloads_that_are_refused
if "$SOCKS5D" -n 2>&1 | grep -q 'missing is'; then
	skip it_confines_itself_in_the_unit 'a kernel with Landlock and seccomp'
else
	check it_confines_itself_in_the_unit confines_itself
fi
check users_stay_over_a_restart restarts
check the_state_is_kept_where_the_unit_says keeps_state
check the_socket_goes_with_the_service stops
check it_is_upgraded_and_removed_as_in_the_readme upgrades_and_removes
inside systemctl poweroff --force >/dev/null 2>&1
retire "$BOOT"
remove_cgroups
finish
