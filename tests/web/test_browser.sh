#!/usr/bin/env bash
# The pages in a real Chromium, as people use them: checks.py has what is done and looked at. The
# pictures it takes are kept in PICTURES, build/web-pictures by itself.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/web/front.sh
. "$(dirname "$0")/front.sh"

need curl openssl
has_browser || skip_all 'chromium, chromium-driver and python3-selenium'
write_users
start_origin 127.0.0.1
mkdir -m 700 "$TMP/state"
start_socks5d --users-file "$TMP/users" --state-dir "$TMP/state" \
	--access-log-file "$TMP/access.log" --web-listen 127.0.0.1:0 \
	--rule 'deny to blocked.example' --rule "allow to 127.0.0.1 port ${WEB##*:}"
await_front
FRONT_URL=http://$FRONT run_checks
check server_stops stop_socks5d
finish
