#!/usr/bin/env bash
# Servers that share users and what accounts use, by a real Redis that is away, stopped, slow, refuses
# to write, or has forgotten everything: what is on their disks serves, for shared_grace.
# shellcheck source=tests/cluster/nodes.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/nodes.sh"

need curl nginx redis-server redis-cli openssl python3

SIZE=6000000
QUOTA=10000000
DELAY=$TMP/delay # of the engine's answers, in seconds, while it is there

talk_with() {
	ENGINE_AT=(-s "$TMP/redis.sock" --no-auth-warning -a "$1")
}

start_it() {
	talk_with right
	run_engine --port 0 --unixsocket "$TMP/redis.sock" --requirepass right
}

start_slow_engine() {
	spawn python3 "$(dirname "${BASH_SOURCE[0]}")/slow_engine.py" "$TMP/slow.sock" "$TMP/redis.sock" "$DELAY"
	wait_for "$LIMIT" test -S "$TMP/slow.sock" || die slow_engine.py
	SHARED=unix:$TMP/slow.sock
}

gets_in() {
	bounded curl -q -sS --noproxy '' -o /dev/null -r 0-99 \
		-x "socks5h://$2:secret@${PROXIES[$1]}" "http://$WEB/random.bin"
}

is_refused() {
	! gets_in "$1" "$2" 2>/dev/null
}

# says N COMMAND TEXT: the answer has it.
says() {
	on "$1" "$2" | grep -q -- "$3"
}

# logged N TEXT: how many lines of the log have it.
logged() {
	grep -c -- "$2" "${LOGS[$1]}"
}

is_logged() {
	(($(logged "$1" "$2") == $3))
}

# The copy on disk of what node 1 has said.
is_on_disk() {
	grep -qa 'node1 alice' "$TMP"/state2/* && grep -qa 'node1 [$]' "$TMP"/state2/*
}

# ---- the engine is away at a start ----

nodes_share() {
	wait_for "$LIMIT" nodes_online 2 && on 1 ADD_USER alice secret && on 1 ADD_USER bob secret &&
		on 1 LIMITS alice "quota=${QUOTA}B/month" && on 1 BAN 192.0.2.7 1h &&
		wait_for "$LIMIT" gets_in 2 bob && wait_for "$LIMIT" is_banned_on 2 192.0.2.7 &&
		[[ $(fetch 1 alice) == "$SIZE" ]] && wait_for "$LIMIT" are_equal alice "$SIZE"
}

it_starts_without_the_engine() {
	wait_for "$LIMIT" is_on_disk || return
	kill_node 2
	kill_engine
	start_node 2
	wait_for "$LIMIT" is_alarmed 2 && says 2 ALARMS 'alarm:shared_grace level:warning' &&
		is_logged 2 'does not work.*users whom nodes share for another 8[56][0-9]* s' 1
}

it_holds_quotas_and_bans() {
	local before more
	before=$(used 2 alice) # heads, too
	((before >= SIZE)) && is_banned_on 2 192.0.2.7 || return
	more=$(fetch 2 alice)
	echo "$before and $more more"
	((more > 0 && before + more <= QUOTA)) && is_refused 2 alice
}

it_knows_the_users_it_knew() {
	gets_in 2 bob && is_refused 2 carol && gets_in 2 root
}

# ---- the grace is over ----

it_refuses_users_then() {
	spawn curl -q -sS --noproxy '' -o /dev/null --limit-rate 1k \
		-x "socks5h://bob:secret@${PROXIES[2]}" "http://$WEB/random.bin"
	HELD=$SPAWNED
	wait_for "$LIMIT" says 2 CONNECTIONS '^[^ ]*.*bob' && on 2 CONFIG shared_grace 1s &&
		wait_for "$LIMIT" is_refused 2 bob && says 2 ALARMS 'alarm:shared_grace level:error' &&
		is_logged 2 'users whom nodes share are refused' 1
}

its_own_users_are_served() {
	gets_in 2 root && is_banned_on 2 192.0.2.7 && says 2 CONNECTIONS 'bob'
}

it_says_why() {
	on 2 WHY bob | grep 'reason:login_unanswered .*advice:.*shared_grace' &&
		on 2 EXPLAIN from=127.0.0.1 user=bob "to=$WEB" | grep 'login.*shared_grace' &&
		on 2 ADD_USER dave secret 2>&1 | grep 'shared_grace'
}

it_refuses_them_at_a_start_too() {
	stop "${PIDS[2]}"
	retire "$HELD"
	start_node 2 --shared-grace 1s
	wait_for "$LIMIT" is_refused 2 bob && gets_in 2 root && is_banned_on 2 192.0.2.7
}

a_longer_grace_lets_them_in_again() {
	on 2 CONFIG shared_grace 1d && wait_for "$LIMIT" gets_in 2 bob &&
		on 2 CONFIG shared_grace 1s && wait_for "$LIMIT" is_refused 2 bob
}

# It is empty, and is told everything again; node 1 was there all the time.
all_is_well_with_the_engine() {
	local before
	before=$(($(used 2 alice)))
	start_it
	wait_for "$LIMIT" is_calm 1 && wait_for "$LIMIT" is_calm 2 && wait_for "$LIMIT" gets_in 2 bob &&
		wait_for "$LIMIT" are_equal alice "$before" && ! says 2 ALARMS 'alarm:shared_grace' &&
		is_logged 2 'users whom nodes share may log in again' 2 &&
		on 2 CONFIG shared_grace 1d && wait_for "$LIMIT" nodes_online 2
}

# ---- whatever is wrong with it ----

# One line, and not one for each time that it is tried. Where the machine is busy, it may have seemed to
# work once more.
is_said_once() {
	local lines
	lines=$(logged 1 'does not work')
	((lines == $1 + 1 || lines == $1 + 2))
}

# serves BREAK MEND: one line in the log of node 1, an alarm, and it serves as before.
serves() {
	local before
	before=$(logged 1 'does not work')
	"$1" || return
	wait_for "$LIMIT" is_alarmed 1 || return
	on 1 QUOTA alice reset && [[ $(fetch 1 alice) == "$SIZE" ]] && gets_in 1 bob &&
		on 1 BAN 192.0.2.8 1h && is_banned_on 1 192.0.2.8 && on 1 UNBAN 192.0.2.8 || return
	is_alarmed 1 && is_said_once "$before" || return
	"$2" || return
	wait_for "$LIMIT" is_calm 1 && wait_for "$LIMIT" is_calm 2 && wait_for "$LIMIT" are_equal alice "$SIZE"
}

stop_it() {
	kill -STOP "$ENGINE"
}

go_on() {
	kill -CONT "$ENGINE"
}

slow_down() {
	echo 0.15 >"$DELAY"
}

speed_up() {
	rm "$DELAY"
}

refuse_writes() {
	redis CONFIG SET maxmemory 1
}

allow_writes() {
	redis CONFIG SET maxmemory 0
}

refuse_by_acl() {
	redis ACL SETUSER default -@write
}

allow_by_acl() {
	redis ACL SETUSER default +@all
}

change_password() {
	redis CONFIG SET requirepass wrong
	talk_with wrong
	redis CLIENT KILL TYPE normal
}

restore_password() {
	redis CONFIG SET requirepass right
	talk_with right
}

start_nginx "$SIZE"
echo right >"$TMP/password"
USER_HASH=$(openssl passwd -6 secret)
(umask 077 && echo "root:$USER_HASH:admin:" >"$TMP/users")
start_it
start_slow_engine
NODE_FLAGS=(--shared-users yes --shared-password-file "$TMP/password")
start_nodes 2
check nodes_share nodes_share
check it_starts_without_the_engine it_starts_without_the_engine
check it_holds_quotas_and_bans it_holds_quotas_and_bans
check it_knows_the_users_it_knew it_knows_the_users_it_knew
check it_refuses_users_when_the_grace_is_over it_refuses_users_then
check its_own_users_and_bans_and_sessions_stay its_own_users_are_served
check it_says_why_a_user_is_refused it_says_why
check it_refuses_users_at_a_start_too it_refuses_them_at_a_start_too
check a_longer_grace_lets_them_in_again a_longer_grace_lets_them_in_again
check all_is_well_when_the_engine_is_back all_is_well_with_the_engine
check it_serves_while_the_engine_is_stopped serves stop_it go_on
check it_serves_while_the_engine_is_slow serves slow_down speed_up
check it_serves_while_the_engine_is_full serves refuse_writes allow_writes
check it_serves_while_the_engine_refuses_to_write serves refuse_by_acl allow_by_acl
check it_serves_with_a_wrong_password serves change_password restore_password
check it_serves_while_the_engine_is_away_and_comes_back_empty serves kill_engine start_it
finish
