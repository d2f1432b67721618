#!/usr/bin/env bash
# make install and make uninstall, for a package's folder: what is where, for whom, and that nothing
# of it stays.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

need pkg-config cc install

DEST="$TMP/a package" # a blank in it
ETC=$DEST/etc/socks5d

# One that knows nothing of the make that runs this test, and of a user who is afraid of others.
make_() {
	(umask 077 && bounded env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES \
		make -C "$ROOT" --no-print-directory BUILD="$(dirname "$SOCKS5D")" BIN="$TMP/bin" \
		DESTDIR="$DEST" PREFIX=/usr "$@")
}

# The second time to another place.
installs() {
	make_ install uninstall PREFIX=/opt && make_ install && "$DEST/usr/sbin/socks5d" -v && "$DEST/usr/bin/monitor_client" -v &&
		"$DEST/usr/sbin/socks5d_auth" -v
}

# Programs 755, the rest 644, and every folder open.
everybody_may_read_it() {
	! find "$DEST" -type d ! -perm 755 | grep . &&
		! find "$DEST" -type f -path '*bin/*' ! -perm 755 | grep . &&
		! find "$DEST" -type f ! -path '*bin/*' ! -perm 644 | grep .
}

all_of_it_is_there() {
	local file
	for file in etc/socks5d/socks5d.conf etc/default/socks5d_auth etc/logrotate.d/socks5d \
		etc/fail2ban/filter.d/socks5d.conf usr/share/doc/socks5d/fail2ban/jail.d/socks5d.conf \
		usr/share/doc/socks5d/{dnsmasq/socks5d-wpad.conf,grafana/socks5d.json,prometheus/alerts.yml} \
		usr/lib/sysusers.d/socks5d.conf usr/lib/tmpfiles.d/socks5d.conf \
		usr/lib/systemd/system/socks5d.service usr/lib/systemd/system/socks5d@.service \
		usr/lib/systemd/system/socks5d_auth.service \
		usr/share/man/man8/socks5d.8 usr/share/man/man8/socks5d_auth.8 \
		usr/share/bash-completion/completions/{socks5d,monitor_client,socks5d_auth} \
		usr/share/zsh/site-functions/{_socks5d,_monitor_client,_socks5d_auth} \
		usr/share/fish/vendor_completions.d/{socks5d,monitor_client,socks5d_auth}.fish \
		usr/share/doc/socks5d/examples/{school,office,lab,family,cluster}/socks5d.conf \
		usr/share/doc/socks5d/examples/cluster/{haproxy.cfg,keepalived.conf,redis.conf,socks.zone,proxy.pac} \
		usr/share/man/man7/socks5d-cluster.7; do
		[[ -f $DEST/$file ]] || { echo "no $file" && return 1; }
	done
	grep -qx 'ExecStart=/usr/sbin/socks5d .*' "$DEST/usr/lib/systemd/system/socks5d.service" &&
		grep -qx 'ExecReload=/usr/bin/monitor_client .*' "$DEST/usr/lib/systemd/system/socks5d.service"
}

# What the manuals and units name is where it is said to be.
no_other_place_is_named() {
	! grep -r /usr/local "$DEST" --exclude-dir=*bin &&
		grep -q '/usr/share/doc/socks5d/' "$DEST/usr/share/man/man8/socks5d.8"
}

# With the programs where they are now, and no blank in between.
prepare_units() {
	local unit
	ln -sfn "$DEST" "$TMP/dest"
	for unit in socks5d.service socks5d@.service socks5d_auth.service; do
		sed "s|=/usr/|=$TMP/dest/usr/|" "$DEST/usr/lib/systemd/system/$unit" >"$TMP/$unit"
	done
	cp "$TMP/socks5d@.service" "$TMP/socks5d@second.service"
}

# systemd-analyze finds nothing to say about the unit.
the_unit_is_good() {
	bounded systemd-analyze verify --man=no "$TMP/$1" >"$TMP/verify" 2>&1
	local status=$?
	cat "$TMP/verify"
	((status == 0)) && [[ ! -s $TMP/verify ]]
}

# What it lacks is at most 1.3, and each of it has its reason in the unit's last comment.
the_unit_is_confined() {
	local lacking
	bounded systemd-analyze security --offline=true --no-pager --threshold=13 "$TMP/$1" \
		>"$TMP/security" || {
		grep -v '^+' "$TMP/security"
		return 1
	}
	sed -n '/^# What systemd-analyze security would have/,/^$/p' "$TMP/$1" >"$TMP/reasons"
	awk '$NF ~ /^[0-9]+\.[0-9]+$/ { print $2 }' "$TMP/security" >"$TMP/lacking"
	[[ -s $TMP/lacking ]] || return 1
	while IFS= read -r lacking; do
		grep -qF -e " $lacking:" -e " $lacking," "$TMP/reasons" ||
			{ echo "no reason for $lacking" && return 1; }
	done <"$TMP/lacking"
}

# Of those that have one name the settings must not be the same: they run beside each other.
instances_share_nothing() {
	local own=$DEST/usr/lib/systemd/system/socks5d@.service key
	for key in RuntimeDirectory StateDirectory LogsDirectory; do
		grep -qx "$key=socks5d-%i" "$own" || { echo "$key" && return 1; }
	done
	grep -qx 'ExecStart=/usr/sbin/socks5d -c /etc/socks5d/%i.conf --monitor-socket %t/socks5d-%i/monitor.sock --state-dir %S/socks5d-%i' "$own" &&
		grep -qx 'ExecReload=.* --socket %t/socks5d-%i/monitor.sock RELOAD' "$own" &&
		grep -qx 'Description=.* (%i)' "$own" && ! grep '^[A-Z].*socks5d/monitor' "$own"
}

# The user and the folders, in a root of their own.
the_user_and_folders_are_made() {
	local root=$TMP/root folder
	mkdir -p "$root/etc" "$root/var/lib" "$root/var/log"
	bounded systemd-sysusers --root="$root" "$DEST/usr/lib/sysusers.d/socks5d.conf" &&
		grep -q '^socks5d:.*:/nonexistent:/usr/sbin/nologin$' "$root/etc/passwd" &&
		bounded systemd-tmpfiles --root="$root" --create "$DEST/usr/lib/tmpfiles.d/socks5d.conf" || return
	for folder in lib log; do
		stat -c '%a %u' "$root/var/$folder/socks5d"
	done >"$TMP/folders"
	cat "$TMP/folders"
	printf '700 %s\n750 %s\n' "$(id_of socks5d)" "$(id_of socks5d)" | cmp - "$TMP/folders"
}

id_of() {
	sed -n "s/^$1:[^:]*:\([0-9]*\):.*/\1/p" "$TMP/root/etc/passwd"
}

# A reload is asked for at the socket that the server is told to have, in a folder that is its own.
reload_asks_where_the_server_listens() {
	local unit=$DEST/usr/lib/systemd/system/socks5d.service socket
	socket=$(sed -n 's/^ExecStart=.* --monitor-socket \([^ ]*\).*/\1/p' "$unit")
	[[ $socket == %t/socks5d/* ]] && grep -q "^ExecReload=.* --socket $socket RELOAD$" "$unit" &&
		grep -qx RuntimeDirectory=socks5d "$unit" &&
		grep -q '^RestrictAddressFamilies=.*AF_UNIX' "$unit" &&
		"$DEST/usr/bin/monitor_client" --help | grep -qF "${socket/#%t//run}"
}

a_changed_configuration_stays() {
	local file
	for file in "$ETC/socks5d.conf" "$DEST/etc/default/socks5d_auth"; do
		echo '# ours' >>"$file"
		make_ install uninstall && grep -q ours "$file" && rm "$file" || return
	done
}

nothing_stays() {
	make_ install uninstall && ! find "$DEST" ! -type d | grep . && [[ ! -e $ETC ]]
}

check it_installs_where_a_blank_is_in_the_name installs
check the_umask_does_not_matter everybody_may_read_it
check all_of_it_is_there all_of_it_is_there
check no_other_place_is_named no_other_place_is_named
prepare_units
check instances_share_nothing instances_share_nothing
if command -v systemd-analyze >/dev/null; then
	check the_unit_is_good the_unit_is_good socks5d.service
	check that_of_instances_is_good the_unit_is_good socks5d@second.service
	check that_of_helpers_is_good the_unit_is_good socks5d_auth.service
	check that_of_helpers_is_confined the_unit_is_confined socks5d_auth.service
	check the_unit_is_confined the_unit_is_confined socks5d.service
	check that_of_instances_is_confined the_unit_is_confined socks5d@second.service
else
	skip the_unit_is_good_and_confined systemd-analyze
fi
if [[ $EUID == 0 ]] && command -v systemd-sysusers systemd-tmpfiles >/dev/null; then
	check the_user_and_folders_are_made the_user_and_folders_are_made
else
	skip the_user_and_folders_are_made 'root, systemd-sysusers and systemd-tmpfiles'
fi
check reload_asks_where_the_server_listens reload_asks_where_the_server_listens
check a_changed_configuration_stays a_changed_configuration_stays
check uninstall_leaves_no_file nothing_stays
finish
