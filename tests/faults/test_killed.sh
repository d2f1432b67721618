#!/usr/bin/env bash
# kill -9 at random moments, while users, guests, bans, rules, limits and quotas are changed, bytes count,
# logs are written and rotated: what was acknowledged is there when the server starts again, and nothing
# is half there. FAULT_ROUNDS says how often, FAULT_SEED with what seed.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/servers.sh
. "$(dirname "$0")/../clients/servers.sh"
# shellcheck source=tests/faults/short.sh
. "$(dirname "$0")/short.sh"

need "$PYTHON"

ROUNDS=${FAULT_ROUNDS:-200} LONG=25 # each 25th lasts until bytes have to be on the disk
! is_short || ROUNDS=${FAULT_ROUNDS:-20} LONG=0
SEED=${FAULT_SEED:-$((RANDOM * 32768 + RANDOM))}

survives_kills() {
	local status=0
	mkdir "$TMP/killed"
	spawn "$PYTHON" "$ROOT/tests/faults/killed.py" "$SOCKS5D" "$TMP/killed" "$ROUNDS" "$SEED" "$LONG"
	wait "$SPAWNED" || status=$?
	unset "OWNED[SPAWNED]"
	((status == 0)) || tail -n 20 "$TMP/killed/stderr" "$TMP/killed/log"
	return "$status"
}

check "kill -9 in $ROUNDS rounds, seed $SEED" survives_kills
finish
