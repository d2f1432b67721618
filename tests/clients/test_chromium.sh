#!/usr/bin/env bash
# Chromium without a window loads a page, with its script and picture, through the proxy, by SOCKS
# and by HTTP.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need chromium nginx

# loads SCHEME URL_HOST TARGET: it would go to loopback addresses without the proxy if it were not told
# otherwise.
loads() {
	local scheme=$1
	shift
	mark_log
	bounded chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$TMP/chromium" --proxy-server="$scheme://$PROXY" \
		--proxy-bypass-list='<-loopback>' --no-first-run --disable-background-networking \
		--virtual-time-budget=20000 --dump-dom "http://$1/site/index.html" >"$TMP/got" \
		2>"$TMP/chromium.err"
	cat "$TMP/got"
	grep -q 'written by the script' "$TMP/got" && logged "target=$2" outcome=success
}

start_nginx 1000
mkdir -p "$WWW/site"
printf '%s\n' '<!doctype html><title>page</title><p id="p"></p><script src="script.js"></script>' \
	>"$WWW/site/index.html"
echo 'document.getElementById("p").textContent = "written by " + "the script";' >"$WWW/site/script.js"
start_socks5d
for scheme in socks5 http; do
	check "${scheme}_by_address" loads "$scheme" "$WEB" "$WEB"
	check "${scheme}_by_name" loads "$scheme" "localhost:$WEB_PORT" "localhost:$WEB_PORT"
	if [[ -n $WEB6 ]]; then
		check "${scheme}_by_ipv6_address" loads "$scheme" "$WEB6" "$WEB6"
	else
		skip "${scheme}_by_ipv6_address" '::1 on the loopback interface'
	fi
done
check server_stops stop_socks5d
finish
