#!/usr/bin/env bash
# Bans on an IPv6 LAN: of two devices on the server's own link one guesses passwords and is banned, and
# its neighbour is not; of a network that is routed to it, all addresses are one client. In two
# network namespaces with a cable between.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need curl ip

SERVER_SIDE=socks5d-$$-server
CLIENT_SIDE=socks5d-$$-clients
REAL_SOCKS5D=$SOCKS5D

remove_namespaces() {
	ip netns delete "$SERVER_SIDE" 2>/dev/null
	ip netns delete "$CLIENT_SIDE" 2>/dev/null
}

# The clients' side has two devices on the link, and two behind a router, which is one of those.
make_namespaces() {
	ip netns add "$SERVER_SIDE" && ip netns add "$CLIENT_SIDE" &&
		ip -n "$SERVER_SIDE" link add cable0 type veth peer name cable1 netns "$CLIENT_SIDE" &&
		ip -n "$SERVER_SIDE" link set lo up && ip -n "$CLIENT_SIDE" link set lo up &&
		ip -n "$SERVER_SIDE" link set cable0 up && ip -n "$CLIENT_SIDE" link set cable1 up &&
		ip -n "$SERVER_SIDE" addr add 2001:db8:1::1/64 dev cable0 nodad &&
		ip -n "$SERVER_SIDE" route add 2001:db8:2::/48 via 2001:db8:1::2 &&
		ip -n "$CLIENT_SIDE" addr add 2001:db8:1::2/64 dev cable1 nodad &&
		ip -n "$CLIENT_SIDE" addr add 2001:db8:1::3/64 dev cable1 nodad &&
		ip -n "$CLIENT_SIDE" addr add 2001:db8:2::2/128 dev lo &&
		ip -n "$CLIENT_SIDE" addr add 2001:db8:2::3/128 dev lo &&
		ip -n "$CLIENT_SIDE" addr add 2001:db8:2:7::3/128 dev lo
}

# The library starts this one.
wrap_server() {
	printf '#!/bin/sh\nexec ip netns exec %s %s "$@"\n' "$SERVER_SIDE" "$REAL_SOCKS5D" >"$TMP/server"
	chmod 755 "$TMP/server"
	SOCKS5D=$TMP/server
}

# log_in FROM PASSWORD: as a device of that address, to a port at which nobody listens.
log_in() {
	mark_log
	fails any '' ip netns exec "$CLIENT_SIDE" curl -q -sS --noproxy '' --max-time 50 \
		-o "$TMP/got" --interface "$1" -x "socks5://$PROXY6" -U "alice:$2" \
		'http://[2001:db8:1::1]:9/'
}

gets_in() {
	log_in "$1" secret && logged "user=alice" "reason=connect_refused"
}

# Nothing is read of a client that is banned, so there is no session.
is_closed() {
	local before
	before=$(closed_so_far) && log_in "$1" secret && ! session_ended &&
		[[ $(closed_so_far) == $((before + 1)) ]]
}

# As the server counts them.
closed_so_far() {
	mark_log
	kill -USR1 "$SERVER"
	wait_for 15 statistics >/dev/null && statistics
}

statistics() {
	tail -n "+$LOG_MARK" "$LOG" | grep -oP ' msg=statistics .* clients_refused_for_bans=\K[0-9]+'
}

banned() {
	grep -F ' msg="ban begun" ' "$LOG" | grep -qF " client=$1 by=failures failures=3 "
}

guesses() {
	local i
	for i in 1 2 3; do
		log_in "$1" "guess$i" && logged reason=wrong_password || return
	done
	wait_for 15 banned "$2"
}

trap 'remove_namespaces; cleanup' EXIT
if ! make_namespaces 2>"$TMP/namespaces.err"; then
	skip_all "network namespaces with IPv6"
fi
wrap_server
start_socks5d -l '[2001:db8:1::1]' -u alice:secret --clients any --ban '3 in 1d for 1d to 1d'
PROXY6=$(listening_on '\[2001:db8:1::1\]:[0-9]*')

check device_on_the_link_gets_in gets_in 2001:db8:1::2
check device_on_the_link_is_banned guesses 2001:db8:1::2 '[2001:db8:1::2]'
check device_on_the_link_is_closed is_closed 2001:db8:1::2
check neighbour_on_the_link_gets_in gets_in 2001:db8:1::3
check device_behind_the_router_gets_in gets_in 2001:db8:2::2
check device_behind_the_router_is_banned guesses 2001:db8:2::2 '[2001:db8:2::]/64'
check neighbour_behind_the_router_is_closed is_closed 2001:db8:2::3
check other_network_behind_the_router_gets_in gets_in 2001:db8:2:7::3
check stops stop_socks5d
finish
