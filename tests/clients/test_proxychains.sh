#!/usr/bin/env bash
# proxychains4 with curl and OpenBSD netcat under it, through socks5d: addresses, names left to the
# proxy, logins.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need proxychains4 curl nginx perl
need_openbsd_nc

# configure [USER PASSWORD]
configure() {
	cat >"$TMP/proxychains.conf" <<-END
		strict_chain
		proxy_dns
		remote_dns_subnet 224
		tcp_read_time_out 30000
		tcp_connect_time_out 30000
		[ProxyList]
		socks5 127.0.0.1 ${PROXY##*:} $*
	END
}

chained() {
	bounded proxychains4 -q -f "$TMP/proxychains.conf" "$@"
}

run_curl() {
	chained curl -q -sS --max-time 50 "$@"
}

download() {
	run_curl -o "$TMP/got" "http://$WEB/random.bin" && same_digest "$TMP/got" "$WWW/random.bin"
}

# sums TARGET LOGGED: the far side's checksum comes back after the half-close.
sums() {
	mark_log
	far_side_runs 127.0.0.1 sha256sum || return
	chained "$NC" -N "$1" "$FAR_PORT" <"$WWW/random.bin" >"$TMP/got" && retire "$FAR" || return
	cat "$TMP/got"
	[[ $(<"$TMP/got") == "$(digest "$WWW/random.bin")" ]] &&
		logged "target=$2:$FAR_PORT" outcome=success
}

# refused LOGGED... URL: curl sees a connection that cannot be made; the log says why.
refused() {
	mark_log
	fails 7 '' run_curl "${@: -1}" && logged "${@:1:$#-1}"
}

without_users() {
	start_socks5d
	configure
	check curl_by_address gets_page "$WEB" "http://$WEB/page.txt"
	if [[ -n $WEB6 ]]; then
		check curl_by_ipv6_address gets_page "$WEB6" "http://$WEB6/page.txt"
	else
		skip curl_by_ipv6_address '::1 on the loopback interface'
	fi
	check curl_download download
	check nc_by_address sums 127.0.0.1 127.0.0.1
	# proxychains looks into /etc/hosts for itself, but only for the name as it is spelt
	check nc_by_name sums LocalHost LocalHost
	check refused_port refused reply=5 "http://127.0.0.1:$(free_port)/"
	check unresolvable_name refused target=nosuch.invalid:80 reply=4 http://nosuch.invalid/
	check server_stops stop_socks5d
}

with_login() {
	start_socks5d -u alice:secret
	configure alice secret
	check right_password gets_page "$WEB" "http://$WEB/page.txt"
	check user_is_logged logged user=alice "target=$WEB" outcome=success
	configure alice wrong-pass
	check wrong_password refused reason=wrong_password "http://$WEB/page.txt"
	configure
	check no_password refused reason=no_method "http://$WEB/page.txt"
	check server_with_login_stops stop_socks5d
}

start_nginx 20000000
without_users
with_login
finish
