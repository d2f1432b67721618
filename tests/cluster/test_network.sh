#!/usr/bin/env bash
# An engine on TCP, by a name and with a password from a file, and a network in between that loses it, is
# slow, or cuts connections, while sessions move data.
# shellcheck source=tests/cluster/nodes.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/nodes.sh"

need python3 redis-server redis-cli openssl dnsmasq

SESSIONS=30
LOGINS=100

link_is_there() {
	[[ -s $TMP/link ]]
}

# The engine as nodes see it: engine.test, at the network's port.
start_network() {
	start_engine_tcp
	run_python link link.py "$ENGINE_PORT"
	wait_for "$LIMIT" link_is_there || return
	start_dnsmasq --host-record=engine.test,127.0.0.1
	SHARED=redis://engine.test:$(<"$TMP/link")/0
	NODE_FLAGS=(--shared-password-file "$ENGINE_PASSWORD")
	NAME_SERVER=127.0.0.1:$DNS_PORT
}

# Beyond loopback it would go in clear, which a line at the start says; here nothing does.
the_password_is_nowhere() {
	local n word
	word=$(<"$ENGINE_PASSWORD")
	for n in 1 2 3; do
		! grep -F "$word" "${LOGS[n]}" && ! on "$n" SETTINGS | grep -F "$word" &&
			! on "$n" CONFIG | grep -F "$word" && ! tr '\0' ' ' <"/proc/${PIDS[n]}/cmdline" | grep -F "$word" ||
			return
	done
}

sessions_move_data() {
	run_traffic load move --rate 300000 alice "$SESSIONS" "${PROXIES[@]}"
	wait_for "$LIMIT" says load "live $SESSIONS " && WITH_ENGINE=$(median)
}

# network_fails WORD...: all goes on without the engine, and nodes find it again.
network_fails() {
	local without
	tell link "$*"
	wait_for "$LIMIT" is_alarmed_everywhere && without=$(median) && all_live
	local status=$?
	tell link pass
	measured "a login: $WITH_ENGINE us, $without us while the network is $*, expected $((WITH_ENGINE + SLOWER * 1000)), \
bound $(most_without "$WITH_ENGINE")"
	((status == 0 && without <= $(most_without "$WITH_ENGINE"))) && wait_for "$LIMIT" all_are_calm && all_live
}

# What an answer needs in time it has: nothing is to be said.
a_network_that_is_a_little_slow_does() {
	local before
	tell link slow 10
	before=$(used 1 alice)
	wait_for "$LIMIT" has_grown_calmly "$before"
	local status=$?
	tell link pass
	return "$status"
}

# As another node tells. A machine that is busy itself may add what is too slow, once.
has_grown_calmly() {
	(($(used 1 alice) > $1 + 1000000)) && all_are_calm
}

connections_that_are_cut_are_made_anew() {
	tell link cut
	wait_for "$LIMIT" all_are_calm && all_live
}

is_refused() {
	on 1 ALARMS | grep 'alarm:shared' | grep -iE 'WRONGPASS|invalid'
}

# The engine's password is another one from now on: said, and nothing else ends.
a_wrong_password_is_said() {
	redis CONFIG SET requirepass other && tell link cut && wait_for "$LIMIT" is_refused && all_live
	local status=$?
	bounded redis-cli -h 127.0.0.1 -p "$ENGINE_PORT" --no-auth-warning -a other CONFIG SET requirepass \
		"$(<"$ENGINE_PASSWORD")"
	((status == 0)) && wait_for "$LIMIT" all_are_calm
}

sums_are_exact() {
	end_traffic load || return
	measured "moved: $(field load moved)"
	[[ $(field load cut) == 0 ]] && wait_for "$LIMIT" all_say alice "$(field load moved)"
}

add_user alice quota=1000GB/month
add_user carol
start_network || die "the network does not start"
start_nodes
check nodes_find_the_engine_by_its_name wait_for "$LIMIT" on_all all_see 3
check the_password_is_nowhere the_password_is_nowhere
check sessions_move_data sessions_move_data
try a_network_that_is_lost_holds_nobody_up network_fails lost
try a_network_that_is_too_slow_holds_nobody_up network_fails slow 400
check a_network_that_is_a_little_slow_does a_network_that_is_a_little_slow_does
check connections_that_are_cut_are_made_anew connections_that_are_cut_are_made_anew
check a_wrong_password_is_said a_wrong_password_is_said
try sums_are_exact sums_are_exact
finish
