# shellcheck shell=bash disable=SC2034,SC2086 # variables are for the tests; CLIENT and TARGET_AT are words
# Sessions of every kind by traffic.py, beside lib.sh and servers.sh, which are to be read before. The
# client runs its commands by CLIENT and reaches the server at SERVED_AT, the target is TARGET_IP, reached
# by TARGET_AT; both are empty where all is one host.
#
#	start_far_side				sets TARGET, FAR
#	serve_all ARG...			socks5d, its monitor and its page, at SERVED_AT; ACCESS is what
#						traffic.py wants to know of them
#	traffic use|hold ARGUMENT...
#	start_traffic use|hold ARGUMENT...	beside what follows: BESIDE
#	begin_traffic WORD use|hold ARGUMENT...	the same, until it says that word
#	go_on					what it waits for in the middle
#	end_traffic				lets it come to its end, which is to be right

TRAFFIC=$ROOT/tests/faults/traffic.py
LOGIN=alice:secret
ALL='download=4 upload=4 talk=2 udp=3 bind=2 page=2 monitor=1'
CLIENT='' TARGET_AT='' TARGET_IP=127.0.0.1 SERVED_AT=127.0.0.1

far_side_listens() {
	[[ -s $TMP/far.port ]]
}

start_far_side() {
	spawn $TARGET_AT "$PYTHON" "$TRAFFIC" serve "$TARGET_IP" >"$TMP/far.port" 2>"$TMP/far.err"
	FAR=$SPAWNED
	wait_for 30 far_side_listens || die "no far side: $(cat "$TMP/far.err")"
	TARGET=$TARGET_IP:$(<"$TMP/far.port")
}

# The proxy's address at SERVED_AT, and those of the monitor and the page.
find_addresses() {
	local address=${SERVED_AT//./\\.}
	SERVED=$(sed -nE "s/.* msg=listening address=($address:[0-9]+).*/\1/p" "$LOG" | head -n 1)
	MONITOR=$(sed -nE 's/.* msg="monitor listening" address=([^ ]+).*/\1/p' "$LOG" | head -n 1)
	await_front
	[[ -n $SERVED && -n $MONITOR ]]
}

serve_all() {
	local more=()
	[[ $SERVED_AT == 127.0.0.1 ]] || more=(-l "$SERVED_AT:1080")
	start_socks5d "${more[@]}" -L "$SERVED_AT" --web-listen "$SERVED_AT:0" -u "$LOGIN" "$@"
	wait_for 30 find_addresses || die "no addresses in the log: $(cat "$LOG")"
	ACCESS=(--login "$LOGIN" --monitor "$MONITOR" --web "$FRONT")
	note_health
}

traffic() {
	bounded $CLIENT "$PYTHON" "$TRAFFIC" "$1" "$SERVED" "$TARGET" "${ACCESS[@]}" "${@:2}"
}

start_traffic() {
	rm -f "$TMP/traffic.in" "$TMP/traffic.out"
	mkfifo "$TMP/traffic.in" "$TMP/traffic.out" || return
	exec {TO_TRAFFIC}<>"$TMP/traffic.in" {FROM_TRAFFIC}<>"$TMP/traffic.out"
	spawn $CLIENT "$PYTHON" "$TRAFFIC" "$1" "$SERVED" "$TARGET" "${ACCESS[@]}" "${@:2}" \
		<"$TMP/traffic.in" >"$TMP/traffic.out" 2>&1
	BESIDE=$SPAWNED
}

begin_traffic() {
	local word wanted=$1
	shift
	start_traffic "$@"
	read -r -t "$LIMIT" word <&"$FROM_TRAFFIC" && [[ $word == "$wanted" ]] && return
	echo "$word"
	end_traffic
	return 1
}

go_on() {
	echo >&"$TO_TRAFFIC"
}

end_traffic() {
	local status=0
	go_on
	exec {TO_TRAFFIC}>&-
	retire "$BESIDE" || status=$?
	timeout 0.1 cat <&"$FROM_TRAFFIC"
	exec {FROM_TRAFFIC}>&-
	return "$status"
}
