#!/usr/bin/env bash
# A wall clock that is set forwards and back, by hours and days, while the server serves: what lasts
# for a time lasts for that time, what belongs to a day is of the day that the clock says, and nothing
# is given twice.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/monitor.sh
. "$(dirname "$0")/../clients/monitor.sh"
# shellcheck source=tests/faults/health.sh
. "$(dirname "$0")/health.sh"

need curl nginx mkpasswd date
FAKETIME=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
[[ -n $FAKETIME ]] || skip_all libfaketime
! grep -qE '__(asan|tsan)_init' "$SOCKS5D" || skip_all 'a build that another library may stand in front of'

# The server as it is, but for the clock on the wall, which is by SECONDS ahead of the test's.
wrap_server() {
	cat >"$TMP/socks5d" <<-END
		#!/bin/sh
		LD_PRELOAD=$FAKETIME FAKETIME_TIMESTAMP_FILE=$TMP/clock FAKETIME_NO_CACHE=1 \
			FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_RESET=1 exec $SOCKS5D "\$@"
	END
	chmod +x "$TMP/socks5d"
	SOCKS5D=$TMP/socks5d
}

set_clock() {
	AHEAD=$(($1 * 3600))
	printf '%+d\n' "$AHEAD" >"$TMP/clock.new" && mv "$TMP/clock.new" "$TMP/clock"
}

day() {
	date -d "@$(($(date +%s) + AHEAD))" "+%F"
}

tells() {
	answers "${@:2}" && grep -qE -- "$1" "$TMP/answer"
}

tells_not() {
	answers "${@:2}" && ! grep -qE -- "$1" "$TMP/answer"
}

# A session of now is of today, and took no longer than it can have.
is_right_in_the_logs() {
	local ms
	mark_log
	serves alice:secret@ && logged user=alice outcome=success || return
	sessions user=alice | grep "^time=$(day)T" || return
	ms=$(sessions user=alice | sed -n 's/.* total_ms=\([0-9]*\).*/\1/p' | tail -n 1)
	((ms < 60000)) && tail -n 1 "$TMP/access" | grep "^$(day)T"
}

has_history_of_today() {
	tells 'sessions:[1-9]' USAGE alice "$(day)"
}

serves_carol() {
	run_curl -o "$TMP/got" -x "socks5h://carol:secret@$PROXY" "http://$WEB/$1"
}

# Half a minute at its rate, through all the steps: neither stopped nor let through at once.
begin_download() {
	mark_log
	spawn curl -q -sS --noproxy '' -o "$TMP/slow" -x "socks5h://dave:secret@$PROXY" \
		"http://$WEB/random.bin"
	DOWNLOAD=$SPAWNED
	wait_for 30 test -s "$TMP/slow"
}

# Neither it nor what is idle was ended by a step.
goes_on() {
	local before
	before=$(stat -c %s "$TMP/slow")
	! gone "$DOWNLOAD" && wait_for 15 has_grown "$before" && kill -0 "$IDLE"
}

has_grown() {
	(($(stat -c %s "$TMP/slow") > $1))
}

begin_idle() {
	mkfifo "$TMP/hold" && exec 9<>"$TMP/hold"
	spawn curl -q -sS --noproxy '' -x "socks5h://alice:secret@$PROXY" "telnet://$WEB" \
		<&9 2>/dev/null
	IDLE=$SPAWNED
	wait_for 30 tells 'current connections:[2-9]' STATS
}

# 40 kB a second: at least two fifths of what was asked for must have taken their time.
rate_holds() {
	local now bytes
	now=$(date +%s)
	bytes=$(stat -c %s "$TMP/slow")
	echo "$bytes bytes in $((now - BEGUN)) s"
	((bytes < (now - BEGUN + 3) * 45000))
}

all_is_well() {
	check "right_in_the_logs_$1" is_right_in_the_logs
	check "history_$1" has_history_of_today
	check "ban_lasts_$1" tells '192\.0\.2\.1' BANS
	check "rule_lasts_$1" tells 'blocked\.test' RULES
	check "uptime_$1" tells 'server uptime:[0-9]+s$|server uptime:[12]m' STATS
	check "download_goes_on_$1" goes_on
	check "rate_holds_$1" rate_holds
	check "comes_to_rest_$1" is_at_rest_but_for_the_download
}

# Within half a second a thread that spins uses up 50 ticks.
is_at_rest_but_for_the_download() {
	wait_for 15 is_at_rest
}

set_clock 0
wrap_server
start_nginx 3000000
{
	echo "carol:$(mkpasswd -m sha512crypt -R 1000 secret):user:quota=2500kB/day"
	echo "dave:$(mkpasswd -m sha512crypt -R 1000 secret):user:rate=320kbit"
} >"$TMP/users"
mkdir "$TMP/state"
start_monitored --users-file "$TMP/users" --state-dir "$TMP/state" \
	--access-log-file "$TMP/access" --auth auto --timeout 1h
check serves_before serves alice:secret@
note_health
BEGUN=$(date +%s)
begin_download
check ban answers BAN 192.0.2.1 1h
check rule answers DENY '*' blocked.test 1h
check quota_is_used_up fails any '' serves_carol random.bin
check quota_refuses fails any '' serves_carol page.txt
check idle begin_idle
set_clock 26
all_is_well a_day_ahead
# The clock is looked at once a minute.
if ! is_short; then
	check quota_of_the_next_day wait_for 90 serves_carol page.txt
	check quota_is_used_up_again fails any '' serves_carol random.bin
	check quota_refuses_again fails any '' serves_carol page.txt
fi
set_clock -50
all_is_well two_days_back
in_full check quota_gives_nothing_twice fails any '' serves_carol page.txt
set_clock 0
in_full all_is_well right_again
in_full check quota_gives_nothing_twice_then fails any '' serves_carol page.txt
check short_ban answers BAN 192.0.2.2 3s
check short_rule answers DENY '*' short.test 3s
set_clock -50
check short_ban_ends wait_for 15 tells_not '192\.0\.2\.2' BANS
check short_rule_ends wait_for 15 tells_not 'short\.test' RULES
stop "$DOWNLOAD"
stop "$IDLE"
check healthy is_healthy
check stops stop_socks5d
set_clock 0
start_monitored --users-file "$TMP/users" --state-dir "$TMP/state"
check serves_again serves alice:secret@
check ban_is_kept tells '192\.0\.2\.1' BANS
in_full check quota_is_kept fails any '' serves_carol page.txt
check stops_again stop_socks5d
finish
