#!/usr/bin/env bash
# Nmap's ncat through socks5d to nginx: logins, names resolved here and there, bulk both ways.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need ncat nginx

# through ARG... TARGET PORT: ncat through the proxy. It keeps its sending side open at the end of
# its input; the web server ends the connection.
through() {
	bounded ncat --no-shutdown --proxy "$PROXY" --proxy-type socks5 "$@"
}

request() {
	printf '%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s\r\n' "$1" "$2" "${3:-}"
}

# The answer's body.
body() {
	sed '1,/^\r$/d' "$1"
}

# gets_page LOGGED_TARGET ARG... HOST
gets_page() {
	local target=$1
	shift
	mark_log
	request GET /page.txt >"$TMP/request"
	through "$@" "$WEB_PORT" <"$TMP/request" >"$TMP/got" || return
	body "$TMP/got" | cmp - "$WWW/page.txt" && logged "target=$target" outcome=success
}

download() {
	request GET /random.bin >"$TMP/request"
	through 127.0.0.1 "$WEB_PORT" <"$TMP/request" >"$TMP/got" || return
	tail -c "$(stat -c %s "$WWW/random.bin")" "$TMP/got" >"$TMP/body"
	rm -f "$TMP/got"
	same_digest "$TMP/body" "$WWW/random.bin" && rm -f "$TMP/body"
}

upload() {
	local length
	length=$(stat -c %s "$WWW/random.bin")
	request PUT /put/uploaded $'Content-Length: '"$length"$'\r\n' >"$TMP/request"
	cat "$WWW/random.bin" >>"$TMP/request"
	through 127.0.0.1 "$WEB_PORT" <"$TMP/request" >"$TMP/got" || return
	grep -a '^HTTP/1.1 201 ' "$TMP/got" && same_digest "$WWW/put/uploaded" "$WWW/random.bin"
}

# refused TEXT LOGGED ARG...
refused() {
	local text=$1 field=$2
	shift 2
	mark_log
	fails any "$text" through "$@" && logged "$field" outcome=fail
}

without_users() {
	start_socks5d
	check by_address gets_page "$WEB" 127.0.0.1
	check by_name gets_page "localhost:$WEB_PORT" --proxy-dns remote localhost
	check by_name_resolved_here gets_page "$WEB" -4 --proxy-dns local localhost
	if [[ -n $WEB6 ]]; then
		check by_ipv6_address gets_page "$WEB6" ::1
	else
		skip by_ipv6_address '::1 on the loopback interface'
	fi
	check download download
	if nginx_has_dav; then
		check upload upload
	else
		skip upload 'nginx with its dav module'
	fi
	check refused_port refused 'Connection refused' reply=5 127.0.0.1 "$(free_port)"
	check unresolvable_name refused 'Host unreachable' reply=4 --proxy-dns remote \
		nosuch.invalid 80
	check server_stops stop_socks5d
}

with_login() {
	start_socks5d -u alice:secret
	check right_password gets_page "$WEB" --proxy-auth alice:secret 127.0.0.1
	check user_is_logged logged user=alice "target=$WEB"
	check right_password_by_name gets_page "localhost:$WEB_PORT" --proxy-auth alice:secret \
		--proxy-dns remote localhost
	check wrong_password refused 'authentication failed' reason=wrong_password \
		--proxy-auth alice:wrong-pass 127.0.0.1 "$WEB_PORT"
	check no_password refused '' reason=no_method 127.0.0.1 "$WEB_PORT"
	check server_with_login_stops stop_socks5d
}

start_nginx 20000000
without_users
with_login
finish
