# shellcheck shell=bash disable=SC2034 # variables are for the tests
# What the tests with a browser share, beside lib.sh, which is to be read before.
#
#	has_browser			Chromium, its driver and selenium are there
#	write_users			TMP/users: root is an administrator, alice and bob are not
#	start_origin ADDRESS...		even downloads at WEB, the first address
#	run_checks NAME...		those of checks.py, or all, for FRONT_URL; each counts

PYTHON=/usr/bin/python3 # which has the modules of the distribution

export PICTURES=${PICTURES:-$ROOT/build/web-pictures}
export AXE=${AXE:-$ROOT/build/axe/node_modules/axe-core/axe.min.js}

has_browser() {
	command -v chromium >/dev/null && command -v chromedriver >/dev/null &&
		"$PYTHON" -c 'import selenium' 2>/dev/null
}

# All passwords are "secret".
write_users() {
	local hash
	hash=$(openssl passwd -6 secret) || die openssl
	printf '%s\n' "root:$hash:admin" "alice:$hash:user" "bob:$hash" >"$TMP/users"
	chmod 600 "$TMP/users"
}

start_origin() {
	spawn "$PYTHON" "$ROOT/tests/web/origin.py" "$@" >"$TMP/origin"
	wait_for 30 test -s "$TMP/origin" || die 'origin.py does not start'
	WEB=$1:$(cat "$TMP/origin")
}

# The last line it prints is the sum. What the checks take in all is more than one command may.
run_checks() {
	local passed failed skipped
	FRONT=$FRONT_URL PROXY=$PROXY WEB=$WEB CHECKS=$NAME \
		spawn "$PYTHON" "$ROOT/tests/web/checks.py" "$TMP" "$@" >"$TMP/checks"
	LIMIT=400 retire "$SPAWNED"
	read -r passed failed skipped < <(tail -n 1 "$TMP/checks")
	[[ $passed =~ ^[0-9]+$ ]] || die "checks.py ended early: $(tail -n 20 "$TMP/checks")"
	sed '$d' "$TMP/checks"
	PASSED=$((PASSED + passed))
	FAILED=$((FAILED + failed))
	SKIPPED=$((SKIPPED + skipped))
}
