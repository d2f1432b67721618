#!/usr/bin/env bash
# System calls of the start that fail: each of them at several places, or at one with FAULTS_SHORT.
# The server comes up and serves, or ends with a status of its own and says why.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/faults/server.sh
. "$(dirname "$0")/server.sh"
# shellcheck source=tests/faults/inject.sh
. "$(dirname "$0")/inject.sh"

need dnsmasq python3 strace

# The server as strace's child would be, but that its pid is the one that is known.
start_traced() {
	rm -rf "$HOUSE"
	SERVER_PORT=$(free_port)
	prepare_doors "$HOUSE"
	LOG=$HOUSE/log
	STDERR=$TMP/start.err
	spawn strace -D -f -qq -o "$TRACE" "$@" "$SOCKS5D" -c "$HOUSE/socks5d.conf" -u alice:secret \
		2>"$STDERR"
	SERVER=$SPAWNED
	wait_for 10 start_settled || true # the line may be what is lost
}

start_settled() {
	grep -qs ' msg="try it: ' "$LOG" || gone "$SERVER"
}

end_server() {
	kill -TERM "$SERVER" 2>/dev/null
	retire "$SERVER"
}

# The main thread's calls, a line each: CALL, how often the loader made it, how often the program.
count_places() {
	local main
	read -r main _ <"$TRACE"
	awk -v main="$main" '
		$1 != main { next }
		$2 ~ /^openat/ && /"\/dev\/null"/ { is_program = 1 }
		$2 ~ /^[a-z]/ { sub(/\(.*/, "", $2); if (is_program) of_program[$2]++; else of_loader[$2]++ }
		END { for (call in of_program) print call, of_loader[call] + 0, of_program[call] }' "$TRACE"
}

serves() {
	PROXY=127.0.0.1:$SERVER_PORT
	MONITOR_SOCKET=$HOUSE/monitor
	wait_for 30 eval "doors socks5 name >'$TMP/doors.out'"
}

# starts_or_says_why CALL:ERROR:WHEN
starts_or_says_why() {
	local status=0
	name_injections "$@"
	# Of writes those into files: an eventfd cannot be full.
	[[ $1 != write:* ]] || INJECTIONS+=(-P "$HOUSE/log" -P "$HOUSE/access.log" -P "$HOUSE/users")
	start_traced "${INJECTIONS[@]}"
	if ! gone "$SERVER"; then
		serves || {
			cat "$TMP/doors.out" "$LOG"
			end_server
			return 1
		}
	fi
	end_server || status=$?
	((status == 0)) && return
	cat "$STDERR"
	[[ ! -e $LOG ]] || grep -E 'level=(error|warn)' "$LOG"
	echo "(status $status)"
	((status <= 2)) && { [[ -s $STDERR ]] || grep -q 'level=error' "$LOG"; }
}

start_neighbours
FRONT=
MONITOR=
HOUSE=$TMP/house
start_traced
count_places >"$TMP/places"
check starts_and_ends end_server
# As strace -c has it.
awk '{ print 0, $1 }' "$TMP/places" >"$TMP/counts"
check all_calls_are_known are_known "$TMP/counts"
while read -r call passes stays _; do
	[[ $call =~ ${FAULTS_CALLS:-.} ]] || continue
	read -r _ before count < <(grep "^$call " "$TMP/places")
	[[ $call != write ]] || before=0 # none of the loader's is into those files
	step=$(((count + 2) / 3))
	for ((place = 1; place <= count; place += step)); do
		if is_short; then
			place=$(((count + 1) / 2)) step=$count
		else
			fault=$call:$passes:$((before + place))
			check "$fault" starts_or_says_why "$fault"
			[[ -z ${FAULTS_SHOW:-} ]] || sed 's/^/    /' "$TMP/check.out"
		fi
		fault=$call:$stays:$((before + place))
		check "$fault" starts_or_says_why "$fault"
		[[ -z ${FAULTS_SHOW:-} ]] || sed 's/^/    /' "$TMP/check.out"
	done
done < <(each_call "$TMP/counts")
finish
