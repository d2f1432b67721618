#!/usr/bin/env bash
# Chromium without a window loads a page, with its script and picture, through the proxy.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need chromium nginx

# It would go to loopback addresses without the proxy if it were not told otherwise.
loads() {
	mark_log
	bounded chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$TMP/chromium" --proxy-server="socks5://$PROXY" \
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
check by_address loads "$WEB" "$WEB"
check by_name loads "localhost:$WEB_PORT" "localhost:$WEB_PORT"
if [[ -n $WEB6 ]]; then
	check by_ipv6_address loads "$WEB6" "$WEB6"
else
	skip by_ipv6_address '::1 on the loopback interface'
fi
check server_stops stop_socks5d
finish
