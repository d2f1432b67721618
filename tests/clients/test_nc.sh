#!/usr/bin/env bash
# OpenBSD netcat through socks5d to another netcat: each direction, both at once, and half-closed,
# where the far side answers only after it has seen the end.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need_openbsd_nc
need perl

SIZE=20000000

# near ARG... TARGET PORT: netcat through the proxy.
near() {
	bounded "$NC" -X 5 -x "$PROXY" "$@"
}

sends() {
	mark_log
	far_side 127.0.0.1 >"$TMP/got" || return
	near -N 127.0.0.1 "$FAR_PORT" <"$TMP/a" && retire "$FAR" &&
		same_digest "$TMP/got" "$TMP/a" &&
		logged "target=127.0.0.1:$FAR_PORT" "sent=$SIZE" received=0 outcome=success
}

receives_until_eof() {
	mark_log
	far_side 127.0.0.1 -N <"$TMP/a" || return
	near 127.0.0.1 "$FAR_PORT" >"$TMP/got" && retire "$FAR" &&
		same_digest "$TMP/got" "$TMP/a" &&
		logged "target=127.0.0.1:$FAR_PORT" sent=0 "received=$SIZE" outcome=success
}

# The far side is no netcat: a listening one ends when the near side has finished, whatever it still
# had to send.
both_ways_at_once() {
	mark_log
	# shellcheck disable=SC2016 # the far side's shell expands it
	far_side_runs 127.0.0.1 sh -c 'cat "$1" & cat >"$2"; wait' sh "$TMP/b" "$TMP/got_a" ||
		return
	near -N 127.0.0.1 "$FAR_PORT" <"$TMP/a" >"$TMP/got_b" && retire "$FAR" &&
		same_digest "$TMP/got_a" "$TMP/a" && same_digest "$TMP/got_b" "$TMP/b" &&
		logged "target=127.0.0.1:$FAR_PORT" "sent=$SIZE" "received=$SIZE" outcome=success
}

# half_closed LISTEN TARGET LOGGED: the checksum of the request is known, and sent, once the request
# has ended, so only a half-closed session carries it.
half_closed() {
	mark_log
	far_side_runs "$1" sha256sum || return
	near -N "$2" "$FAR_PORT" <"$TMP/a" >"$TMP/got" && retire "$FAR" || return
	cat "$TMP/got"
	[[ $(<"$TMP/got") == "$(digest "$TMP/a")" ]] &&
		logged "target=$3:$FAR_PORT" "sent=$SIZE" outcome=success
}

# refused TEXT TARGET PORT LOGGED
refused() {
	mark_log
	fails any "$1" near "$2" "$3" && logged "$4" outcome=fail
}

refusals() {
	local nothing
	nothing=$(free_port)
	check refused_port refused 'Connection refused' 127.0.0.1 "$nothing" reply=5
	check unresolvable_name refused 'Host unreachable' nosuch.invalid 80 reply=4
	check own_port refused 'not allowed by ruleset' 127.0.0.1 "${PROXY##*:}" reply=2
}

random_file "$TMP/a" "$SIZE"
random_file "$TMP/b" "$SIZE"

start_socks5d
check sends_a_file sends
check receives_until_eof receives_until_eof
check both_ways_at_once both_ways_at_once
check answer_after_half_close half_closed 127.0.0.1 127.0.0.1 127.0.0.1
check answer_after_half_close_by_name half_closed 127.0.0.1 localhost localhost
if have_ipv6; then
	check answer_after_half_close_ipv6 half_closed ::1 ::1 '[::1]'
else
	skip answer_after_half_close_ipv6 '::1 on the loopback interface'
fi
refusals
check server_stops stop_socks5d

start_socks5d -u alice:secret
check no_password refused 'authentication method negotiation failed' 127.0.0.1 1 reason=no_method
check server_with_login_stops stop_socks5d
finish
