#!/usr/bin/env bash
# SOCKS4 and 4a as curl, ncat, OpenBSD netcat and proxychains speak them, through socks5d: addresses,
# names resolved here and there, user ids, refusals, half-closes, bulk both ways.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need curl nginx perl
need_openbsd_nc

# refused LOGGED ARG...: curl's status is the one for a proxy's refusal, and it says the code.
refused() {
	local field=$1
	shift
	mark_log
	fails 97 '(91)' run_curl "$@" && logged "$field" door=socks4 outcome=fail
}

of_socks4() {
	gets_page "$@" && logged door=socks4 reply=90
}

download() {
	run_curl --socks4 "$PROXY" -o "$TMP/got" "http://$WEB/random.bin" &&
		same_digest "$TMP/got" "$WWW/random.bin"
}

upload() {
	run_curl --socks4a "$PROXY" -T "$WWW/random.bin" "http://$WEB/put/uploaded" &&
		same_digest "$WWW/put/uploaded" "$WWW/random.bin"
}

curl_speaks_it() {
	local page=http://$WEB/page.txt name=localhost:$WEB_PORT nothing
	nothing=127.0.0.1:$(free_port)
	check curl_socks4 of_socks4 "$WEB" --socks4 "$PROXY" "$page"
	check curl_socks4a of_socks4 "$WEB" --socks4a "$PROXY" "$page"
	check curl_socks4_resolves_itself of_socks4 "$WEB" -4 --socks4 "$PROXY" "http://$name/page.txt"
	check curl_socks4a_sends_the_name of_socks4 "$name" --socks4a "$PROXY" "http://$name/page.txt"
	check curl_socks4a_url of_socks4 "$name" -x "socks4a://$PROXY" "http://$name/page.txt"
	check curl_user_id gets_page "$WEB" -x "socks4://joe@$PROXY" "$page"
	check user_id_is_logged logged user=Anonymous userid=joe
	check curl_long_user_id gets_page "$WEB" -x "socks4a://$(printf '%0200d' 7)@$PROXY" "$page"
	check curl_refused_port refused "target=$nothing" --socks4 "$PROXY" "http://$nothing/"
	check curl_unresolvable_name refused target=nosuch.invalid:80 --socks4a "$PROXY" \
		http://nosuch.invalid/
	check curl_own_port refused "target=$PROXY" --socks4 "$PROXY" "http://$PROXY/"
	check curl_download download
	if nginx_has_dav; then
		check curl_upload upload
	else
		skip curl_upload 'nginx with its dav module'
	fi
}

# sums HOST COMMAND...: the far side's checksum comes back after the half-close.
sums() {
	local target=$1
	shift
	mark_log
	far_side_runs 127.0.0.1 sha256sum || return
	bounded "$@" "$target" "$FAR_PORT" <"$WWW/random.bin" >"$TMP/got" && retire "$FAR" || return
	[[ $(<"$TMP/got") == "$(digest "$WWW/random.bin")" ]] &&
		logged "target=$target:$FAR_PORT" door=socks4 outcome=success
}

netcats_speak_it() {
	check nc_half_close sums 127.0.0.1 "$NC" -N -X 4 -x "$PROXY"
	if command -v ncat >/dev/null; then
		check ncat_half_close sums 127.0.0.1 ncat --proxy "$PROXY" --proxy-type socks4
		check ncat_refused_port fails any '' bounded ncat --proxy "$PROXY" --proxy-type socks4 \
			127.0.0.1 "$(free_port)"
	else
		skip ncat ncat
	fi
}

# chained_curl URL
chained_curl() {
	mark_log
	bounded proxychains4 -q -f "$TMP/proxychains.conf" curl -q -sS --max-time 50 -o "$TMP/got" "$1" &&
		cmp "$TMP/got" "$WWW/page.txt" && logged "target=$WEB" door=socks4 outcome=success
}

proxychains_speaks_it() {
	if ! command -v proxychains4 >/dev/null; then
		skip proxychains proxychains4
		return
	fi
	cat >"$TMP/proxychains.conf" <<-END
		strict_chain
		proxy_dns
		remote_dns_subnet 224
		[ProxyList]
		socks4 127.0.0.1 ${PROXY##*:}
	END
	check proxychains_by_address chained_curl "http://$WEB/page.txt"
	# it looks into /etc/hosts for itself, but only for the name as it is spelt
	check proxychains_by_name sums LocalHost proxychains4 -q -f "$TMP/proxychains.conf" "$NC" -N
}

# A login is required: there is none.
with_login() {
	start_socks5d -u alice:secret
	check login_required refused reason=no_method -x "socks4://alice@$PROXY" "http://$WEB/page.txt"
	check server_with_login_stops stop_socks5d
}

switched_off() {
	start_socks5d --protocols socks5
	check switched_off fails any '' run_curl --socks4 "$PROXY" "http://$WEB/page.txt"
	check switched_off_is_logged logged reason=protocol_off guess=socks4
	check socks5_is_on gets_page "$WEB" --socks5 "$PROXY" "http://$WEB/page.txt"
	check server_without_socks4_stops stop_socks5d
}

start_nginx 20000000
start_socks5d
curl_speaks_it
netcats_speak_it
proxychains_speaks_it
check server_stops stop_socks5d
with_login
switched_off
finish
