#!/usr/bin/env bash
# HAProxy and nginx's stream module in front of socks5d, with the PROXY protocol: whose sessions they
# are, who is refused, and that health checks are silent. The clients are computers of a network
# that the balancers' host is in.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119,SC2086 # called by check; words
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/host.sh"

need curl haproxy nginx

HERE_IP=192.168.1.1 HERE_IP6=fd00:1::1
ALICE=192.168.1.20 ALICE6=fd00:1::20 BOB=192.168.1.31
STREAM_MODULE=/usr/lib/nginx/modules/ngx_stream_module.so

# Of what happens at this address: v1 and v2 of the protocol with HAProxy's usual check, v2 with one
# that greets, v1 with one that only connects, and nginx.
declare -A PORTS=([v1]=3101 [v2]=3102 [greeting]=3103 [connecting]=3104 [nginx]=3105)

make_network() {
	give_addresses '' lo && add_neighbour office "$HERE_IP/24" "$ALICE/24 $BOB/24" &&
		ip address add "$HERE_IP6/64" dev office nodad &&
		$NEIGHBOUR ip address add "$ALICE6/64" dev ours nodad
}

haproxy_config() {
	local usual="server s $PROXY inter 200ms"
	cat <<-END
		global
		    stats socket $TMP/haproxy.sock
		defaults
		    mode tcp
		    timeout connect 10s
		    timeout client 1m
		    timeout server 1m
		    timeout check 5s
		listen v1
		    bind $HERE_IP:${PORTS[v1]}
		    bind $HERE_IP6:${PORTS[v1]}
		    $usual check send-proxy
		listen v2
		    bind $HERE_IP:${PORTS[v2]}
		    bind $HERE_IP6:${PORTS[v2]}
		    $usual check send-proxy-v2
		listen greeting
		    bind $HERE_IP:${PORTS[greeting]}
		    option tcp-check
		    tcp-check connect send-proxy
		    tcp-check send-binary 050100
		    tcp-check expect binary 0500
		    $usual check send-proxy-v2-ssl-cn check-send-proxy
		listen connecting
		    bind $HERE_IP:${PORTS[connecting]}
		    $usual check port ${PROXY##*:} send-proxy
	END
}

has_stream() {
	[[ -e $STREAM_MODULE ]] || nginx -V 2>&1 | grep -q -- '--with-stream '
}

stream_config() {
	cat <<-END
		$([[ ! -e $STREAM_MODULE ]] || echo "load_module $STREAM_MODULE;")
		user root;
		daemon off;
		master_process off;
		pid $TMP/stream.pid;
		error_log stderr warn;
		events {
		}
		stream {
			server {
				listen $HERE_IP:${PORTS[nginx]};
				proxy_pass $PROXY;
				proxy_protocol on;
			}
		}
	END
}

start_balancers() {
	haproxy_config >"$TMP/haproxy.cfg"
	spawn haproxy -db -f "$TMP/haproxy.cfg" 2>"$TMP/haproxy.log"
	BALANCERS=("$SPAWNED")
	wait_for 30 are_up v1 v2 greeting connecting || die "haproxy: $(cat "$TMP/haproxy.log")"
	! has_stream || start_stream
}

start_stream() {
	stream_config >"$TMP/stream.conf"
	spawn nginx -p "$TMP/nginx" -c "$TMP/stream.conf" 2>"$TMP/stream.log"
	BALANCERS+=("$SPAWNED")
	wait_for 30 test -s "$TMP/stream.pid" || die "nginx: $(cat "$TMP/stream.log")"
}

stop_balancers() {
	local pid
	for pid in "${BALANCERS[@]}"; do
		stop "$pid"
	done
	return 0
}

# are_up NAME...: by HAProxy's own checks.
are_up() {
	local name
	for name; do
		ask_haproxy 'show servers state' | grep -q " $name [0-9]* s [0-9.]* 2 " || return
	done
}

ask_haproxy() {
	perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new($ARGV[0]) or exit 1;
		print $s "$ARGV[1]\n";
		print while <$s>;
	' "$TMP/haproxy.sock" "$1"
}

run_curl() {
	bounded $NEIGHBOUR curl -q -sS --noproxy '' --max-time 50 "$@"
}

# told CLIENT FIELD...: a session of that client has these fields.
told() {
	wait_for 15 is_told "$@" || {
		echo "no session of $1 with ${*:2} in the log"
		return 1
	}
}

is_told() {
	sessions "${@:2}" | grep -qF " client=$1:"
}

# serves NAME [ARG...]: a client gets the page through that balancer; the session is his.
serves() {
	gets_page "$WEB" --interface "$ALICE" --socks5 "$HERE_IP:${PORTS[$1]}" "${@:2}" \
		"http://$WEB/page.txt" && told "$ALICE" door=socks5 outcome=success &&
		sessions | grep -q ' balancer=127\.0\.0\.1:'
}

serves_ipv6() {
	gets_page "$WEB" --socks5 "[$HERE_IP6]:${PORTS[$1]}" "http://$WEB/page.txt" &&
		told "[$ALICE6]" outcome=success
}

serves_socks4() {
	gets_page "$WEB" --interface "$BOB" --socks4a "$HERE_IP:${PORTS[$1]}" "http://$WEB/page.txt" &&
		told "$BOB" door=socks4 outcome=success
}

serves_http() {
	gets_page "$WEB" --interface "$BOB" -x "http://$HERE_IP:${PORTS[$1]}" "http://$WEB/page.txt" &&
		told "$BOB" door=http outcome=success
}

download() {
	run_curl --socks5 "$HERE_IP:${PORTS[$1]}" -o "$TMP/got" "http://$WEB/random.bin" &&
		same_digest "$TMP/got" "$WWW/random.bin"
}

# refused CLIENT TEXT FIELD ARG...
refused() {
	local client=$1 text=$2 field=$3
	shift 3
	mark_log
	fails 97 "$text" run_curl --interface "$client" "$@" && told "$client" "$field"
}

through_each() {
	local name
	for name in v1 v2 greeting connecting nginx; do
		if [[ $name == nginx ]] && ! has_stream; then
			skip through_nginx "nginx's stream module"
			continue
		fi
		check "${name}_serves" serves "$name"
		check "${name}_socks4" serves_socks4 "$name"
		check "${name}_http" serves_http "$name"
		check "${name}_download" download "$name"
	done
	check v1_ipv6 serves_ipv6 v1
	check v2_ipv6 serves_ipv6 v2
}

# The rules are about the client, and so is what is protected.
rules_are_about_the_client() {
	check denied_client refused "$BOB" '(2)' rule=1 --socks5 "$HERE_IP:${PORTS[v2]}" http://192.0.2.7/
	check loopback_is_protected refused "$ALICE" '(2)' rule=protect:loopback \
		--socks5 "$HERE_IP:${PORTS[v2]}" "http://127.0.0.1:$(free_port)/"
}

# This host's own addresses would open what is protected.
own_address() {
	mark_log
	fails 97 '' bounded curl -q -sS --noproxy '' --max-time 50 \
		--socks5 "$HERE_IP:${PORTS[$1]}" "http://$WEB/page.txt" &&
		told "$HERE_IP" reason=told_client_refused
}

without_header() {
	mark_log
	fails 97 '' bounded curl -q -sS --noproxy '' --max-time 50 --socks5 "$PROXY" \
		"http://$WEB/page.txt" && told 127.0.0.1 reason=bad_proxy_header guess=socks5
}

# Connections that came to nothing, as the server counts them.
checks_so_far() {
	kill -USR1 "$SERVER"
	wait_for 15 grep -q " msg=statistics " "$LOG" &&
		grep ' msg=statistics ' "$LOG" | tail -n 1 |
		grep -oP ' ended_(nothing_asked|client_left)=\K[0-9]+' |
			awk '{ sum += $1 } END { print sum }'
}

were_checked() {
	(($(checks_so_far) >= $1))
}

health_checks_are_silent() {
	local before
	before=$(checks_so_far) && mark_log && wait_for 60 were_checked $((before + 30)) &&
		are_up v1 v2 greeting connecting || return
	! tail -n "+$LOG_MARK" "$LOG" | grep -v ' msg=statistics '
}

make_network || skip_all 'networks of its own'
start_nginx 5000000
start_socks5d --proxy-protocol-from 127.0.0.1 --rule "deny from $BOB to 192.0.2.7" \
	--rule "allow to 127.0.0.1 port $WEB_PORT"
start_balancers
through_each
rules_are_about_the_client
check own_address_by_v1 own_address v1
check own_address_by_v2 own_address v2
check without_header without_header
check health_checks_are_silent health_checks_are_silent
stop_balancers
check server_stops stop_socks5d
finish
