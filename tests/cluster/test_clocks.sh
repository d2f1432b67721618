#!/usr/bin/env bash
# Three servers whose clocks are an hour apart, and one whose clock is set while it runs: quotas, bans and
# who is there are right all the same, as long as all of them have the same day; and what happens in the
# hour in which they do not.
# shellcheck source=tests/cluster/nodes.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/nodes.sh"

need python3 redis-server redis-cli openssl date
FAKETIME=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
[[ -n $FAKETIME ]] || skip_all libfaketime
! grep -qE '__(asan|tsan)_init' "$SOCKS5D" || skip_all 'a build that another library may stand in front of'

PROGRAM=$SOCKS5D
AHEAD=(0 0 0 0) # hours, of each node

# What it is told by its file it has read when it asks for the time next.
set_clock() {
	AHEAD[$1]=$2
	printf '%+d\n' $(($2 * 3600)) >"$TMP/clock$1.new" && mv "$TMP/clock$1.new" "$TMP/clock$1"
}

start_with_clock() {
	local n=$1 SOCKS5D=$TMP/socks5d$1
	set_clock "$n" "$2"
	cat >"$SOCKS5D" <<-END
		#!/bin/sh
		LD_PRELOAD=$FAKETIME FAKETIME_TIMESTAMP_FILE=$TMP/clock$n FAKETIME_NO_CACHE=1 \
			FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_RESET=1 exec $PROGRAM "\$@"
	END
	chmod +x "$SOCKS5D"
	start_node "$n" --sandbox off
}

# local_time_is HH MM: a time zone in which it is that now, whenever the test runs.
local_time_is() {
	local minutes=$((($(date +%s) / 60 - $1 * 60 - $2) % 1440))
	((minutes <= 720)) || minutes=$((minutes - 1440))
	TZ=$(printf 'LOCAL%s%02d:%02d' "$( ((minutes < 0)) && echo -)" $((${minutes#-} / 60)) $((${minutes#-} % 60)))
	export TZ
	date
}

moves() {
	traffic datagrams "$2" "${3:-100}" "${PROXIES[$1]}"
}

# ---- the same day ----

a_quota_is_summed_over_clocks() {
	local one two three
	one=$(moves 1 alice) && two=$(moves 2 alice) && three=$(moves 3 alice) &&
		wait_for "$LIMIT" all_say alice $((one + two + three))
}

a_quota_begins_anew_over_clocks() {
	local moved
	on 3 QUOTA alice reset && wait_for "$LIMIT" all_say alice 0 && moved=$(moves 2 alice) &&
		wait_for "$LIMIT" all_say alice "$moved" && on 2 QUOTA alice reset &&
		wait_for "$LIMIT" all_say alice 0
}

# Seconds that a ban still lasts there.
left_of_ban() {
	local until
	until=$(on "$1" BANS | sed -n "s/.*client:$2 .*until:\([^ ]*\).*/\1/p")
	[[ -n $until ]] && echo $(($(date -d "$until" +%s) - $(date +%s) - AHEAD[$1] * 3600))
}

lasts_about() {
	local left
	left=$(left_of_ban "$2" 192.0.2.7) || return
	echo "node $2: $left"
	((left > $1 - 60 && left <= $1 + 5))
}

# banned NODE: for ten minutes, which are ten minutes everywhere, and ends everywhere.
a_ban_lasts_as_long_everywhere() {
	on "$1" BAN 192.0.2.7 10m && wait_for "$LIMIT" on_all is_banned_on_it && on_all lasts_about 600 &&
		on $(($1 % 3 + 1)) UNBAN 192.0.2.7 && wait_for "$LIMIT" on_all is_free_on_it
}

is_banned_on_it() {
	is_banned_on "$1" 192.0.2.7
}

is_free_on_it() {
	is_not_banned_on "$1" 192.0.2.7
}

a_short_ban_ends_everywhere() {
	on 2 BAN 192.0.2.7 20s && wait_for 19 on_all is_banned_on_it && wait_for "$LIMIT" on_all is_free_on_it
}

# Of those that are there, what lies between two beats and what a busy machine adds, and not hours.
nobody_is_silent() {
	on "$1" NODES | tee /dev/stderr | grep -cE 'state:(here|online).* lag:[0-9]{1,2}( |$)' | grep -qx 3
}

nodes_say_when_they_were_heard() {
	wait_for "$LIMIT" on_all nobody_is_silent
}

# ---- a clock that is set ----

nothing_changes_when_a_clock_is_set() {
	local before moved
	before=$(used 1 alice)
	on 1 BAN 192.0.2.7 10m && wait_for "$LIMIT" on_all is_banned_on_it || return
	set_clock 1 "$1"
	moved=$(moves 1 alice) && wait_for "$LIMIT" all_say alice $((before + moved)) &&
		on_all nobody_is_silent && on_all is_banned_on_it && lasts_about 600 2 && lasts_about 600 3 &&
		on 1 UNBAN 192.0.2.7 && wait_for "$LIMIT" on_all is_free_on_it
}

# ---- the hour around midnight ----

# Node 2 has begun the next day. What is used there counts for it alone, until the others have followed.
each_day_begins_by_the_nodes_own_clock() {
	local one two
	one=$(moves 1 bob) && two=$(moves 2 bob 50) || return
	wait_for "$LIMIT" says_used bob "$two" 2 && wait_for "$LIMIT" says_used bob "$one" 3 &&
		says_used bob "$one" 1 || return
	set_clock 1 1
	set_clock 3 1
	wait_for "$LIMIT" all_say bob "$two"
}

start_all() {
	local n
	for n in 1 2 3; do
		start_with_clock "$n" "${@:n:1}"
	done
}

stop_all() {
	local n
	for n in 1 2 3; do
		stop "${PIDS[n]}"
	done
}

add_user alice quota=1GB/day
add_user bob quota=1GB/day
start_engine
local_time_is 12 00
start_all 0 1 -1
check nodes_find_each_other wait_for "$LIMIT" on_all all_see 3
check a_quota_is_summed_over_clocks a_quota_is_summed_over_clocks
check a_quota_begins_anew_over_clocks a_quota_begins_anew_over_clocks
check a_ban_lasts_as_long_everywhere a_ban_lasts_as_long_everywhere 1
check a_ban_of_a_clock_ahead_lasts_as_long a_ban_lasts_as_long_everywhere 2
check a_ban_of_a_clock_behind_lasts_as_long a_ban_lasts_as_long_everywhere 3
check a_short_ban_ends_everywhere a_short_ban_ends_everywhere
check nodes_say_when_they_were_heard nodes_say_when_they_were_heard
check nothing_changes_when_a_clock_is_set_forwards nothing_changes_when_a_clock_is_set 2
check nothing_changes_when_a_clock_is_set_back nothing_changes_when_a_clock_is_set -2
stop_all
local_time_is 23 30
start_all 0 1 0
check nodes_find_each_other_around_midnight wait_for "$LIMIT" on_all all_see 3
check each_day_begins_by_the_nodes_own_clock each_day_begins_by_the_nodes_own_clock
finish
