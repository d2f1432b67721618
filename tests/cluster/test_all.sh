#!/usr/bin/env bash
# monitor_client --all: three servers that share their state by a real Redis, each with its monitor at an
# address of its own; and those that cannot be asked: a node that was killed, one that tells the address of
# another one, one that tells none, one where the login is another.
# shellcheck source=tests/cluster/nodes.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/nodes.sh"

need redis-server redis-cli openssl python3 script unshare ip

unset MONITOR_PASSWORD NO_COLOR PAGER LESS
REAL_SOCKS5D=$SOCKS5D

# ---- the nodes ----

# start_monitored_node N [ADDRESS]: with users of its own.
start_monitored_node() {
	cp "$TMP/users" "$TMP/users$1"
	USERS=$TMP/users$1 start_node "$1" --monitor-listen "${2:-127.0.0.$(($1 + 1))}"
}

# Where a node's monitor listens.
monitor_of() {
	sed -n 's/.* msg="monitor listening" address=\(127[^ ]*\).*/\1/p' "${LOGS[$1]}" | head -n 1
}

# knows_all N: the node has heard of all, and where their monitors are.
knows_all() {
	[[ $(on "$1" NODES | grep -cE "state:(here|online) .* monitor:[0-9]") == "$NODES" ]]
}

# all NUMBER ARG...: as alice, by the monitor of that node.
all() {
	MONITOR_PASSWORD=secret bounded "$CLIENT" -L "$(monitor_of "$1")" -u alice --all "${@:2}"
}

# What all prints stays in these files, and its status in STATUS.
ask_all() {
	STATUS=0
	"$@" >"$TMP/out" 2>"$TMP/err" || STATUS=$?
	cat "$TMP/out" "$TMP/err"
	echo "(status $STATUS)"
}

headings() {
	grep '^node .*:$' "$TMP/out" | tr -d '\n'
}

# ---- all answer ----

all_answer_in_their_order() {
	ask_all all 2 USERS
	[[ $STATUS == 0 && ! -s $TMP/err && $(headings) == node\ node2:node\ node1:node\ node3: ]] &&
		[[ $(grep -c '^OK No active users$' "$TMP/out") == 3 ]]
}

timeouts_are() {
	local n
	for n in 1 2 3; do
		on "$n" CONFIG timeout | grep -qx "timeout:$1" || return
	done
}

all_are_changed() {
	ask_all all 1 CONFIG timeout 77s
	[[ $STATUS == 0 ]] && timeouts_are 77s
}

all_refuse() {
	ask_all all 1 CONFIG timeout never
	[[ $STATUS == 1 && ! -s $TMP/err && $(grep -c '^ERR ' "$TMP/out") == 3 ]] && timeouts_are 77s
}

# python3 reads what --json prints.
is_object() {
	python3 -c '
import json, sys
nodes = json.load(open(sys.argv[1]))
assert list(nodes) == sys.argv[2].split(), list(nodes)
for name in nodes:
	assert (nodes[name] is None) == (name in sys.argv[3:]), nodes[name]
	assert nodes[name] is None or nodes[name]["status"] == "OK", nodes[name]
	assert nodes[name] is None or nodes[name]["current_connections"] == 0, nodes[name]
' "$TMP/out" "$@"
}

is_one_object() {
	ask_all all 1 --json STATS
	[[ $STATUS == 0 && $(wc -l <"$TMP/out") == 1 ]] && is_object 'node1 node2 node3'
}

# A new password is given once, for all of them.
users_are_added_on_all() {
	local n
	hidden() {
		echo hidden | all 1 ADD_USER bob -
	}
	ask_all hidden
	[[ $STATUS == 0 ]] || return
	for n in 1 2 3; do
		on "$n" ACCOUNTS | grep -q '^name:bob ' || return
	done
	ask_all all 3 DEL_USER bob
	[[ $STATUS == 0 ]]
}

# The answers are tables there, and what is longer than the terminal is one text for the pager.
a_terminal_shows_tables() {
	PAGER='tr a-z A-Z' MONITOR_PASSWORD=secret bounded script -qec \
		"stty rows 20 columns 100; $CLIENT -L $(monitor_of 1) -u alice --all CONFIG" /dev/null \
		>"$TMP/out" || return
	cat "$TMP/out"
	grep -q '^NODE NODE3:' "$TMP/out" && ! grep -q '^node node1:' "$TMP/out" &&
		MONITOR_PASSWORD=secret bounded script -qec \
			"stty rows 60 columns 100; $CLIENT -L $(monitor_of 1) -u alice --all ACCOUNTS" \
			/dev/null >"$TMP/out" || return
	cat "$TMP/out"
	[[ $(grep -c '^NAME ' "$TMP/out") == 3 ]] && grep -q '^node node3:' "$TMP/out"
}

# ---- the login ----

a_socket_needs_a_login_for_the_others() {
	fails 2 '-u NAME' on 1 --all USERS &&
		MONITOR_PASSWORD=secret ask_all on 3 -u alice --all USERS
	[[ $STATUS == 0 && $(headings) == node\ node3:node\ node1:node\ node2: ]]
}

a_refused_login_is_named() {
	on 3 SET_PASSWORD alice other || return
	ask_all all 1 USERS
	on 3 SET_PASSWORD alice secret || return
	[[ $STATUS == 1 && $(headings) == node\ node1:node\ node2: ]] &&
		grep -q 'node node3: 127.0.0.4:.*ERR Invalid credentials.*same password' "$TMP/err"
}

# The end of standard input, where it is no terminal, is no login.
it_needs_a_login_once() {
	by_line() {
		echo alice:secret | bounded "$CLIENT" -L "$(monitor_of 1)" --all USERS
	}
	ask_all by_line
	[[ $STATUS == 0 && $(headings) == node\ node1:node\ node2:node\ node3: ]]
}

# ---- who shares nothing, and what has no such form ----

alone_is_an_error() {
	local status=0
	start_socks5d -u alice:secret --monitor-listen 127.0.0.9
	LOGS[9]=$LOG
	fails 1 'the setting shared is empty' all 9 USERS || status=$?
	stop_socks5d && ((status == 0))
}

what_goes_on_is_refused() {
	fails 2 'WATCH has no such form' all 1 WATCH && fails 2 'top has no such form' all 1 top &&
		fails 2 'a COMMAND is missing' all 1
}

# ---- who cannot be asked ----

# In a network of its own this one tells the very address that node 1 has here.
start_elsewhere() {
	# shellcheck disable=SC2016 # the shell inside is to expand it
	printf '#!/bin/sh\nexec unshare %s sh -c '\''ip link set lo up && exec "$0" "$@"'\'' %s "$@"\n' \
		"$UNSHARE" "$REAL_SOCKS5D" >"$TMP/elsewhere"
	chmod 755 "$TMP/elsewhere"
	SOCKS5D=$TMP/elsewhere
	start_monitored_node 4 "$(monitor_of 1)"
	SOCKS5D=$REAL_SOCKS5D
}

can_be_elsewhere() {
	for UNSHARE in --net '--net --user --map-root-user'; do
		# shellcheck disable=SC2086 # words
		! unshare $UNSHARE ip link set lo up 2>/dev/null || return 0
	done
	return 1
}

an_address_told_twice_is_found_out() {
	start_elsewhere
	NODES=4
	wait_for "$LIMIT" knows_all 1 || return
	[[ $(monitor_of 4) == "$(monitor_of 1)" ]] || return
	ask_all all 1 CONFIG timeout 78s
	stop "${PIDS[4]}"
	[[ $STATUS == 1 && $(headings) == node\ node1:node\ node2:node\ node3: ]] &&
		grep -q "node node4: $(monitor_of 1), .* that of node node1 from here" "$TMP/err" &&
		timeouts_are 78s
}

# tell_of_another NAME [WORD...]: as that node would, and of one of an earlier version without WORD.
tell_of_another() {
	local beat
	for beat in 1 2 3; do
		redis HSET socks5d:nodes "$1" "i1 1.0 1764150000 3 4000 $beat ${*:2}" >/dev/null
		wait_for 2 another_is_online "$1" && return
	done
}

another_is_online() {
	on 1 NODES | grep -q "^node:$1 state:online"
}

who_tells_no_address_is_named() {
	wait_for "$LIMIT" tell_of_another old || return
	ask_all all 1 USERS
	[[ $STATUS == 1 && $(headings) == node\ node1:node\ node2:node\ node3: ]] &&
		grep -q 'node old: its monitor has no address of TCP, .* or shared_nodes ' "$TMP/err"
}

tells() {
	on 1 NODES | grep -q "^node:stranger .* monitor:$1$"
}

# 192.0.2.1 is nobody's.
who_writes_to_the_engine_is_sent_no_login() {
	wait_for "$LIMIT" tell_of_another stranger 192.0.2.1:1081 stranger && tells - || return
	ask_all all 1 USERS
	[[ $STATUS == 1 && $(headings) == node\ node1:node\ node2:node\ node3: ]] &&
		grep -q 'node stranger: .* shared_nodes at the node that was asked' "$TMP/err" &&
		! grep -q 192.0.2.1 "$TMP/err" &&
		on 1 CONFIG shared_nodes 192.0.2.0/24 && tells 192.0.2.1:1081 &&
		on 1 CONFIG shared_nodes '""' && tells -
}

# For 15 seconds nobody knows of it.
a_killed_node_is_named() {
	kill_node 3
	ask_all all 1 USERS
	[[ $STATUS == 1 && $(headings) == node\ node1:node\ node2: ]] &&
		grep -qE 'node node3: (cannot reach .* Connection refused|it is offline)' "$TMP/err" &&
		wait_for "$LIMIT" node3_is_offline || return
	ask_all all 1 --json STATS
	grep -q 'node node3: it is offline' "$TMP/err" && [[ $STATUS == 1 ]] &&
		grep -q '"node3":null' "$TMP/out"
}

node3_is_offline() {
	on 1 NODES | grep -q '^node:node3 state:offline'
}

is_apart() {
	on 1 NODES | grep -q '^node:node1 state:apart' && on 1 NODES | grep -q '^node:node2 state:offline'
}

without_the_engine_they_are_asked_still() {
	kill_engine
	wait_for "$LIMIT" is_apart || return
	ask_all all 1 BAN 192.0.2.7 1h
	[[ $(headings) == node\ node1:node\ node2: ]] && on 2 BANS | grep -q 'client:192.0.2.7 '
}

add_user alice
sed -i 's/:user:$/:admin/' "$TMP/users"
start_engine
for n in 1 2 3; do
	start_monitored_node "$n"
done
check nodes_find_each_other wait_for "$LIMIT" on_all knows_all
check all_answer_in_their_order all_answer_in_their_order
check all_are_changed all_are_changed
check all_refuse all_refuse
check is_one_object is_one_object
check users_are_added_on_all users_are_added_on_all
check a_terminal_shows_tables a_terminal_shows_tables
check a_socket_needs_a_login_for_the_others a_socket_needs_a_login_for_the_others
check a_refused_login_is_named a_refused_login_is_named
check it_needs_a_login_once it_needs_a_login_once
check alone_is_an_error alone_is_an_error
check what_goes_on_is_refused what_goes_on_is_refused
if can_be_elsewhere; then
	check an_address_told_twice_is_found_out an_address_told_twice_is_found_out
else
	skip an_address_told_twice_is_found_out 'a network of its own'
fi
check who_tells_no_address_is_named who_tells_no_address_is_named
check who_writes_to_the_engine_is_sent_no_login who_writes_to_the_engine_is_sent_no_login
check a_killed_node_is_named a_killed_node_is_named
check without_the_engine_they_are_asked_still without_the_engine_they_are_asked_still
finish
