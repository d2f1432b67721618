#!/usr/bin/env bash
# What three servers allow together while everything happens at once: how far a quota and a bound on
# sessions are overshot until all have heard of it, how long a ban takes to hold everywhere, and when
# the sessions of a node that was killed count no more.
# shellcheck source=tests/cluster/nodes.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/nodes.sh"

need python3 curl nginx redis-server redis-cli openssl

QUOTA=10000000
RATE=1000000 # bytes a second, of all clients together
TOLD=5       # seconds until the others hear of it
NOISE=8      # seconds that a busy machine may add

# ---- quotas ----

# Two clients on all three nodes at once, whose rate bounds what can be moved until all know. Nodes that
# hear nothing would let three times the quota pass, which is more than the bound.
a_quota_used_everywhere_at_once_ends() {
	local most=$((QUOTA + (TOLD + NOISE) * RATE)) used n
	run_traffic one move --rate $((RATE / 2)) alice 6 "${PROXIES[@]}"
	run_traffic two move --rate $((RATE / 2)) alice 6 "${PROXIES[@]}"
	wait_for "$LIMIT" says one end: && wait_for "$LIMIT" says two end: || return
	cat "$TMP/one" "$TMP/two"
	end_traffic one
	end_traffic two
	for n in 1 2 3; do
		[[ $(fetch "$n" alice) == 0 ]] || return
	done
	wait_for "$LIMIT" are_equal alice "$QUOTA" || return
	used=$(used 1 alice)
	measured "a quota of $QUOTA at $RATE a second: $used, expected $((QUOTA + TOLD * RATE)), bound $most"
	((used <= most)) && [[ $(field one cut) == 6 && $(field two cut) == 6 ]]
}

# It stays so: not one byte more.
nobody_goes_on_behind_a_quota() {
	local before n
	before=$(used 1 alice)
	for n in 1 2 3; do
		! traffic move alice 1 "${PROXIES[n]}" || return
	done
	all_say alice "$before"
}

# ---- sessions ----

BOUND=10
PACE=1 # sessions begun in a second

live_sum() {
	local n sum=0
	for n in 1 2 3; do
		sum=$((sum + $(running "$n" bob)))
	done
	echo "$sum"
}

# The engine knows of that many.
is_told() {
	local sum=0 n
	for n in $(redis HGET socks5d:live:node1 bob; redis HGET socks5d:live:node2 bob
		redis HGET socks5d:live:node3 bob); do
		sum=$((sum + n))
	done
	((sum == $1))
}

opens_none() {
	! opens_one "$1"
}

opens_one() {
	bounded curl -q -sS --noproxy '' -o /dev/null -r 0-99 \
		-x "socks5h://bob:secret@${PROXIES[$1]}" "http://$WEB/random.bin"
}

# Each node alone would allow 10, and so all of them more than the bound. Behind the first 10, as many as
# begin until all have heard.
sessions_begun_at_a_known_pace_overshoot_by_what_begins_until_all_know() {
	local most=$((BOUND + PACE * (TOLD + NOISE))) top
	run_traffic bob open --pace "$PACE" bob 32 "${PROXIES[@]}"
	wait_for "$LIMIT" says bob opened || return
	top=$(grep -o '^live [0-9]*' "$TMP/bob" | sort -k 2n | tail -n 1)
	top=${top#live }
	measured "sessions=$BOUND at $PACE a second: $top, expected $((BOUND + PACE * TOLD)), bound $most"
	((top >= BOUND && top <= most)) && [[ $(live_sum) == "$top" ]]
}

no_more_begin_once_all_know() {
	local n
	tell bob 10
	wait_for "$LIMIT" is_told 10 || return
	for n in 1 2 3; do
		wait_for "$LIMIT" opens_none "$n" || return
	done
	tell bob 9
	wait_for "$LIMIT" is_told 9 && wait_for "$LIMIT" opens_one 2 && [[ $(live_sum) -le 10 ]]
	local status=$?
	end_traffic bob
	return "$status"
}

# ---- bans ----

CLIENT_HOST=127.0.0.9

is_closed_to_client() {
	! traffic logins --from "$CLIENT_HOST" carol 1 "${PROXIES[$1]}" 2>/dev/null
}

# A session of the client at each of the others ends, and it gets in nowhere.
a_ban_holds_on_all() {
	local begun ended
	run_traffic banned move --from "$CLIENT_HOST" carol 4 "${PROXIES[2]}" "${PROXIES[3]}"
	wait_for "$LIMIT" says banned 'live 4' || return
	begun=$(now_ms)
	on 1 BAN "$CLIENT_HOST" 1h || return
	wait_for "$LIMIT" says banned end: || return
	ended=$(now_ms)
	measured "a ban has ended sessions elsewhere after $((ended - begun)) ms, expected 1000, bound $((1000 + NOISE * 1000))"
	end_traffic banned
	on_all is_closed_to_client && ((ended - begun < 1000 + NOISE * 1000))
}

is_open_to_client() {
	traffic logins --from "$CLIENT_HOST" carol 1 "${PROXIES[$1]}" >/dev/null
}

an_end_of_a_ban_holds_on_all() {
	on 3 UNBAN "$CLIENT_HOST" && wait_for "$LIMIT" on_all is_open_to_client
}

# ---- a node fails ----

# Its sessions held all that there are.
a_killed_node_gives_its_sessions_back() {
	local begun ended
	wait_for "$LIMIT" is_told 0 || return
	run_traffic held open bob 10 "${PROXIES[3]}"
	wait_for "$LIMIT" says held opened && wait_for "$LIMIT" is_told 10 &&
		wait_for "$LIMIT" opens_none 1 || return
	kill_node 3
	begun=$(now_ms)
	wait_for "$LIMIT" opens_one 1 && wait_for "$LIMIT" opens_one 2 || return
	ended=$(now_ms)
	measured "sessions of a killed node count no more after $((ended - begun)) ms, expected 15000, bound $((15000 + 2 * NOISE * 1000))"
	end_traffic held
	((ended - begun < 15000 + 2 * NOISE * 1000)) && nodes_online 2
}

start_nginx 100000
add_user alice "quota=${QUOTA}B/month"
add_user bob "sessions=$BOUND"
add_user carol
start_engine
start_nodes
check nodes_find_each_other wait_for "$LIMIT" on_all all_see 3
try a_quota_used_everywhere_at_once_ends a_quota_used_everywhere_at_once_ends
check nobody_goes_on_behind_a_quota nobody_goes_on_behind_a_quota
try sessions_overshoot_by_what_begins_until_all_know \
	sessions_begun_at_a_known_pace_overshoot_by_what_begins_until_all_know
check no_more_begin_once_all_know no_more_begin_once_all_know
try a_ban_holds_on_all a_ban_holds_on_all
check an_end_of_a_ban_holds_on_all an_end_of_a_ban_holds_on_all
try a_killed_node_gives_its_sessions_back a_killed_node_gives_its_sessions_back
finish
