#!/usr/bin/env bash
# Three servers that share users by a real Redis: who is added, changed or deleted on one is so on all,
# sessions end everywhere, nobody becomes an administrator by what stands in Redis, and what is no user
# there harms nobody; an engine that comes back empty, refuses to write or stands still; a node that
# comes later; clocks an hour apart.
# shellcheck source=tests/cluster/nodes.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/nodes.sh"

need curl nginx redis-server redis-cli openssl

USERS_KEY=socks5d:users

# Each has a users file of its own, with its administrator and somebody of its own.
write_users() {
	local n
	USER_HASH=$(openssl passwd -6 secret) || die openssl
	for n in 1 2 3 4; do
		(umask 077 && printf 'root%s:%s:admin:\nown%s:%s:user:\n' "$n" "$USER_HASH" "$n" "$USER_HASH" \
			>"$TMP/users$n")
	done
}

# start N [ARG...]
start() {
	USERS=$TMP/users$1 start_node "$1" --shared-users yes "${@:2}"
}

# ---- what nodes know ----

# account N NAME: its line, or nothing.
account() {
	on "$1" ACCOUNTS | grep "^name:$2 "
}

knows() {
	account "$2" "$1" >/dev/null
}

knows_not() {
	! knows "$@"
}

# says NAME WORD N: the account's line on node N has that word.
says() {
	account "$3" "$1" | grep -qE "(^| )$2( |\$)"
}

limit_is() {
	on "$3" LIMITS "$1" | grep -qE "(^| )$2( |\$)"
}

# gets_in NAME PASSWORD N
gets_in() {
	bounded curl -q -sS --noproxy '' -o /dev/null -r 0-99 \
		-x "socks5h://$1:$2@${PROXIES[$3]}" "http://$WEB/random.bin" 2>/dev/null
}

is_refused() {
	! gets_in "$@"
}

# within WHAT COMMAND...: on all nodes, with how long that took. The bound is for a busy machine; a node
# tells at once, and another hears it within 250 ms.
within() {
	local begun=${EPOCHREALTIME/./} what=$1
	shift
	wait_for "$LIMIT" on_all "$@" || return
	echo "$what: $(((${EPOCHREALTIME/./} - begun) / 1000)) ms" | tee -a "$TMP/times"
	((${EPOCHREALTIME/./} - begun < 30000000))
}

# ---- one after the other ----

an_added_user_is_known_on_all() {
	on 1 ADD_USER alice first && within added knows alice && on_all gets_in alice first
}

a_password_is_changed_on_all() {
	on 2 SET_PASSWORD alice second && within password gets_in alice second &&
		on_all is_refused alice first
}

limits_are_changed_on_all() {
	on 3 LIMITS alice sessions=7 && within limit limit_is alice 'sessions:7.*'
}

# hold NAME PASSWORD N: a session that stays. So slow a client sees late that it has ended.
hold() {
	spawn curl -q -sS --noproxy '' -o /dev/null --limit-rate 1k \
		-x "socks5h://$1:$2@${PROXIES[$3]}" "http://$WEB/random.bin" 2>/dev/null
	HELD+=("$SPAWNED")
}

# has_sessions NAME COUNT N
has_sessions() {
	[[ $(on "$3" CONNECTIONS | grep -c " user:$1 ") == "$2" ]]
}

hold_on_all() {
	local n
	HELD=()
	for ((n = 1; n <= NODES; n++)); do
		hold "$1" "$2" "$n"
	done
	wait_for "$LIMIT" on_all has_sessions "$1" 1
}

# lose WHAT NAME: those that are held.
lose() {
	local pid status=0
	within "$1" has_sessions "$2" 0 || status=1
	for pid in "${HELD[@]}"; do
		stop "$pid"
	done
	return "$status"
}

a_disabled_user_loses_his_sessions_on_all() {
	hold_on_all alice second && on 2 DISABLE alice && lose disabled alice &&
		on_all is_refused alice second && on 1 ENABLE alice && within enabled gets_in alice second
}

a_killed_user_loses_his_sessions_on_all() {
	hold_on_all alice second || return
	on 3 KILL_USER alice | tee "$TMP/answer" || return
	lose killed alice && grep -q 'here, and 2 other nodes told' "$TMP/answer"
}

a_killed_client_loses_his_sessions_on_all() {
	hold_on_all alice second && on 1 KILL_USER 127.0.0.0/8 && lose killed alice
}

a_deleted_user_is_gone_on_all() {
	hold_on_all alice second && on 1 DEL_USER alice && within deleted knows_not alice &&
		lose deleted alice && on_all is_refused alice second
}

# ---- what comes by Redis ----

# tell NAME VALUE [SENDER]: as who can write there would.
tell() {
	redis HSET "$USERS_KEY" "$1" "$2" >/dev/null &&
		redis XADD socks5d:events '*' i stranger k user n "${3:-stranger}" a "$1" v "$2" >/dev/null
}

VERSION=0

next_version() {
	VERSION=$(($(date +%s%3N) + 1))
}

nobody_becomes_admin_by_redis() {
	on 1 ADD_USER mallory guess && within added knows mallory || return
	next_version
	tell mallory "$VERSION z $USER_HASH:role=admin"
	tell eve "$VERSION z $USER_HASH:admin:"
	tell root1 "$VERSION z $USER_HASH:"
	tell root2 "$VERSION z -"
	# Behind what was said before.
	tell marker "$VERSION z $USER_HASH:" && within marker knows marker || return
	on_all knows_not eve && on_all says mallory role:user && says root1 role:admin 1 &&
		says root2 role:admin 2 || return
	on 1 SET_ROLE mallory admin && wait_for "$LIMIT" says mallory role:admin 1 && says mallory role:user 2
}

garbage_is_passed_over_and_said() {
	local before
	before=$(redis HGET "$USERS_KEY" marker)
	tell a:b "1 z $USER_HASH:"
	tell garbage 'no record at all'
	tell later "99999999999999999999 z $USER_HASH:"
	tell plain "5 z secret:"
	tell marker '4503599627370000 z nothing:rate='
	wait_for "$LIMIT" grep -q "can be nobody's and is passed over" "${LOGS[2]}" || return
	# A node that knows better writes that in its place.
	wait_for "$LIMIT" redis_has marker "$before" && on_all knows_not garbage && on_all knows_not plain &&
		on_all knows_not later && on_all knows marker && redis HDEL "$USERS_KEY" a:b garbage later plain
}

redis_has() {
	[[ $(redis HGET "$USERS_KEY" "$1") == "$2" ]]
}

redis_has_not() {
	[[ $(redis HEXISTS "$USERS_KEY" "$1") == 0 ]]
}

redis_has_some() {
	! redis_has_not "$1"
}

what_goes_past_everybody_is_found() {
	next_version
	redis HSET "$USERS_KEY" quiet "$VERSION z $USER_HASH:" && wait_for "$LIMIT" on_all knows quiet
}

long_deleted_users_are_swept() {
	redis HSET "$USERS_KEY" old '1000 z -' && wait_for "$LIMIT" redis_has_not old
}

a_script_that_was_forgotten_is_loaded_again() {
	redis SCRIPT FLUSH && on 2 ADD_USER carol first && within added knows carol
}

# ---- the engine fails ----

all_are_alarmed() {
	on_all is_alarmed
}

an_emptied_engine_is_told_all_users() {
	on 1 DEL_USER quiet && within deleted knows_not quiet && redis FLUSHALL || return
	wait_for "$LIMIT" redis_has_some carol && wait_for "$LIMIT" redis_has_some marker &&
		[[ $(redis HGET "$USERS_KEY" quiet) == *' -' ]]
}

# Changes meanwhile are told afterwards.
a_killed_engine_comes_back_empty() {
	local status=0
	kill_engine
	wait_for "$LIMIT" all_are_alarmed || status=1
	on 2 ADD_USER dave first && on 3 SET_PASSWORD carol second && knows_not dave 1 || status=1
	on 1 KILL_USER carol 2>&1 | tee "$TMP/answer"
	grep -q 'the other nodes are not told: the engine does not work' "$TMP/answer" || status=1
	start_engine
	wait_for "$LIMIT" all_are_calm && within told knows dave && within told gets_in carol second &&
		((status == 0))
}

# What is known goes on, and the reason is said.
refused_for() {
	on 1 ALARMS | grep 'alarm:shared level:error' | grep "$1"
}

an_engine_that_refuses_to_write_is_said() {
	redis CONFIG SET maxmemory 1 maxmemory-policy noeviction >/dev/null
	wait_for "$LIMIT" refused_for OOM && on_all gets_in dave first && on 1 ADD_USER erin first || return
	redis CONFIG SET maxmemory 0 >/dev/null
	wait_for "$LIMIT" all_are_calm && within told knows erin
}

a_replica_that_may_not_be_written_is_said() {
	redis REPLICAOF 127.0.0.1 1 >/dev/null
	wait_for "$LIMIT" refused_for READONLY && on_all gets_in dave first || return
	redis REPLICAOF NO ONE >/dev/null
	wait_for "$LIMIT" all_are_calm
}

# ---- nodes ----

a_node_that_comes_later_knows_all() {
	start 4
	wait_for "$LIMIT" knows dave 4 && knows carol 4 && knows erin 4 && knows_not alice 4 &&
		wait_for "$LIMIT" gets_in dave first 4
}

# It was away while he was deleted.
who_was_deleted_stays_so() {
	stop "${PIDS[4]}"
	on 1 DEL_USER erin && within deleted knows_not erin && start 4 && wait_for "$LIMIT" knows_not erin 4 &&
		on_all knows_not erin
}

is_ahead() {
	local version
	wait_for "$LIMIT" redis_says dave ' node4 ' || return
	version=$(redis HGET "$USERS_KEY" dave)
	((${version%% *} > $(date +%s%3N) + 3000000))
}

redis_says() {
	[[ $(redis HGET "$USERS_KEY" "$1") == *"$2"* ]]
}

# Node 4's clock is an hour ahead: what it says holds until somebody else says another thing.
clocks_may_be_an_hour_apart() {
	stop "${PIDS[4]}"
	LD_PRELOAD=$CLOCK FAKETIME=+1h FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1 start 4 \
		--sandbox off
	wait_for "$LIMIT" nodes_online 4 && on 4 SET_PASSWORD dave ahead && is_ahead && within ahead gets_in dave ahead &&
		on 1 SET_PASSWORD dave behind && within behind gets_in dave behind &&
		wait_for "$LIMIT" gets_in dave behind 4 && on_all is_refused dave ahead && stop "${PIDS[4]}" &&
		start 4 && wait_for "$LIMIT" gets_in dave behind 4 && on_all gets_in dave behind
}

# Both say another thing while the engine is away.
two_who_change_one_user_end_alike() {
	local status=0 one
	kill_engine
	wait_for "$LIMIT" all_are_alarmed || status=1
	on 1 LIMITS dave sessions=5 && on 2 LIMITS dave sessions=6 || status=1
	start_engine
	wait_for "$LIMIT" all_are_calm && within alike limit_is dave 'sessions:6.*' && ((status == 0))
}

# The unit's test has an engine in its memory, of which it expects the same.
as_the_unit_expects() {
	SOCKS5D_TEST_ENGINE=$TMP/redis.sock bounded "$UNIT" && redis FLUSHALL
}

start_nginx 6000000
write_users
start_engine
UNIT=$(dirname "$SOCKS5D")/tests/server/test_sharing_users
if [[ -x $UNIT ]]; then
	check as_the_unit_expects as_the_unit_expects
else
	skip as_the_unit_expects "$UNIT"
fi
NODES=3
for n in 1 2 3; do
	start "$n"
done
check nodes_find_each_other wait_for "$LIMIT" nodes_online 3
check an_added_user_is_known_on_all an_added_user_is_known_on_all
check a_password_is_changed_on_all a_password_is_changed_on_all
check limits_are_changed_on_all limits_are_changed_on_all
check a_disabled_user_loses_his_sessions_on_all a_disabled_user_loses_his_sessions_on_all
check a_killed_user_loses_his_sessions_on_all a_killed_user_loses_his_sessions_on_all
check a_killed_client_loses_his_sessions_on_all a_killed_client_loses_his_sessions_on_all
check a_deleted_user_is_gone_on_all a_deleted_user_is_gone_on_all
check nobody_becomes_admin_by_redis nobody_becomes_admin_by_redis
check garbage_is_passed_over_and_said garbage_is_passed_over_and_said
check what_goes_past_everybody_is_found what_goes_past_everybody_is_found
check long_deleted_users_are_swept long_deleted_users_are_swept
check a_script_that_was_forgotten_is_loaded_again a_script_that_was_forgotten_is_loaded_again
check an_emptied_engine_is_told_all_users an_emptied_engine_is_told_all_users
check a_killed_engine_comes_back_empty a_killed_engine_comes_back_empty
check an_engine_that_refuses_to_write_is_said an_engine_that_refuses_to_write_is_said
check a_replica_that_may_not_be_written_is_said a_replica_that_may_not_be_written_is_said
check two_who_change_one_user_end_alike two_who_change_one_user_end_alike
check a_node_that_comes_later_knows_all a_node_that_comes_later_knows_all
check who_was_deleted_stays_so who_was_deleted_stays_so
if CLOCK=$(find /usr/lib -name libfaketime.so.1 2>/dev/null | head -n1) && [[ -n $CLOCK ]]; then
	check clocks_may_be_an_hour_apart clocks_may_be_an_hour_apart
else
	skip clocks_may_be_an_hour_apart libfaketime
fi
echo "until all nodes had it, as far as asking them in turn tells:"
sed 's/^/    /' "$TMP/times"
finish
