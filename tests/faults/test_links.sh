#!/usr/bin/env bash
# Bad links on either side: packets that are lost, doubled, overtaken and late; a link that goes down in
# the middle of sessions and up again; and one that stays down, whereupon all that waits behind it ends
# by the reasons and timeouts that the manual tells. What comes through is compared, byte for byte.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119,SC2120,SC2086 # called by check; words
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/../clients/host.sh"
# shellcheck source=tests/clients/servers.sh
. "$(dirname "$0")/../clients/servers.sh"
# shellcheck source=tests/faults/links.sh
. "$(dirname "$0")/links.sh"
# shellcheck source=tests/faults/health.sh
. "$(dirname "$0")/health.sh"

# shellcheck source=tests/faults/traffic.sh
. "$(dirname "$0")/traffic.sh"

need ip nsenter

SERVED_AT=10.9.1.1 CLIENT_IP=10.9.1.2 HERE_OUT=10.9.2.1 TARGET_IP=10.9.2.2
OUTAGE=3 PAGE=page=1 # the page's own deadline is 10 s
! is_short || OUTAGE=0.5 PAGE=

make_network() {
	give_addresses '' lo &&
		add_link inside "$SERVED_AT/24" "$CLIENT_IP/24" && CLIENT=$NEIGHBOUR &&
		add_link outside "$HERE_OUT/24" "$TARGET_IP/24" && TARGET_AT=$NEIGHBOUR
}

# ---- what links do to packets ----

# comes_through FAULT=N...: on both links.
comes_through() {
	mark_log
	shape inside "$@" && shape outside "$@" && traffic use $ALL
	local status=$?
	shape inside && shape outside && ((status == 0)) && has_let_go && no_complaints
}

# ---- links that go down and up again ----

take_down() {
	ip link set "$1" down
}

put_up() {
	ip link set "$1" up
}

# survives BREAK MEND LINK: for a while, in which each session has something to say.
survives() {
	local status=0
	mark_log
	begin_traffic halfway use --halfway $ALL || return
	note_time
	"$1" "$3" && go_on && sleep "$OUTAGE" && has_not_spun && "$2" "$3" || status=1
	end_traffic && ((status == 0)) && has_let_go && no_complaints
}

# Now there, now not, while sessions go on.
flickers() {
	local link status=0
	mark_log
	begin_traffic halfway use --halfway --size 1000000 $ALL || return
	go_on
	for link in inside outside inside outside inside outside; do
		unplug "$link" && sleep 0.2 && shape "$link" && take_down "$link" && sleep 0.1 &&
			put_up "$link" && sleep 0.2 || status=1
	done
	end_traffic && ((status == 0)) && has_let_go && no_complaints
}

# ---- links that stay down ----

HELD="silent=1 greeting=1 idle=2 half=2 flood=2 udp=2 bind=2 $PAGE monitor=1 monitor_login=1 monitor_listing=1"

has_ended() {
	logged "reason=$1" || return
	[[ $(sessions "reason=$1" | wc -l) == "$2" ]] && return
	echo "by $1 not $2, but:"
	sessions "reason=$1"
	return 1
}

# All that waits ends, each by the reason that is told.
ends_by_itself() {
	local status=0
	mark_log
	begin_traffic ready hold $HELD || return
	note_time
	unplug "$1" && has_let_go && has_not_spun || status=1
	shape "$1"
	end_traffic && ((status == 0)) && has_ended idle 4 && has_ended half_closed_idle 2 &&
		has_ended udp_idle 2 && has_ended bind_timeout 2 && has_ended handshake_timeout 2 &&
		no_complaints idle half_closed_idle udp_idle bind_timeout handshake_timeout
}

# The interface that targets are reached by is a tunnel's that was dialled anew: what was connected
# through it is lost, and all else goes on.
survives_another_interface() {
	local status=0
	mark_log
	begin_traffic halfway use --halfway udp=3 || return
	ip link set outside down && ip link set outside name elsewhere &&
		fails 1 'Refused: REP 3' traffic use download=1 && logged reason=network_unreachable &&
		ip link set elsewhere name outside && renew outside || status=1
	end_traffic && ((status == 0)) && has_let_go && no_complaints closed network_unreachable &&
		traffic use $ALL
}

# Long before timeout: keepalive does, and where something was on its way, the kernel's patience.
finds_who_vanished() {
	local status=0
	mark_log
	echo 8 >/proc/sys/net/ipv4/tcp_retries2
	begin_traffic ready hold idle=2 half=2 udp=2 monitor=1 watch=1 || return
	note_time
	unplug inside && has_let_go 600 && has_not_spun 2000 || status=1
	shape inside
	end_traffic && ((status == 0)) && no_complaints client_reset
}

# In the midst of sessions that cannot be told.
stops_behind_cable() {
	local status=0
	begin_traffic ready hold $HELD || return
	unplug "$1" && stop_socks5d || status=1
	shape "$1"
	end_traffic && ((status == 0))
}

# refused BREAK REP REASON: who asks for what is behind the other link is told so.
refused() {
	local status=0
	mark_log
	"$1" outside && fails 1 "Refused: REP $2" traffic use download=1 && logged "reason=$3" || status=1
	put_up outside && shape outside && ((status == 0)) && has_let_go && comes_through
}

make_network || die 'no network'
start_far_side
serve_all
echo "# links by $LINK_KIND, seed $SEED"

in_full check good_link comes_through
check lossy_link comes_through loss=3
in_full check reordering_link comes_through reorder=25 delay=5
in_full check doubling_link comes_through duplicate=10
in_full check late_link comes_through delay=50
check link_with_all_of_it comes_through loss=2 reorder=25 delay=10 duplicate=5
check 'inside: cable pulled and put back' survives unplug shape inside
in_full check 'inside: down and up' survives take_down put_up inside
in_full check 'outside: cable pulled and put back' survives unplug shape outside
check 'outside: down and up' survives take_down put_up outside
check links_that_flicker flickers
check stops stop_socks5d

serve_all --external-interface outside --drain-timeout 1s --connect-timeout 3s
check target_behind_a_pulled_cable refused unplug 6 connect_timeout
check target_behind_a_link_that_is_down refused take_down 3 network_unreachable
check another_interface_of_the_same_name survives_another_interface
in_full check finds_who_vanished finds_who_vanished
check stops_behind_a_pulled_cable stops_behind_cable inside

serve_all --timeout 4s --half-close-timeout 4s --udp-timeout 4s --bind-timeout 4s --handshake-timeout 4s \
	--monitor-timeout 4s --monitor-login-timeout 4s
check 'inside: what waits behind a pulled cable ends' ends_by_itself inside
in_full check 'outside: what waits behind a pulled cable ends' ends_by_itself outside
check service_afterwards traffic use download=1 upload=1 talk=1 udp=1 bind=1
check stops_afterwards stop_socks5d
finish
