#!/usr/bin/env bash
# Three servers that share their state by a real Redis: a quota that is used on all of them, sessions
# that are bounded together, bans, an engine that stops, dies, and comes back empty, and a node that is
# killed.
# shellcheck source=tests/cluster/nodes.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/nodes.sh"

need curl nginx redis-server redis-cli openssl

QUOTA=10000000

# ---- quotas ----

# What is moved in the five seconds until the others hear of it comes on top; here they hear first.
a_quota_ends_over_all() {
	local one two three
	one=$(fetch 1 alice)
	wait_for "$LIMIT" are_equal alice "$one" || return
	two=$(fetch 2 alice)
	wait_for "$LIMIT" are_equal alice "$QUOTA" || return
	three=$(fetch 3 alice)
	echo "$one + $two + $three of $QUOTA"
	((one == SIZE && two > 0 && two < SIZE && three == 0)) && ((one + two <= QUOTA))
}

it_begins_anew_on_all() {
	on 3 QUOTA alice reset && wait_for "$LIMIT" all_say alice 0 && [[ $(fetch 2 alice) == "$SIZE" ]] &&
		wait_for "$LIMIT" are_equal alice "$SIZE"
}

# ---- bans ----

a_ban_holds_on_all() {
	on 1 BAN 192.0.2.7 1h && wait_for "$LIMIT" is_banned_on 2 192.0.2.7 &&
		wait_for "$LIMIT" is_banned_on 3 192.0.2.7 && on 2 UNBAN 192.0.2.7 &&
		wait_for "$LIMIT" is_not_banned_on 1 192.0.2.7 &&
		wait_for "$LIMIT" is_not_banned_on 3 192.0.2.7
}

# ---- sessions ----

# hold NODE: a session of bob's that stays.
hold() {
	spawn curl -q -sS --noproxy '' -o /dev/null --limit-rate 1k \
		-x "socks5h://bob:secret@${PROXIES[$1]}" "http://$WEB/random.bin"
	HELD=$SPAWNED
}

bob_runs() {
	on "$1" LIMITS bob | grep -q " running:$2"
}

bob_gets_in() {
	bounded curl -q -sS --noproxy '' -o /dev/null -r 0-99 \
		-x "socks5h://bob:secret@${PROXIES[$1]}" "http://$WEB/random.bin"
}

bob_is_refused() {
	! bob_gets_in "$1"
}

sessions_are_bounded_together() {
	local first second
	hold 1
	first=$HELD
	hold 2
	second=$HELD
	wait_for "$LIMIT" bob_runs 1 1 && wait_for "$LIMIT" bob_runs 2 1 &&
		wait_for "$LIMIT" bob_is_refused 3
	local status=$?
	stop "$first"
	stop "$second"
	((status == 0)) && wait_for "$LIMIT" bob_gets_in 3
}

# ---- the engine fails ----

serves_and_sums_up() {
	local before
	before=$(used 1 alice)
	wait_for "$LIMIT" is_alarmed 1 || return
	on 1 QUOTA alice "+${SIZE}B" && [[ $(fetch 1 alice) == "$SIZE" ]] || return
	"$@"
	wait_for "$LIMIT" all_are_calm && wait_for "$LIMIT" are_equal alice $((before + SIZE))
}

a_stopped_engine_holds_nobody_up() {
	kill -STOP "$ENGINE"
	serves_and_sums_up kill -CONT "$ENGINE"
}

a_killed_engine_comes_back_empty() {
	kill_engine
	serves_and_sums_up start_engine
}

engine_knows_use() {
	[[ $(redis HGET socks5d:use:node1 alice; redis HGET socks5d:use:node2 alice) == *' '* ]]
}

an_emptied_engine_is_told_again() {
	local before
	before=$(used 1 alice)
	redis FLUSHALL && wait_for "$LIMIT" engine_knows_use && wait_for "$LIMIT" all_say alice "$before"
}

# ---- a node fails ----

a_killed_node_goes() {
	kill_node 3
	wait_for "$LIMIT" nodes_online 2 && on 1 NODES | grep 'node:node3 state:offline'
}

start_nginx 6000000
SIZE=6000000
add_user alice "quota=${QUOTA}B/month"
add_user bob sessions=2
start_engine
start_nodes
check nodes_find_each_other wait_for "$LIMIT" nodes_online 3
check a_quota_ends_over_all a_quota_ends_over_all
check a_quota_begins_anew_on_all it_begins_anew_on_all
check a_ban_holds_on_all a_ban_holds_on_all
check sessions_are_bounded_together sessions_are_bounded_together
check a_stopped_engine_holds_nobody_up a_stopped_engine_holds_nobody_up
check a_killed_engine_comes_back_empty a_killed_engine_comes_back_empty
check an_emptied_engine_is_told_again an_emptied_engine_is_told_again
check a_killed_node_goes a_killed_node_goes
finish
