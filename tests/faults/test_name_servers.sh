#!/usr/bin/env bash
# Name servers of every bad kind: what they say is never taken for an answer, a lookup ends by its
# deadline, another server's good answer counts, and nobody else waits.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/../clients/host.sh"
# shellcheck source=tests/clients/monitor.sh
. "$(dirname "$0")/../clients/monitor.sh"
# shellcheck source=tests/faults/health.sh
. "$(dirname "$0")/health.sh"
# shellcheck source=tests/clients/servers.sh
. "$(dirname "$0")/../clients/servers.sh"

need curl nginx "$PYTHON"

# Those that cannot say, or not in time; that say that there is none; that are right in their way.
FAILING=(silent refuses servfail formerr truncated garbage zeros tiny header wrong_id wrong_question
	echo lame half overlong pointer_loop tcp_closes tcp_silent tcp_half tcp_breaks)
LACKING=(missing empty loop self wrong_owner)
WORKING=(chain many slow tcp_good tcp_drips)
if is_short; then
	FAILING=(silent servfail truncated wrong_id echo half tcp_half)
	LACKING=(loop)
	WORKING=(many tcp_drips)
fi

declare -A PORT

start_names() {
	local kind port
	spawn "$PYTHON" "$(dirname "$0")/names.py" "$@" >"$TMP/names"
	wait_for 30 grep -q '^ready$' "$TMP/names" || die 'no name servers'
	while read -r kind port; do
		PORT[$kind]=$port
	done < <(sed '/^ready$/,$d' "$TMP/names")
}

# Asks KIND... in that order from now on.
ask() {
	local kind list=
	for kind; do
		list+=${list:+, }127.0.0.1:${PORT[$kind]}
	done
	as_alice CONFIG dns_servers "$list" >"$TMP/answer" || {
		cat "$TMP/answer"
		return 1
	}
}

# By a name that nobody has asked for yet.
NAMED=0
gets_by_name() {
	NAMED=$((NAMED + 1))
	HOST=${1//_/-}$NAMED.test
	run_curl -o "$TMP/got" -x "socks5h://alice:secret@$PROXY" "http://$HOST:$WEB_PORT/page.txt" &&
		cmp "$TMP/got" "$WWW/page.txt"
}

# The client is told, the log says why, and who needs no name is served meanwhile.
fails_by() {
	mark_log
	ask "$1" || return
	gets_by_name "$1" >"$TMP/by_name" 2>&1 &
	local lookup=$! status=0
	OWNED[lookup]=curl
	serves alice:secret@ || return
	wait "$lookup" || status=$?
	unset "OWNED[lookup]"
	NAMED=$((NAMED + 1))
	cat "$TMP/by_name"
	((status == 97)) && logged outcome=fail "reason=$2" reply=4
}

works_by() {
	mark_log
	ask "$@" && gets_by_name "$1" && logged "target=$HOST:$WEB_PORT" outcome=success
}

try_kinds() {
	local kind
	for kind in "${FAILING[@]}"; do
		check "$kind" fails_by "$kind" name_failed
	done
	for kind in "${LACKING[@]}"; do
		check "$kind" fails_by "$kind" name_not_found
	done
	for kind in "${WORKING[@]}"; do
		check "$kind" works_by "$kind"
	done
	for kind in "${FAILING[@]}"; do
		check "${kind}_and_a_good_one" works_by "$kind" good
	done
	check one_good_of_three works_by silent servfail good
}

# ---- resolv.conf ----

# In the way of those who write it: another file takes its place.
put_conf() {
	printf '%s' "$1" >/etc/resolv.conf.new && mv /etc/resolv.conf.new /etc/resolv.conf
}

# It is looked at once a second.
finds_by_now() {
	gets_by_name "$1" >"$TMP/by_name" 2>&1
}

follows() {
	put_conf "$1"
	wait_for 15 finds_by_now "$2" || {
		cat "$TMP/by_name"
		return 1
	}
}

asked_good() {
	grep -q "^good $HOST\$" "$TMP/names"
}

# Without a server in it this host is asked, where nobody listens.
try_conf() {
	put_conf 'nameserver 127.0.0.1
'
	as_alice CONFIG dns_servers '' >"$TMP/answer" || die "$(cat "$TMP/answer")"
	check conf_of_a_good_one follows 'nameserver 127.0.0.1
' conf
	check conf_is_asked asked_good
	mark_log
	rm /etc/resolv.conf
	sleep 1.1 # which is how often it is looked at
	check conf_gone_keeps_what_was_known finds_by_now gone
	mkdir /etc/resolv.conf
	sleep 1.1
	check conf_is_a_folder finds_by_now folder
	rmdir /etc/resolv.conf
	check conf_of_noise follows "$(head -c 3000 /dev/urandom | tr -d '\0')
nameserver 127.0.0.1
" noise
	check conf_empty follows '' empty
	check conf_of_a_silent_one follows 'nameserver 127.0.0.2
nameserver 127.0.0.1
' second
	check conf_told says 1 resolv.conf
}

give_addresses '' lo
prepare_folders || die 'no folders of its own'
start_nginx 1000
start_names "${FAILING[@]}" "${LACKING[@]}" "${WORKING[@]}" good:53
start_monitored --connect-timeout 1s
check good works_by good
note_health
try_kinds
try_conf
check names_healthy is_healthy
check stops stop_socks5d
finish
