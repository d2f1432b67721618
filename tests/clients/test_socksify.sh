#!/usr/bin/env bash
# dante-client's socksify with programs that know nothing of SOCKS under it: an FTP client in active
# mode for BIND (by SOCKS4, too), iperf3 for CONNECT and UDP ASSOCIATE. (dig sends past socksify, by a call that it does
# not know.) It goes to loopback addresses by itself, so that of the FTP client only the data connection
# comes through the proxy; names it leaves to the proxy.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/servers.sh
. "$(dirname "$0")/servers.sh"

need socksify tnftp iperf3 nginx
have_pyftpdlib || skip_all python3-pyftpdlib

# configure VERSION PROTOCOL... -- COMMAND...
configure() {
	local version=$1 protocols=()
	shift
	while [[ $1 != -- ]]; do
		protocols+=("$1")
		shift
	done
	shift
	cat >"$TMP/socks.conf" <<-END
		resolveprotocol: fake
		route {
			from: 0.0.0.0/0 to: 0.0.0.0/0 via: 127.0.0.1 port = ${PROXY##*:}
			protocol: ${protocols[*]}
			proxyprotocol: socks_v$version
			method: none
			command: $*
		}
	END
}

socksified() {
	SOCKS_CONF=$TMP/socks.conf bounded socksify "$@"
}

# ftp_active DOOR
ftp_active() {
	mark_log
	rm -f "$TMP/got"
	socksified tnftp -A -V -o "$TMP/got" "ftp://anonymous:x@127.0.0.1:$FAR_PORT/random.bin" || return
	same_digest "$TMP/got" "$WWW/random.bin" && logged door="$1" command=BIND outcome=success
}

# The payload of all the datagrams of 1,200 bytes, and the one or two that iperf3 begins with.
sent_it_all() {
	local sent
	sent=$(sessions command=UDP_ASSOCIATE | sed 's/.* sent=\([0-9]*\) .*/\1/')
	echo "$sent bytes"
	((sent >= 2000000))
}

start_iperf_server() {
	IPERF_PORT=$(free_port)
	spawn iperf3 -s -1 -p "$IPERF_PORT" --forceflush >"$TMP/iperf.out" 2>&1
	IPERF=$SPAWNED
	wait_for 30 iperf_settled
}

iperf_settled() {
	grep -q 'Server listening' "$TMP/iperf.out" || gone "$IPERF"
}

iperf_udp() {
	start_iperf_server
	mark_log
	socksified iperf3 -u -c localhost -p "$IPERF_PORT" -b 20M -n 2M -l 1200 -J >"$TMP/got"
	retire "$IPERF"
	cat "$TMP/got" "$TMP/iperf.out"
	logged command=UDP_ASSOCIATE outcome=success datagrams_dropped=0 && sent_it_all
}

start_nginx 3000000
start_socks5d --prefer ipv4
configure 5 tcp udp -- connect bind bindreply udpassociate udpreply
check ftp_server_starts start_ftp_server 127.0.0.1
check ftp_in_active_mode ftp_active socks5
check iperf3_over_udp iperf_udp
configure 4 tcp -- connect bind bindreply
check ftp_in_active_mode_by_socks4 ftp_active socks4
check server_stops stop_socks5d
finish
