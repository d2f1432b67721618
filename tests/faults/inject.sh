# shellcheck shell=bash disable=SC2034 # variables are for the tests
# System calls that fail, by strace, beside server.sh: calls.txt says which, and with what.
#
#	inject CALL:ERROR:WHEN...	from now on they fail in each thread of the server, until heal;
#					WHEN: 3 (the third), 3+10 (each tenth from there), as strace has it
#	heal				no more
#	each_call FILE			those that strace -c has counted, a line each: CALL ERROR ERROR [WHAT]
#	are_known FILE			does calls.txt know all that it has counted?
#	was_hit				did any call fail?

CALLS=$ROOT/tests/faults/calls.txt
TRACE=$TMP/trace

# Those that were counted in the file $1, as strace -c does.
each_call() {
	awk 'NR == FNR { if (!/^#/ && $2 != "-") row[$1] = $0; next } $NF in row { print row[$NF] }' "$CALLS" "$1"
}

# All that were counted there have a row.
are_known() {
	local unknown
	unknown=$(awk 'NR == FNR { known[$1]; next }
		$1 ~ /^[0-9.]+$/ && $NF != "total" && !($NF in known) { print $NF }' "$CALLS" "$1")
	[[ -z $unknown ]] || {
		echo "not in calls.txt: $unknown"
		return 1
	}
}

# What strace is to be told for CALL:ERROR:WHEN...: INJECTIONS.
name_injections() {
	local fault call error when names=
	INJECTIONS=()
	for fault; do
		IFS=: read -r call error when <<<"$fault"
		names+=,$call
		INJECTIONS+=(-e "inject=$call:error=$error:when=$when")
	done
	INJECTIONS+=(-e "trace=${names#,}")
}

# All of its threads.
is_traced() {
	! grep -q '^TracerPid:[[:space:]]*0$' /proc/"$SERVER"/task/*/status
}

inject() {
	name_injections "$@"
	spawn strace -f -qq -o "$TRACE" "${INJECTIONS[@]}" -p "$SERVER" 2>"$TMP/strace.err"
	TRACER=$SPAWNED
	wait_for 30 is_traced || die "strace does not attach: $(cat "$TMP/strace.err")"
}

heal() {
	kill -INT "$TRACER"
	retire "$TRACER" || true
}

was_hit() {
	grep -q '(INJECTED)$' "$TRACE"
}
