#!/usr/bin/env bash
# An engine that stops, is killed and comes back, with what it knew and without, under 200 sessions that
# move data at three nodes: none ends, no byte is lost, a login waits for nothing, and what was used is
# summed up to the byte, of TCP, UDP and HTTP alike.
# shellcheck source=tests/cluster/nodes.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/nodes.sh"

need python3 redis-server redis-cli openssl

SESSIONS=200
LOGINS=200

moves_on() {
	(($(field load moved) > $1))
}

# serves_without WHAT: the engine is gone, as all have seen.
serves_without() {
	local before without now
	before=$WITH_ENGINE
	wait_for "$LIMIT" is_alarmed_everywhere || return
	now=$(field load moved)
	without=$(median) || return
	measured "a login: ${before} us with an engine, $without us while it is $1, expected $((before + SLOWER * 1000)), bound $(most_without "$before")"
	((without <= $(most_without "$before"))) && wait_for "$LIMIT" moves_on "$now" && all_live
}

is_joined_again() {
	wait_for "$LIMIT" all_are_calm && all_live
}

sessions_move_data() {
	run_traffic load move --rate 400000 alice "$SESSIONS" "${PROXIES[@]}"
	wait_for "$LIMIT" says load "live $SESSIONS " || return
	WITH_ENGINE=$(median)
	wait_for "$LIMIT" moves_on 0
}

an_engine_that_stops_holds_nobody_up() {
	kill -STOP "$ENGINE"
	serves_without stopped
	local status=$?
	kill -CONT "$ENGINE"
	((status == 0)) && is_joined_again
}

an_engine_that_is_killed_holds_nobody_up() {
	kill_engine
	serves_without dead && start_engine --appendonly yes && is_joined_again
}

an_engine_that_comes_back_empty_holds_nobody_up() {
	kill_engine
	rm -rf "$TMP/appendonlydir"
	serves_without dead && start_engine --appendonly yes && is_joined_again
}

# While it is away, all the same.
other_ways_count_as_well() {
	local udp http
	kill -STOP "$ENGINE"
	udp=$(traffic datagrams alice 100 "${PROXIES[2]}") && http=$(traffic requests alice 20 "${PROXIES[3]}")
	local status=$?
	kill -CONT "$ENGINE"
	OTHER_WAYS=$((udp + http))
	((status == 0 && udp > 0 && http > 0)) && is_joined_again
}

# What clients and their origins have seen is what every node says.
sums_are_exact() {
	local sum
	end_traffic load || return
	sum=$(($(field load moved) + OTHER_WAYS))
	measured "moved: $sum"
	echo "moved $sum; nodes say $(used 1 alice) $(used 2 alice) $(used 3 alice)"
	[[ $(field load cut) == 0 ]] && wait_for "$LIMIT" all_say alice "$sum"
}

# Each begins with what it has kept.
nodes_that_start_anew_know_the_sums() {
	local sum n
	sum=$(used 1 alice)
	for n in 1 2 3; do
		stop "${PIDS[n]}"
		start_node "$n"
	done
	wait_for "$LIMIT" on_all all_see 3 && wait_for "$LIMIT" all_say alice "$sum"
}

# Behind a quota that has begun anew, too: what was used since stays used.
nodes_that_start_anew_begin_no_quota_again() {
	local moved n
	on 2 QUOTA alice reset && wait_for "$LIMIT" all_say alice 0 || return
	moved=$(traffic datagrams alice 100 "${PROXIES[1]}") && wait_for "$LIMIT" all_say alice "$moved" || return
	for n in 1 2; do
		kill_node "$n"
		start_node "$n"
	done
	wait_for "$LIMIT" on_all all_see 3 && all_are_calm && wait_for "$LIMIT" all_say alice "$moved"
}

add_user alice quota=1000GB/month
add_user carol
start_engine --appendonly yes
start_nodes
check nodes_find_each_other wait_for "$LIMIT" on_all all_see 3
check sessions_move_data sessions_move_data
try an_engine_that_stops_holds_nobody_up an_engine_that_stops_holds_nobody_up
try an_engine_that_is_killed_holds_nobody_up an_engine_that_is_killed_holds_nobody_up
try an_engine_that_comes_back_empty_holds_nobody_up an_engine_that_comes_back_empty_holds_nobody_up
check other_ways_count_as_well other_ways_count_as_well
try sums_are_exact sums_are_exact
check nodes_that_start_anew_know_the_sums nodes_that_start_anew_know_the_sums
check nodes_that_start_anew_begin_no_quota_again nodes_that_start_anew_begin_no_quota_again
finish
