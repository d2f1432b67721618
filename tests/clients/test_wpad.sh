#!/usr/bin/env bash
# A computer that finds the proxy by itself: dnsmasq with conf/dnsmasq/socks5d-wpad.conf tells it by DHCP
# and by name, and browsers that are told nothing else go through the proxy.
# shellcheck disable=SC2317,SC2119,SC2086 # called by check; DESK is words

# shellcheck source=tests/clients/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/host.sh"

need curl dnsmasq python3

SITE=www.example.org:8000

prepare_host() {
	add_neighbour lan 192.168.1.5/24 '192.168.1.77/24 203.0.113.80/24' && DESK=$NEIGHBOUR &&
		ip address add 203.0.113.1/24 dev lan && give_addresses '' lo &&
		over /etc/resolv.conf <<<'nameserver 192.168.1.5' &&
		over /etc/hosts <<-END
			127.0.0.1 localhost
			203.0.113.80 www.example.org
		END
}

# ---- dnsmasq ----

dnsmasq_config() {
	cat <<-END
		conf-file=$ROOT/conf/dnsmasq/socks5d-wpad.conf
		interface=lan
		bind-interfaces
		no-resolv
		no-hosts
		domain=lan
		dhcp-range=192.168.1.100,192.168.1.150
		dhcp-leasefile=$TMP/leases
		user=root
		group=root
		pid-file
		log-facility=-
	END
}

start_dnsmasq() {
	dnsmasq_config >"$TMP/dnsmasq.conf"
	spawn dnsmasq --keep-in-foreground --conf-file="$TMP/dnsmasq.conf" 2>"$TMP/dnsmasq.log"
	DNSMASQ=$SPAWNED
	wait_for 30 dnsmasq_settled
	! gone "$DNSMASQ" || die "dnsmasq does not start: $(cat "$TMP/dnsmasq.log")"
}

dnsmasq_settled() {
	gone "$DNSMASQ" ||
		{ grep -q 'started, version' "$TMP/dnsmasq.log" && getent hosts wpad.lan >/dev/null; }
}

accepts_the_example() {
	dnsmasq --test --conf-file="$ROOT/conf/dnsmasq/socks5d-wpad.conf" 2>&1 | grep 'syntax check OK'
}

# Asks as Windows does, by DHCPINFORM for option 252, and prints what it is told.
ask_dhcp() {
	$DESK python3 - <<-'END'
		import socket
		import struct
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("192.168.1.77", 68))
		s.settimeout(20)
		head = struct.pack("!BBBBIHH4s4s4s4s16s64s128s", 1, 1, 6, 0, 0x50c, 0, 0,
		                   socket.inet_aton("192.168.1.77"), b"", b"", b"",
		                   bytes.fromhex("020000000001"), b"", b"")
		s.sendto(head + b"\x63\x82\x53\x63" + bytes([53, 1, 8, 55, 1, 252, 255]), ("192.168.1.5", 67))
		options = s.recv(4096)[240:]
		while options and options[0] != 255:
		    if options[0] == 252:
		        print(options[2:2 + options[1]].rstrip(b"\0").decode())
		    options = options[2 + options[1]:]
	END
}

dhcp_tells_the_script() {
	local url
	url=$(ask_dhcp)
	echo "$url"
	[[ $url == http://192.168.1.5:1080/wpad.dat ]] &&
		$DESK curl -sS --max-time 10 "$url" | grep 'return "PROXY 192\.168\.1\.5:1080; SOCKS5 '
}

name_has_the_script() {
	$DESK curl -sS --max-time 10 "http://$1/wpad.dat" | grep 'return "PROXY 192\.168\.1\.5:80; SOCKS5 '
}

# ---- browsers ----

# On the other computer, so that it is the proxy that goes to the site.
start_site() {
	mkdir -p "$TMP/site"
	echo '<!doctype html><title>page</title><p>a page of the site</p>' >"$TMP/site/index.html"
	spawn $DESK python3 -m http.server --bind 203.0.113.80 --directory "$TMP/site" 8000 \
		>"$TMP/site.log" 2>&1
	wait_for 30 curl -so /dev/null http://203.0.113.80:8000/ || die 'no web server'
}

chromium_finds_the_proxy() {
	mark_log
	bounded $DESK chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$TMP/chromium" --proxy-auto-detect --no-first-run \
		--disable-background-networking --virtual-time-budget=20000 --dump-dom "http://$SITE/" \
		>"$TMP/got" 2>"$TMP/chromium.err"
	cat "$TMP/got"
	grep -q 'a page of the site' "$TMP/got" && logged "target=$SITE" door=http outcome=success
}

firefox_finds_the_proxy() {
	mkdir -p "$TMP/firefox"
	cat >"$TMP/firefox/user.js" <<-END
		user_pref("network.proxy.type", 4);
		user_pref("network.dns.disableIPv6", true);
		user_pref("network.captive-portal-service.enabled", false);
		user_pref("network.connectivity-service.enabled", false);
	END
	mark_log
	bounded $DESK firefox-esr --headless --no-remote --profile "$TMP/firefox" \
		--screenshot "$TMP/picture.png" "http://$SITE/" 2>&1
	[[ -s $TMP/picture.png ]] && logged "target=$SITE" door=http outcome=success
}

prepare_host || die 'no network of its own'
check dnsmasq_takes_the_example accepts_the_example
start_dnsmasq
start_site
start_socks5d -l 0.0.0.0:1080 -l 0.0.0.0:80
check dhcp_tells_the_script dhcp_tells_the_script
check name_has_the_script name_has_the_script wpad
check name_in_the_domain_has_it name_has_the_script wpad.lan
for browser in chromium firefox; do
	if command -v "$browser" >/dev/null || command -v "$browser-esr" >/dev/null; then
		check "${browser}_finds_the_proxy" "${browser}_finds_the_proxy"
	else
		skip "${browser}_finds_the_proxy" "$browser"
	fi
done
check server_stops stop_socks5d
stop "$DNSMASQ"
finish
