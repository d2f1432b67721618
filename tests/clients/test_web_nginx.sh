#!/usr/bin/env bash
# nginx in front of web_listen, with TLS and the very lines of socks5d-web(7): logins and their
# cookies, whose address counts, and the pages in a browser. The clients are computers of a network
# that nginx's host is in.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119,SC2086 # called by check; words
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/host.sh"
# shellcheck source=tests/web/front.sh
. "$(dirname "$0")/../web/front.sh"

need curl nginx openssl

SITE=monitor.example.org
HERE_IP=192.168.1.1 ALICE=192.168.1.20 BOB=192.168.1.31 CAROL=192.168.1.40 DAVE=192.168.1.41

# ---- the servers ----

make_network() {
	give_addresses '' lo && add_neighbour office "$HERE_IP/24" "$ALICE/24 $BOB/24 $CAROL/24 $DAVE/24"
}

# What the manual says, for where we listen.
location_of_manual() {
	sed -n '/^location \/ {$/,/^}$/p' "$ROOT/src/socks5d-web.7" |
		sed "s|http://127\.0\.0\.1:8081|http://$FRONT|"
}

# A second server has the other habit: it adds the address to what the client has sent.
front_config() {
	local tls="ssl_certificate $TMP/cert.pem; ssl_certificate_key $TMP/key.pem;"
	cat <<-END
		$( ((EUID == 0)) && echo 'user root;')
		daemon off;
		master_process off;
		pid $TMP/front.pid;
		error_log stderr warn;
		events {
		}
		http {
			access_log off;
			client_body_temp_path $TMP/nginx/body;
			proxy_temp_path $TMP/nginx/proxy;
			fastcgi_temp_path $TMP/nginx/fastcgi;
			uwsgi_temp_path $TMP/nginx/uwsgi;
			scgi_temp_path $TMP/nginx/scgi;
			$tls
			server {
				listen $HERE_IP:$1 ssl;
				$(location_of_manual)
			}
			server {
				listen $HERE_IP:$2 ssl;
				$(location_of_manual | sed 's/\$remote_addr/$proxy_add_x_forwarded_for/')
			}
		}
	END
}

make_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=$SITE" -addext "subjectAltName=DNS:$SITE,DNS:other.example.org" \
		-keyout "$TMP/key.pem" -out "$TMP/cert.pem" 2>"$TMP/openssl.err" ||
		die "openssl: $(cat "$TMP/openssl.err")"
}

try_front() {
	TLS_PORT=$(free_port)
	ADDING_PORT=$(free_port)
	rm -f "$TMP/front.pid"
	front_config "$TLS_PORT" "$ADDING_PORT" >"$TMP/front.conf"
	spawn nginx -p "$TMP/nginx" -c "$TMP/front.conf" 2>"$TMP/front.log"
	IN_FRONT=$SPAWNED
	wait_for 30 front_settled
	[[ -s $TMP/front.pid ]]
}

front_settled() {
	[[ -s $TMP/front.pid ]] || gone "$IN_FRONT"
}

start_front() {
	local tries
	mkdir -p "$TMP/nginx"
	make_certificate
	for tries in {1..20}; do
		try_front && return
		retire "$IN_FRONT"
	done
	die "nginx does not start after $tries tries: $(cat "$TMP/front.log")"
}

start_web() {
	mkdir -m 700 "$TMP/state"
	start_socks5d --users-file "$TMP/users" --state-dir "$TMP/state" \
		--rule "allow to 127.0.0.1 port ${WEB##*:}" --web-listen 127.0.0.1:0 \
		--web-trusted 127.0.0.1/32 --web-names "$SITE"
	await_front
}

# ---- a browser's habits ----

# ask ARG...: the answer's head is in TMP/head, its body in TMP/got. From the neighbour, or where AT is.
ask() {
	bounded ${AT-$NEIGHBOUR} curl -q -sS --noproxy '' --max-time 50 \
		-D "$TMP/head" -o "$TMP/got" --cacert "$TMP/cert.pem" \
		--resolve "$SITE:$TLS_PORT:$HERE_IP" --resolve "$SITE:$ADDING_PORT:$HERE_IP" \
		--resolve "other.example.org:$TLS_PORT:$HERE_IP" "$@"
}

answered() {
	head -n 1 "$TMP/head" | grep -q "^HTTP/1\.1 $1 " || {
		cat "$TMP/head" "$TMP/got"
		return 1
	}
}

# logs_in_at BASE PASSWORD ARG...: opens the form and sends it, with cookies of its own.
logs_in_at() {
	local base=$1 password=$2 token
	shift 2
	rm -f "$TMP/jar"
	ask -c "$TMP/jar" "$@" "$base/login" && answered 200 || return
	token=$(sed -n 's/.*name="token" value="\([0-9a-f]*\)".*/\1/p' "$TMP/got" | head -n 1)
	ask -b "$TMP/jar" -c "$TMP/jar" "$@" --data-urlencode "token=$token" \
		--data-urlencode name=root --data-urlencode "password=$password" "$base/login"
}

by_tls() {
	echo "https://$SITE:$TLS_PORT"
}

cookie_fields() {
	grep -i '^set-cookie: socks5d=[0-9a-f]\{64\};' "$TMP/head"
}

# The page's cookie opens the commands.
is_logged_in() {
	ask -b "$TMP/jar" "$@" && answered 200 && grep -q '"status":"OK"' "$TMP/got"
}

# ---- checks ----

cookie_is_secure() {
	logs_in_at "$(by_tls)" secret && answered 303 &&
		grep -qi '^location: /' "$TMP/head" || return
	cookie_fields | grep -qi '; Secure' && cookie_fields | grep -qi '; HttpOnly' &&
		cookie_fields | grep -qi '; SameSite=Strict' &&
		is_logged_in "$(by_tls)/api/stats"
}

is_insecure() {
	[[ -n $(cookie_fields) ]] && ! cookie_fields | grep -qi 'secure'
}

cookie_without_tls() {
	AT='' logs_in_at "http://$FRONT" secret && answered 303 && is_insecure
}

# logged_from ADDRESS ARG...: a login, whose client is that one. The log has each only once in a while.
logged_from() {
	local address=$1
	shift
	mark_log
	logs_in_at "$@" && answered 303 && wait_for 15 login_was_from "$address" || {
		tail -n "+$LOG_MARK" "$LOG"
		return 1
	}
}

login_was_from() {
	tail -n "+$LOG_MARK" "$LOG" | grep -q " msg=\"web login\" client=$1[: ]"
}

# Who is held off soon gets 429; his neighbour has his own first try.
wrong_passwords_are_the_client_s() {
	local i
	for i in {1..8}; do
		logs_in_at "$(by_tls)" "wrong$i" --interface "$BOB" || return
		! answered 429 >/dev/null || break
	done
	answered 429 && logs_in_at "$(by_tls)" wrong --interface "$ALICE" && answered 403 &&
		grep -q 'Name or password is wrong' "$TMP/got"
}

other_host() {
	ask "https://other.example.org:$TLS_PORT/login" && answered 421
}

health() {
	ask "$(by_tls)/healthz" && answered 200 && [[ $(cat "$TMP/got") == ok ]]
}

# A body beyond what is taken, and one that comes without a length, which nginx counts.
bodies() {
	head -c 70000 /dev/zero | tr '\0' x >"$TMP/large"
	ask -H 'Expect:' --data-binary "@$TMP/large" "$(by_tls)/login" && answered 413 || return
	ask -u root:secret -H 'Content-Type: application/json' -H 'Transfer-Encoding: chunked' \
		-d '["dave","pass"]' "$(by_tls)/api/add_user" && answered 200
}

# What lives on the page lives behind nginx, too; nothing of it asks for anybody else.
in_a_browser() {
	BROWSER_FLAGS=$(printf '%s\n' --ignore-certificate-errors \
		"--host-resolver-rules=MAP $SITE $HERE_IP")
	export BROWSER_FLAGS
	FRONT_URL=$(by_tls) run_checks an_administrator_logs_in a_download_is_in_the_plot \
		it_is_in_the_table it_is_ended_there a_user_who_is_added_may_use_the_proxy \
		nobody_else_was_asked the_console_is_silent
}

make_network || skip_all 'networks of its own'
write_users
WEB=127.0.0.1:9
! has_browser || start_origin 127.0.0.1
start_web
start_front
check health health
check cookie_is_secure cookie_is_secure
check cookie_without_tls cookie_without_tls
check client_is_the_browser logged_from "$BOB" "$(by_tls)" secret --interface "$BOB"
check client_cannot_say_who_it_is logged_from "$CAROL" "$(by_tls)" secret \
	--interface "$CAROL" -H "X-Forwarded-For: $BOB"
check last_address_counts logged_from "$DAVE" "https://$SITE:$ADDING_PORT" secret \
	--interface "$DAVE" -H "X-Forwarded-For: $ALICE"
AT='' check nobody_else_is_believed logged_from 127.0.0.8 "http://$FRONT" secret \
	--interface 127.0.0.8 -H "X-Forwarded-For: $ALICE" -H 'X-Forwarded-Proto: https'
check nobody_else_has_tls is_insecure
check wrong_passwords_are_the_client_s wrong_passwords_are_the_client_s
check other_host other_host
check bodies bodies
if has_browser; then
	in_a_browser
else
	skip in_a_browser 'chromium, chromium-driver and python3-selenium'
fi
stop "$IN_FRONT"
check server_stops stop_socks5d
finish
