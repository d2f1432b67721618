#!/usr/bin/env bash
# PySocks: UDP sockets through the proxy, to a real name server and to an echo, over IPv4 and IPv6.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

PYTHON=/usr/bin/python3 # which has the modules of the distribution
need dnsmasq
"$PYTHON" -c 'import socks' 2>/dev/null || skip_all python3-socks

# python SCRIPT ARG...: with `proxy` and PySocks at hand.
python() {
	local script=$1
	shift
	bounded "$PYTHON" -c "
import socket, socks, sys
def proxied(family, login=(None, None)):
    s = socks.socksocket(family, socket.SOCK_DGRAM)
    s.set_proxy(socks.SOCKS5, '127.0.0.1', ${PROXY##*:}, True, *login)
    s.settimeout(30)
    return s
$script" "$@"
}

# A query as RFC 1035 has it, and the last bytes of the answer, which are the address.
QUERY='
def ask(s, server, kind, size):
    name = b"\4host\4test\0"
    s.sendto(b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + name + bytes([0, kind, 0, 1]), server)
    answer, source = s.recvfrom(2000)
    assert answer[:2] == b"\x12\x34" and source[1] == server[1], (answer, source)
    return answer[-size:]
'

query_v4() {
	mark_log
	python "$QUERY
s = proxied(socket.AF_INET)
got = ask(s, ('127.0.0.1', $DNS_PORT), 1, 4)
assert got == socket.inet_aton('$DNS_HOST'), got
" && logged command=UDP_ASSOCIATE outcome=success datagrams_sent=1 datagrams_received=1
}

query_v6() {
	mark_log
	python "$QUERY
s = proxied(socket.AF_INET)
got = ask(s, ('::1', $DNS_PORT), 28, 16)
assert got == socket.inet_pton(socket.AF_INET6, '$DNS_HOST6'), got
" && logged command=UDP_ASSOCIATE outcome=success datagrams_received=1
}

query_by_name() {
	mark_log
	python "$QUERY
s = proxied(socket.AF_INET)
got = ask(s, ('localhost', $DNS_PORT), 1, 4)
assert got == socket.inet_aton('$DNS_HOST'), got
" && logged command=UDP_ASSOCIATE outcome=success datagrams_received=1
}

echo_sizes() {
	python '
target = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
target.bind(("127.0.0.1", 0))
s = proxied(socket.AF_INET)
for size in (0, 1, 1472, 9000, 65000):
    data = bytes(i % 251 for i in range(size))
    s.sendto(data, target.getsockname())
    got, back = target.recvfrom(70000)
    assert got == data
    target.sendto(got, back)
    got, source = s.recvfrom(70000)
    assert got == data and source == target.getsockname(), (len(got), source)
'
}

with_login() {
	mark_log
	python "$QUERY
s = proxied(socket.AF_INET, ('alice', 'secret'))
got = ask(s, ('127.0.0.1', $DNS_PORT), 1, 4)
assert got == socket.inet_aton('$DNS_HOST'), got
" && logged command=UDP_ASSOCIATE user=alice outcome=success
}

start_dnsmasq
start_socks5d
check query_over_ipv4 query_v4
if have_ipv6; then
	check query_over_ipv6 query_v6
else
	skip query_over_ipv6 '::1 on the loopback interface'
fi
check query_by_name query_by_name
check echo_of_all_sizes echo_sizes
check server_stops stop_socks5d
start_socks5d -u alice:secret
check query_with_login with_login
check server_with_login_stops stop_socks5d
finish
