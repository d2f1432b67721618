#!/usr/bin/env bash
# Browsers, and a library, take from proxy.pac how they reach sites: the library is asked about hosts of
# all kinds, and browsers without a window load pages of real servers through the proxy and without it.
# shellcheck disable=SC2317,SC2119 # called by check

# shellcheck source=tests/clients/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/host.sh"

need curl

PYTHON=/usr/bin/python3 # which has the modules of the distribution
SITE=www.example.org:8000
ALL='PROXY %s; SOCKS5 %s; SOCKS %s'

# ---- the library ----

# is_sent WAY HOST...: where pacparser sends each of these hosts, by the script in $TMP/proxy.pac.
is_sent() {
	"$PYTHON" - "$TMP/proxy.pac" "$@" <<-'END'
		import sys
		import pacparser
		script, way = sys.argv[1:3]
		pacparser.init()
		pacparser.parse_pac_file(script)
		wrong = [host for host in sys.argv[3:]
		         if pacparser.find_proxy("http://%s/" % host, host) != way]
		pacparser.cleanup()
		print("not sent by", way + ":", wrong)
		sys.exit(bool(wrong))
	END
}

through() {
	# shellcheck disable=SC2059 # the same three times
	printf "$ALL" "$PROXY" "$PROXY" "$PROXY"
}

fetch_script() {
	curl -sS --max-time 10 -o "$TMP/proxy.pac" -w '%{content_type}' "http://$PROXY/$1" |
		grep -x 'application/x-ns-proxy-autoconfig'
}

check_library() {
	if ! "$PYTHON" -c 'import pacparser' 2>/dev/null; then
		skip library 'python3-pacparser'
		return
	fi
	check library_reads_the_script fetch_script proxy.pac
	check private_addresses_go_direct is_sent DIRECT 10.1.2.3 172.16.0.1 172.31.255.255 \
		192.168.1.1 127.0.0.1 169.254.1.1 ::1 '[::1]' fd00::1 fe80::1 ::ffff:10.0.0.1 \
		0:0:0:0:0:0:0:1 ::ffff:a00:1
	check local_names_go_direct is_sent DIRECT nas NAS localhost printer.local host.lan host.lan. \
		router.home.arpa a.localhost
	check all_else_goes_through is_sent "$(through)" www.example.org 203.0.113.80 172.32.0.1 \
		172.15.255.255 192.169.0.1 2001:db8::1 fec0::1 :: ::ffff:8.8.8.8 a.evillan \
		notlocal.example 10.0.0.1.example.org 1.2.3 constructor.example
}

check_library_with_settings() {
	if ! "$PYTHON" -c 'import pacparser' 2>/dev/null; then
		skip library_with_settings 'python3-pacparser'
		return
	fi
	start_socks5d --pac-direct 'nas, .Example.org, 203.0.113.0/25, 2001:db8::/33' --pac-fallback direct
	check wpad_is_the_same_script fetch_script wpad.dat
	check places_go_direct is_sent DIRECT nas example.org WWW.EXAMPLE.ORG 203.0.113.127 2001:db8::1 \
		2001:db8:7fff::1
	ALL+='; DIRECT'
	check others_fall_back is_sent "$(through)" nas.example badexample.org 203.0.113.128 \
		2001:db8:8000::1 10.0.0.1 localhost printer.local
	stop_socks5d
}

# ---- browsers ----

start_site() {
	mkdir -p "$TMP/site"
	printf '%s\n' '<!doctype html><title>page</title><p id="p"></p><script src="script.js"></script>' \
		>"$TMP/site/index.html"
	echo 'document.getElementById("p").textContent = "written by " + "the script";' \
		>"$TMP/site/script.js"
	spawn "$PYTHON" -m http.server --bind 0.0.0.0 --directory "$TMP/site" 8000 \
		>"$TMP/site.log" 2>&1
	wait_for 30 curl -so /dev/null http://127.0.0.1:8000/ || die 'no web server'
}

# From a file, since a terminal is none: how often was the site asked?
asked() {
	grep -c "GET /$1" "$TMP/site.log"
}

# chromium_loads URL: what the page looks like when its script has run.
chromium_loads() {
	bounded chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$TMP/chromium" --proxy-pac-url="http://$PROXY/proxy.pac" \
		--no-first-run --disable-background-networking --virtual-time-budget=20000 \
		--dump-dom "$1" 2>"$TMP/chromium.err" | tee "$TMP/got"
	grep -q 'written by the script' "$TMP/got"
}

# firefox_loads URL: a picture of the page is made when it is loaded, its script included.
firefox_loads() {
	local before profile=$TMP/firefox
	rm -rf "$profile" "$TMP/picture.png"
	mkdir -p "$profile"
	cat >"$profile/user.js" <<-END
		user_pref("network.proxy.type", 2);
		user_pref("network.proxy.autoconfig_url", "http://$PROXY/proxy.pac");
		user_pref("network.dns.disableIPv6", true);
		user_pref("network.captive-portal-service.enabled", false);
		user_pref("network.connectivity-service.enabled", false);
		user_pref("datareporting.policy.dataSubmissionEnabled", false);
		user_pref("app.normandy.enabled", false);
		user_pref("browser.safebrowsing.downloads.remote.enabled", false);
	END
	before=$(asked script.js)
	bounded firefox-esr --headless --no-remote --profile "$profile" \
		--screenshot "$TMP/picture.png" --window-size=800,600 "$1" >"$TMP/firefox.out" 2>&1
	cat "$TMP/firefox.out"
	[[ -s $TMP/picture.png ]] && (($(asked script.js) > before))
}

# loads_through BROWSER HOST:PORT, loads_directly BROWSER HOST:PORT
loads_through() {
	mark_log
	"$1_loads" "http://$2/" && logged "target=$2" door=http outcome=success
}

loads_directly() {
	mark_log
	"$1_loads" "http://$2/" && ! session_ended "target=$2"
}

# The script has an address of IPv6 in its brackets.
check_browser_by_ipv6() {
	local PROXY=$PROXY6
	check "$1_goes_through_by_ipv6" loads_through "$1" "$SITE"
}

# Its style is in it, so the policy has to let that in, and has nothing to say against anything else.
page_keeps_its_policy() {
	bounded chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$TMP/chromium" --no-first-run --disable-background-networking \
		--enable-logging=stderr --dump-dom "http://$PROXY/" >"$TMP/got" 2>"$TMP/chromium.err"
	grep CONSOLE "$TMP/chromium.err"
	grep -q '<details open="" id="chrome">' "$TMP/got" && ! grep -q CONSOLE "$TMP/chromium.err"
}

check_browser() {
	check "$1_goes_through" loads_through "$1" "$SITE"
	check "$1_goes_through_to_an_address" loads_through "$1" 203.0.113.80:8000
	check "$1_goes_directly_to_a_local_name" loads_directly "$1" intranet.lan:8000
	check "$1_goes_directly_to_a_plain_name" loads_directly "$1" nas:8000
	check "$1_goes_directly_to_a_private_address" loads_directly "$1" 10.77.0.5:8000
}

# ---- all of it ----

prepare_host() {
	give_addresses '203.0.113.80/24 10.77.0.5/24' lo && over /etc/hosts <<-END
		127.0.0.1 localhost
		203.0.113.80 www.example.org
		10.77.0.5 intranet.lan nas
	END
}

prepare_host || die 'no host with addresses of its own'
start_site
check_library_with_settings
ALL='PROXY %s; SOCKS5 %s; SOCKS %s'
PORT6=$(free_port)
PROXY6="[::1]:$PORT6"
if have_ipv6; then
	start_socks5d --protect none -l "$PROXY6"
else
	start_socks5d --protect none
fi
check_library
for browser in chromium firefox; do
	if command -v "$browser" >/dev/null || command -v "$browser-esr" >/dev/null; then
		check_browser "$browser"
		if have_ipv6; then
			check_browser_by_ipv6 "$browser"
		else
			skip "${browser}_goes_through_by_ipv6" '::1 on the loopback interface'
		fi
	else
		skip "$browser" "$browser"
	fi
done
if command -v chromium >/dev/null; then
	check page_keeps_its_policy page_keeps_its_policy
else
	skip page_keeps_its_policy chromium
fi
check server_stops stop_socks5d
finish
