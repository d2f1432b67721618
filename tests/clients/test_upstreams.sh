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

# ---- BIND and UDP ASSOCIATE ----

# socks SCRIPT: with ask(), which returns a connection that was granted a command, and what the
# reply tells.
socks() {
	bounded "$PYTHON" -c "
import socket, struct
def take(s, n):
    got = b''
    while len(got) < n:
        more = s.recv(n - len(got))
        assert more, got
        got += more
    return got
def reply(s):
    got = take(s, 10)
    assert got[:4] == b'\5\0\0\1', got
    return socket.inet_ntoa(got[4:8]), struct.unpack('!H', got[8:])[0]
def ask(command, address, port):
    s = socket.create_connection(('127.0.0.1', ${PROXY##*:}), 30)
    s.sendall(b'\5\1\0')
    assert take(s, 2) == b'\5\0'
    s.sendall(bytes([5, command, 0, 1]) + socket.inet_aton(address) + struct.pack('!H', port))
    return s, reply(s)
$1"
}

# datagrams FIELD...: by address and by name, large ones too, there and back.
datagrams() {
	mark_log
	socks "
s, relay = ask(3, '0.0.0.0', 0)
client, target = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(2)]
target.bind(('127.0.0.1', 0))
for x in client, target:
    x.settimeout(30)
port = struct.pack('!H', target.getsockname()[1])
source = b'\0\0\0\1' + socket.inet_aton('127.0.0.1') + port
for header in source, b'\0\0\0\3\x09localhost' + port:
    for data in b'small', b'x' * 60000, b'':
        client.sendto(header + data, relay)
        got, back = target.recvfrom(65536)
        assert got == data, len(got)
        target.sendto(data, back)
        assert client.recv(65536) == source + data
" && logged command=UDP_ASSOCIATE outcome=success datagrams_sent=6 datagrams_received=6 "$@"
}

# binds FIELD...: a peer that comes to where the upstream says.
binds() {
	mark_log
	socks "
s, place = ask(2, '127.0.0.1', 0)
peer = socket.create_connection(place, 30)
assert reply(s) == peer.getsockname()
for a, b in (s, peer), (peer, s):
    a.sendall(b'x' * 100000)
    assert take(b, 100000) == b'x' * 100000
peer.close()
assert s.recv(1) == b''
" && logged command=BIND outcome=success sent=100000 received=100000 "$@"
}

PYTHON=/usr/bin/python3
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
	if [[ -x $PYTHON ]]; then
		check "dante: datagrams" datagrams upstream=d
		check "dante: BIND" binds upstream=d
	else
		skip "dante: datagrams and BIND" python3
	fi
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
