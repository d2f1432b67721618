#!/usr/bin/env bash
# The pages in a real Chromium, as people use them: checks.py has what is done and looked at. The
# pictures it takes are kept in PICTURES, build/web-pictures by itself.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

PYTHON=/usr/bin/python3 # which has the modules of the distribution
need chromium chromedriver curl openssl
"$PYTHON" -c 'import selenium' 2>/dev/null || skip_all python3-selenium

export PICTURES=${PICTURES:-$ROOT/build/web-pictures}
export AXE=${AXE:-$ROOT/build/axe/node_modules/axe-core/axe.min.js}

# root is an administrator; alice and bob may use the proxy.
write_users() {
	local hash
	hash=$(openssl passwd -6 secret) || die openssl
	printf '%s\n' "root:$hash:admin" "alice:$hash:user" "bob:$hash" >"$TMP/users"
	chmod 600 "$TMP/users"
}

# WEB: even downloads.
start_origin() {
	spawn "$PYTHON" "$ROOT/tests/web/origin.py" 127.0.0.1 >"$TMP/origin"
	wait_for 30 test -s "$TMP/origin" || die 'origin.py does not start'
	WEB=127.0.0.1:$(cat "$TMP/origin")
}

start_front() {
	write_users
	mkdir -m 700 "$TMP/state"
	start_socks5d --users-file "$TMP/users" --state-dir "$TMP/state" \
		--access-log-file "$TMP/access.log" --web-listen 127.0.0.1:0 \
		--rule 'deny to blocked.example' --rule "allow to 127.0.0.1 port ${WEB##*:}"
	await_front
}

# One result a line, as it comes; the last one is the sum.
run_checks() {
	local passed failed skipped
	spawn "$PYTHON" "$ROOT/tests/web/checks.py" "$@" >"$TMP/checks"
	retire_late "$SPAWNED"
	sed '$d' "$TMP/checks"
	read -r passed failed skipped < <(tail -n 1 "$TMP/checks")
	[[ $passed =~ ^[0-9]+$ ]] || die "checks.py ended early: $(tail -n 20 "$TMP/checks")"
	PASSED=$((PASSED + passed))
	FAILED=$((FAILED + failed))
	SKIPPED=$((SKIPPED + skipped))
}

# What the checks take in all is more than one command may.
retire_late() {
	LIMIT=400 retire "$1"
}

start_origin
start_front
FRONT=http://$FRONT PROXY=$PROXY WEB=$WEB CHECKS=$NAME run_checks "$TMP"
check server_stops stop_socks5d
finish
