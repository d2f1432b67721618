#!/usr/bin/env bash
# Three servers that share their state by a real Redis: a quota that is used on all of them, sessions
# that are bounded together, bans, an engine that stops, dies, and comes back empty, and a node that is
# killed.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

need curl nginx redis-server redis-cli openssl

CLIENT=$(realpath "${MONITOR_CLIENT:-$(dirname "$SOCKS5D")/monitor_client}")
QUOTA=10000000
PROXIES=()
PIDS=()

# ---- the engine ----

redis() {
	redis-cli -s "$TMP/redis.sock" --raw "$@"
}

answers() {
	[[ $(redis PING 2>&1) == PONG ]]
}

start_engine() {
	spawn redis-server --port 0 --unixsocket "$TMP/redis.sock" --save '' --appendonly no \
		--daemonize no --dir "$TMP"
	ENGINE=$SPAWNED
	wait_for "$LIMIT" answers || die redis-server
}

kill_engine() {
	kill -KILL "$ENGINE"
	retire "$ENGINE"
	true
}

# ---- the nodes ----

start_node() {
	local n=$1
	mkdir -p "$TMP/state$n"
	start_socks5d --state-dir "$TMP/state$n" -U "$TMP/users" --auth required --shared "unix:$TMP/redis.sock" \
		--node-name "node$n" --monitor-socket "$TMP/monitor$n" "${@:2}"
	PROXIES[n]=$PROXY
	PIDS[n]=$SERVER
}

on() {
	bounded "$CLIENT" --socket "$TMP/monitor$1" "${@:2}"
}

nodes_online() {
	[[ $(on 1 NODES | grep -cE 'state:(here|online)') == "$1" ]]
}

write_users() {
	local hash
	hash=$(openssl passwd -6 secret) || die openssl
	{
		echo "alice:$hash:user:quota=${QUOTA}B/month"
		echo "bob:$hash:user:sessions=2"
	} >"$TMP/users"
	chmod 600 "$TMP/users"
}

# fetch NODE: how much of the file came.
fetch() {
	bounded curl -q -sS --noproxy '' -o /dev/null -w '%{size_download}' \
		-x "socks5h://alice:secret@${PROXIES[$1]}" "http://$WEB/random.bin" 2>/dev/null
	true
}

# What a node says that alice has used, on all of them.
used() {
	on "$1" LIMITS alice | sed -n 's/.* used:\([0-9]*\) .*/\1/p'
}

all_say() {
	[[ $(used 1) == "$1" && $(used 2) == "$1" && $(used 3) == "$1" ]]
}

are_equal() {
	local one
	one=$(used 1)
	((one >= ${1:-0})) && all_say "$one"
}

# ---- quotas ----

# What is moved in the five seconds until the others hear of it comes on top; here they hear first.
a_quota_ends_over_all() {
	local one two three
	one=$(fetch 1)
	wait_for "$LIMIT" are_equal "$one" || return
	two=$(fetch 2)
	wait_for "$LIMIT" are_equal "$QUOTA" || return
	three=$(fetch 3)
	echo "$one + $two + $three of $QUOTA"
	((one == SIZE && two > 0 && two < SIZE && three == 0)) && ((one + two <= QUOTA))
}

it_begins_anew_on_all() {
	on 3 QUOTA alice reset && wait_for "$LIMIT" all_say 0 && [[ $(fetch 2) == "$SIZE" ]] &&
		wait_for "$LIMIT" are_equal "$SIZE"
}

# ---- bans ----

is_banned_on() {
	on "$1" BANS | grep -q "client:$2 "
}

is_not_banned_on() {
	! is_banned_on "$@"
}

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

is_alarmed() {
	on "$1" ALARMS | grep -q 'alarm:shared level:error'
}

is_calm() {
	! is_alarmed "$1"
}

serves_and_sums_up() {
	local before
	before=$(used 1)
	wait_for "$LIMIT" is_alarmed 1 || return
	on 1 QUOTA alice "+${SIZE}B" && [[ $(fetch 1) == "$SIZE" ]] || return
	"$@"
	wait_for "$LIMIT" is_calm 1 && wait_for "$LIMIT" is_calm 2 && wait_for "$LIMIT" is_calm 3 &&
		wait_for "$LIMIT" are_equal $((before + SIZE))
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
	before=$(used 1)
	redis FLUSHALL && wait_for "$LIMIT" engine_knows_use && wait_for "$LIMIT" all_say "$before"
}

# ---- a node fails ----

a_killed_node_goes() {
	kill -KILL "${PIDS[3]}"
	retire "${PIDS[3]}"
	wait_for "$LIMIT" nodes_online 2 && on 1 NODES | grep 'node:node3 state:offline'
}

start_nginx 6000000
SIZE=6000000
write_users
start_engine
for n in 1 2 3; do
	start_node "$n"
done
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
