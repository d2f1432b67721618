#!/usr/bin/env bash
# Through real proxies as upstreams, with logins: microsocks and dante by SOCKS5, dante by SOCKS4a,
# tinyproxy by HTTP CONNECT; and what is said when they refuse, or are gone.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need curl nginx

SIZE=20000000

# answers PORT: somebody listens there.
answers() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# start_upstream PORT COMMAND...: runs it and waits for its port.
start_upstream() {
	local port=$1
	shift
	spawn "$@" >"$TMP/upstream-$port.log" 2>&1
	wait_for 30 answers "$port" || die "$1 does not listen: $(cat "$TMP/upstream-$port.log")"
}

start_microsocks() {
	MICROSOCKS=$(free_port)
	start_upstream "$MICROSOCKS" microsocks -i 127.0.0.1 -p "$MICROSOCKS" -u alice -P 's@cret'
	MICROSOCKS_PID=$SPAWNED
}

start_tinyproxy() {
	TINYPROXY=$(free_port)
	cat >"$TMP/tinyproxy.conf" <<-END
		Port $TINYPROXY
		Listen 127.0.0.1
		Timeout 60
		BasicAuth bob pa55
		ConnectPort $WEB_PORT
		LogLevel Info
	END
	start_upstream "$TINYPROXY" tinyproxy -d -c "$TMP/tinyproxy.conf"
}

# Dante's users are those of the system: in a mount namespace of its own it has one.
dante_with_user() {
	# shellcheck disable=SC2016 # the shell in the namespace expands it
	exec unshare -m sh -c 'mount --bind "$1/passwd" /etc/passwd &&
		mount --bind "$1/shadow" /etc/shadow && exec danted -f "$1/dante.conf"' sh "$TMP"
}

start_dante() {
	DANTE=$(free_port)
	cat >"$TMP/dante.conf" <<-END
		logoutput: stderr
		internal: 127.0.0.1 port = $DANTE
		external: 127.0.0.1
		socksmethod: username none
		clientmethod: none
		user.privileged: root
		user.unprivileged: nobody
		client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
		socks block { from: 0.0.0.0/0 to: 127.0.0.0/8 port = $CLOSED_PORT }
		socks pass {
			from: 0.0.0.0/0 to: 0.0.0.0/0
			proxyprotocol: socks_v5
			socksmethod: username
		}
		socks pass {
			from: 0.0.0.0/0 to: 0.0.0.0/0
			command: connect
			proxyprotocol: socks_v4
			socksmethod: none
		}
	END
	cp /etc/passwd "$TMP/passwd"
	echo 'carol:x:65500:65534::/:/bin/false' >>"$TMP/passwd"
	cp /etc/shadow "$TMP/shadow"
	echo "carol:$(openssl passwd -6 horse):19000:0:99999:7:::" >>"$TMP/shadow"
	start_upstream "$DANTE" dante_with_user
}

# use RULE LINE...: starts a server with these upstreams and rules.
use() {
	[[ -z ${SERVER:-} ]] || stop_socks5d || return
	printf '%s\n' 'protect = none' "$@" >"$TMP/upstreams.conf"
	chmod 600 "$TMP/upstreams.conf"
	start_socks5d -c "$TMP/upstreams.conf"
}

get() {
	bounded curl -q -sS --noproxy '' --fail -o "$TMP/got" -x "$@"
}

# downloads FIELD...: by name and by address, in full.
downloads() {
	mark_log
	get "socks5h://$PROXY" "http://localhost:$WEB_PORT/random.bin" &&
		same_digest "$TMP/got" "$WWW/random.bin" && get "socks5h://$PROXY" "http://$WEB/page.txt" &&
		same_digest "$TMP/got" "$WWW/page.txt" && logged "$@" outcome=success
}

# by_name FIELD...: a name that nobody here can look up goes on.
by_name() {
	mark_log
	fails any '' get "socks5h://$PROXY" http://name.invalid:1/ && logged target=name.invalid:1 "$@"
}

shows() {
	bounded "$(dirname "$SOCKS5D")/monitor_client" --socket "$TMP/monitor" UPSTREAMS | tee "$TMP/shown"
	grep -q -- "$1" "$TMP/shown"
}

start_nginx "$SIZE"
CLOSED_PORT=$(free_port)

if command -v microsocks >/dev/null; then
	start_microsocks
	use "upstream = m socks5://alice:s%40cret@127.0.0.1:$MICROSOCKS" 'rule = via m' \
		"monitor_socket = $TMP/monitor"
	check "microsocks: downloads" downloads upstream=m
	check "microsocks: a name it does not find" by_name reason=upstream_failed reply=1
	use "upstream = m socks5://alice:wrong@127.0.0.1:$MICROSOCKS" 'rule = via m' \
		"monitor_socket = $TMP/monitor"
	check "microsocks: a wrong password" by_name reason=upstreams_down reply=1
	check "microsocks: its fault is told" shows 'state:resting .*fault:login_refused'
	check "no password in the log" fails 1 '' grep -qE 's@cret|s%40cret|wrong' "$LOG"
else
	skip microsocks microsocks
fi

if command -v tinyproxy >/dev/null; then
	start_tinyproxy
	use "upstream = t http://bob:pa55@127.0.0.1:$TINYPROXY" 'rule = via t'
	check "tinyproxy: downloads" downloads upstream=t
	check "tinyproxy: a port it forbids" by_name reason=upstream_denied reply=2
	use "upstream = t http://bob:wrong@127.0.0.1:$TINYPROXY" 'rule = via t'
	check "tinyproxy: a wrong password" by_name reason=upstreams_down reply=1
else
	skip tinyproxy tinyproxy
fi

if ! command -v danted >/dev/null; then
	skip dante dante-server
elif ((EUID != 0)) || ! unshare -m true 2>/dev/null; then
	skip dante 'root, for a user of its own'
else
	start_dante
	use "upstream = d socks5://carol:horse@127.0.0.1:$DANTE" 'rule = via d'
	check "dante: downloads" downloads upstream=d
	mark_log
	check "dante: a target it forbids" fails any '' get "socks5h://$PROXY" \
		"http://127.0.0.1:$CLOSED_PORT/"
	check "dante: which is told" logged reason=upstream_denied reply=2
	use "upstream = d socks4a://x@127.0.0.1:$DANTE" 'rule = via d'
	check "dante by SOCKS4a: downloads" downloads upstream=d
fi

if [[ -n ${MICROSOCKS_PID:-} && -n ${TINYPROXY:-} ]]; then
	use "upstream = m socks5://alice:s%40cret@127.0.0.1:$MICROSOCKS, http://bob:pa55@127.0.0.1:$TINYPROXY" \
		'rule = via m'
	stop "$MICROSOCKS_PID"
	check "the next one takes over from one that is gone" \
		downloads "upstream_url=http://127.0.0.1:$TINYPROXY"
fi

check "the server stops" stop_socks5d
finish
