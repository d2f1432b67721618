#!/usr/bin/env bash
# The pictures of the pages that README.md shows, into the folder $1: a small office is online for some
# minutes, in namespaces of its own, and the pages are looked at meanwhile.
#
#	PICTURES_SECONDS=30	for a quick look
#	ALL_PICTURES=yes	each page at each width in both schemes, rather than those two
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119,SC2086 # called by check; words
[[ -n ${PICTURES_TO:-} ]] || PICTURES_TO=$(realpath -m "${1:?where to}")
export PICTURES_TO
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/../clients/host.sh"

# shellcheck source=tests/web/front.sh
. "$(dirname "$0")/front.sh"

need curl openssl
has_browser || skip_all 'chromium, chromium-driver and python3-selenium'

OFFICE=192.168.1
HERE_IP=$OFFICE.1
DESKS=(20:reception 21:anna-laptop 22:bernd-pc 23:meeting-room 31:printer 40:claras-phone 41:dan-tablet)
SITES=(10:video.example.net 11:mirror.example.org 12:www.example.com 13:mail.example.org
	14:backup.example.net 15:meet.example.com 16:news.example.com)

addresses() {
	local network=$1 item
	shift
	for item; do
		echo "$network.${item%%:*}$BITS"
	done
}

names() {
	local network=$1 item
	shift
	for item; do
		echo "$network.${item%%:*} ${item#*:}"
	done
}

make_network() {
	local desks
	desks=$(BITS=/24 addresses "$OFFICE" "${DESKS[@]}")
	give_addresses "$(BITS=/32 addresses 203.0.113 "${SITES[@]}")" lo &&
		add_neighbour office "$HERE_IP/24" "$desks" &&
		{ cat /etc/hosts && names 203.0.113 "${SITES[@]}"; } | over /etc/hosts
}

write_users_of_office() {
	local hash name
	hash=$(openssl passwd -6 secret) || die openssl
	echo "root:$hash:admin" >"$TMP/users"
	for name in anna bernd clara; do
		echo "$name:$hash:user:groups=staff rate=100Mbit quota=200GB/month" >>"$TMP/users"
	done
	echo "dan:$hash:user:quota=5GB/day" >>"$TMP/users"
	chmod 600 "$TMP/users"
}

# The host has a name of its own, which the pages show.
name_host() {
	cat >"$TMP/socks5d" <<-END
		#!/bin/bash
		exec unshare --uts bash -c 'hostname gate && exec "\$0" "\$@"' '$SOCKS5D' "\$@"
	END
	chmod 755 "$TMP/socks5d"
	SOCKS5D=$TMP/socks5d
}

start_gate() {
	names "$OFFICE" "${DESKS[@]}" >"$TMP/names"
	mkdir -m 700 "$TMP/state"
	start_socks5d -l "$HERE_IP:1080" --auth optional --users-file "$TMP/users" \
		--state-dir "$TMP/state" --access-log-file "$TMP/access.log" \
		--client-names "$TMP/names" --web-listen 127.0.0.1:0 \
		--user-defaults 'sessions=50 quota=40GB/month' \
		--rule 'deny to .ads.example, .tracker.example' \
		--rule "deny from $OFFICE.31" \
		--rule 'deny user dan to mirror.example.org'
	await_front
}

make_network || skip_all 'networks of its own'
name_host
write_users_of_office
# shellcheck disable=SC2046 # words
start_origin $(BITS=:443 addresses 203.0.113 "${SITES[@]}")
start_gate
spawn env FRONT="http://$FRONT" PROXY="$HERE_IP:1080" AT="$NEIGHBOUR" OFFICE="$OFFICE" \
	"$PYTHON" "$ROOT/tests/web/pictures.py" "$TMP" "$PICTURES_TO"
LIMIT=900 retire "$SPAWNED" || die pictures.py
stop_socks5d
