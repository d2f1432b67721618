#!/usr/bin/env bash
# fail2ban: what conf/fail2ban finds in the log of a real server, whose logins a real client fails at.
# Nothing of fail2ban runs but the program that tries filters.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need curl fail2ban-regex fail2ban-client

FILTER=$ROOT/conf/fail2ban/filter.d/socks5d.conf

# log_in PROXY NAME PASSWORD: to a target that nobody answers at; that is no matter.
log_in() {
	bounded curl -q -sS --noproxy '' --max-time 50 -o "$TMP/got" -x "socks5://$1" \
		-U "$2:$3" http://127.0.0.1:9/ 2>"$TMP/curl.err"
	true
}

# finds MATCHED MISSED: so many lines of the log are failed logins to the filter, and the others not.
finds() {
	bounded fail2ban-regex -r "$LOG" "$FILTER" >"$TMP/regex.out"
	cat "$TMP/regex.out"
	grep -qE "^Lines: [0-9]+ lines, [0-9]+ ignored, $1 matched, $2 missed" "$TMP/regex.out"
}

failed_logins() {
	[[ $(grep -c 'login failed' "$LOG") == "$1" ]]
}

# What fail2ban would ban, by each line that it has found.
addresses() {
	bounded fail2ban-regex -r -o ip "$LOG" "$FILTER" | sort | uniq -c | sed 's/^ *//'
}

# Logins that fail in all ways, and some that do not, with names that look like lines of the log.
try_logins() {
	log_in "$PROXY" alice wrong
	log_in "$PROXY" bob 'secret client=192.0.2.66:1 door=socks5'
	log_in "$PROXY" 'x" msg="login failed" client=192.0.2.66:1 door=socks5 reason=x ' wrong
	log_in "$PROXY" '","msg":"login failed","client":"192.0.2.66:1","door":"socks' wrong
	log_in "$PROXY" alice secret
	! have_ipv6 || log_in "$(listening_on '\[::1\]:[0-9]*')" alice wrong
	wait_for 15 failed_logins "$FAILURES"
}

lines_but() {
	echo $(($(wc -l <"$LOG") - $1))
}

only_these() {
	addresses >"$TMP/addresses"
	cat "$TMP/addresses"
	{
		echo '4 127.0.0.1'
		! have_ipv6 || echo '1 ::1'
	} | sort | diff - <(sort "$TMP/addresses")
}

no_secret() {
	! grep -E 'secret|192\.0\.2\.66' "$LOG"
}

# As the journal's lines begin where a log daemon writes them to a file.
from_syslog() {
	sed 's/^/Jul 15 12:40:39 host socks5d[4711]: /' "$LOG" >"$TMP/syslog"
	bounded fail2ban-regex -r -o ip "$TMP/syslog" "$FILTER" | sort | uniq -c |
		sed 's/^ *//' | sort | diff - <(sort "$TMP/addresses")
}

# Where the jail is put beside the filter, fail2ban understands both.
jail_is_understood() {
	cp -r /etc/fail2ban "$TMP/fail2ban" &&
		cp "$FILTER" "$TMP/fail2ban/filter.d" &&
		rm -f "$TMP/fail2ban/jail.d/"* &&
		cp "$ROOT/conf/fail2ban/jail.d/socks5d.conf" "$TMP/fail2ban/jail.d" &&
		bounded fail2ban-client -c "$TMP/fail2ban" -d >"$TMP/commands" &&
		grep -F "['add', 'socks5d', 'systemd']" "$TMP/commands" &&
		grep -F "_SYSTEMD_UNIT=socks5d.service" "$TMP/commands"
}

FAILURES=4
LISTEN6=()
if have_ipv6; then
	FAILURES=5
	LISTEN6=(-l '[::1]')
fi

for format in text json; do
	start_socks5d "${LISTEN6[@]}" -u alice:secret --ban off --log-format "$format" \
		--log-file "$TMP/$format.log"
	check "${format}_logins_fail" try_logins
	check "${format}_matches_those" finds "$FAILURES" "$(lines_but "$FAILURES")"
	check "${format}_finds_their_addresses" only_these
	check "${format}_has_no_secret" no_secret
	check "${format}_behind_a_syslog_prefix" from_syslog
	check "${format}_stops" stop_socks5d
done
if [[ -r /etc/fail2ban/jail.conf ]]; then
	check jail_is_understood jail_is_understood
else
	skip jail_is_understood /etc/fail2ban
fi
finish
