#!/usr/bin/env bash
# System calls of a running server that fail, each of them, once in each thread and then one in ten;
# with FAULTS_SHORT several of them at once, and FAULTS_CALLS=REGEX tries some only.
# Clients at all doors meanwhile may be refused, and get no wrong answer; the server neither ends nor
# spins, says no more than a few lines about it, and serves all of them afterwards, with no more
# descriptors than before.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/faults/server.sh
. "$(dirname "$0")/server.sh"
# shellcheck source=tests/faults/inject.sh
. "$(dirname "$0")/inject.sh"

need dnsmasq python3 strace

# survives CALL:ERROR:WHEN...
survives() {
	local status=0
	! gone "$SERVER" || start_all_doors
	take_stock
	mark_log
	inject "$@"
	doors >"$TMP/doors.out" || status=$?
	stays_calm || status=4
	heal
	grep -c '(INJECTED)$' "$TRACE"
	said
	((status < 2)) && lives && says_little && recovers && return
	grep -v ' served$' "$TMP/doors.out" | cut -c 1-300
	stop "$SERVER" # and another one next time
	return 1
}

# Which calls are made, and how often: COUNTS.
count_calls() {
	COUNTS=$TMP/counts
	spawn strace -f -qq -c -o "$COUNTS" -p "$SERVER" 2>"$TMP/strace.err"
	TRACER=$SPAWNED
	wait_for 30 is_traced && doors && kill -USR1 "$SERVER"
	heal
	are_known "$COUNTS"
}

# Each by itself.
try_each() {
	local call passes stays says fault
	while read -r call passes stays says; do
		[[ $call =~ ${FAULTS_CALLS:-.} ]] || continue
		for fault in "$call:$passes:1" "$call:$stays:2" "$call:$passes:1+10" "$call:$stays:3+10"; do
			check "$fault" survives "$fault"
			[[ -z ${FAULTS_SHOW:-} ]] || sed 's/^/    /' "$TMP/check.out"
		done
		# Once in a while: it may have been said before.
		[[ -z $says ]] || check "$call:is_told" grep -Em 1 "level=(warn|error) .*$says" "$LOG"
	done < <(each_call "$COUNTS")
}

# Six at once, with errors of one kind and the other in turn.
try_some_at_once() {
	local call passes stays faults=()
	while read -r call passes stays _; do
		if ((${#faults[@]} % 2 == 0)); then
			faults+=("$call:$passes:2+10")
		else
			faults+=("$call:$stays:3+10")
		fi
		if ((${#faults[@]} == 6)); then
			check "${faults[*]}" survives "${faults[@]}"
			faults=()
		fi
	done < <(each_call "$COUNTS" | sort)
	check "${faults[*]}" survives "${faults[@]}"
}

start_all_doors
check all_calls_are_known count_calls
if is_short; then
	try_some_at_once
else
	try_each
fi
check stops stop_socks5d
finish
