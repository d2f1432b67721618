#!/usr/bin/env bash
# A new Debian with nothing but git, make and ca-certificates: make run serves, make test tests, and
# plain make says what is missing. Nothing of the host is used but its network.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need debootstrap unshare git curl
[[ $EUID == 0 ]] || skip_all root

LIMIT=600 # packages have to be fetched
NEW=$TMP/root
SUITE=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")

# What runs the command behind it in the new system's copy of the project, with the mounts it needs.
# All of it ends with its first process.
IN_DEBIAN=(unshare --mount --pid --fork --kill-child sh -c '
	mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
		exec chroot "$0" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		sh -c "cd /socks5d && exec \"\$@\"" sh "$@"' "$NEW")

install_debian() {
	bounded debootstrap --variant=minbase --include=git,make,ca-certificates "$SUITE" "$NEW"
}

# As it would be cloned, changes that are not committed included.
copy_project() {
	mkdir "$NEW/socks5d"
	(cd "$ROOT" && git ls-files -z --cached --others --exclude-standard |
		tar -c --null --files-from=- --ignore-failed-read 2>/dev/null) | tar -x -C "$NEW/socks5d"
}

make_names_what_is_missing() {
	local status=0
	bounded "${IN_DEBIAN[@]}" make >"$TMP/make.out" 2>&1 || status=$?
	cat "$TMP/make.out"
	((status == 2)) && [[ $(wc -l <"$TMP/make.out") == 1 ]] &&
		grep -q 'missing: gcc .*; make deps installs them\.' "$TMP/make.out"
}

serves() {
	LOG=$TMP/run.log
	PROXY=$(listening_on '127\.0\.0\.1:[0-9]*')
	[[ -n $PROXY ]] || { gone "$RUN" && die "make run ended"; }
	[[ -n $PROXY ]] && curl -sS --max-time 10 -x "socks5h://$PROXY" "http://$WEB/" >/dev/null
}

# On free ports, since those of the host are not the test's.
make_run_serves() {
	sed -i 's/^#listen = .*/listen = 127.0.0.1/; s/^#\(port\|monitor_port\) = .*/\1 = 0/' \
		"$NEW/socks5d/conf/socks5d.conf"
	spawn "${IN_DEBIAN[@]}" make run >"$TMP/run.log" 2>&1
	RUN=$SPAWNED
	wait_for "$LIMIT" serves
	local served=$?
	kill -KILL "$RUN" # which hears nothing else
	retire "$RUN"
	tail -n 5 "$TMP/run.log"
	cp "$ROOT/conf/socks5d.conf" "$NEW/socks5d/conf/"
	return "$served"
}

# A few of the tests: what is tried is that all is there that they need.
make_test_tests() {
	bounded "${IN_DEBIAN[@]}" make test CHECKS='build/cc/tests/base/test_addr build/cc/tests/daemon/test_relay
		tests/clients/test_curl.sh' >"$TMP/test.out" 2>&1
	local status=$?
	tail -n 20 "$TMP/test.out"
	((status == 0)) && tail -n 1 "$TMP/test.out" | grep -q '^[0-9]* passed, 0 failed, 0 skipped$'
}

# By somebody who may not write there.
builds_elsewhere() {
	bounded "${IN_DEBIAN[@]}" sh -c 'install -d -o 65534 /tmp/out && umask 077 &&
		setpriv --reuid=65534 --regid=65534 --clear-groups make O=/tmp/out &&
		/tmp/out/bin/socks5d -v && /tmp/out/bin/monitor_client -v'
}

no_service_is_enabled() {
	[[ ! -e $NEW/usr/sbin/policy-rc.d ]] &&
		! find "$NEW/etc/systemd/system" "$NEW"/etc/rc[2-5].d -name '*nginx*' | grep -v /K
}

install_debian >"$TMP/debootstrap.log" 2>&1 || {
	tail -n 5 "$TMP/debootstrap.log"
	skip_all 'a debootstrap that can fetch packages'
}
start_nginx
copy_project
check plain_make_names_what_is_missing make_names_what_is_missing
check make_run_installs_builds_and_serves make_run_serves
check a_checkout_that_is_read_only_builds_elsewhere builds_elsewhere
check make_test_installs_and_tests make_test_tests
check what_was_installed_serves_nobody no_service_is_enabled
finish
