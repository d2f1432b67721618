#!/usr/bin/env bash
# Processes that are stopped (SIGSTOP) for longer than any deadline, as by a debugger, a laptop's lid or a
# host that is saved: the server itself, its clients, its targets. Nothing spins, what was due ends by the
# reasons that the manual tells, what was not goes on with every byte, and there is service afterwards.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119,SC2086 # called by check; words
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/servers.sh
. "$(dirname "$0")/../clients/servers.sh"
# shellcheck source=tests/faults/health.sh
. "$(dirname "$0")/health.sh"
# shellcheck source=tests/faults/traffic.sh
. "$(dirname "$0")/traffic.sh"

# Longer than all deadlines; that of the page is 10 s whatever the settings are.
PAUSE=4 LONG_PAUSE=12 PAGE=page=1
! is_short || PAUSE=1 LONG_PAUSE=3 PAGE=

is_stopped() {
	[[ $(<"/proc/$1/stat") == *') T '* ]]
}

# halt PID SECONDS [COMMAND...]: for that long, in which the command is run.
halt() {
	local pid=$1 pause=$2 status=0
	shift 2
	kill -STOP "$pid" && wait_for 30 is_stopped "$pid" || return
	"$@" || status=$?
	sleep "$pause"
	kill -CONT "$pid" && return "$status"
}

# ---- who may wait ----

# goes_on_after VARIABLE: the sessions in whose middle that process was stopped.
goes_on_after() {
	local status=0
	mark_log
	begin_traffic halfway use --halfway --size 1000000 $ALL || return
	note_time
	halt "${!1}" "$PAUSE" go_on && has_not_spun || status=1
	end_traffic && ((status == 0)) && has_let_go && no_complaints
}

# Who came meanwhile was in the kernel's queue.
serves_who_came() {
	local status=0
	mark_log
	halt "$SERVER" "$PAUSE" start_traffic use $ALL || status=1
	end_traffic && ((status == 0)) && has_let_go && no_complaints
}

# ---- who may not ----

HELD="silent=1 greeting=1 idle=2 half=2 flood=2 udp=2 bind=2 connect=1 name=1 $PAGE monitor=1 monitor_login=1"
REASONS='idle half_closed_idle udp_idle bind_timeout handshake_timeout connect_timeout name_failed'

has_ended() {
	local reason count
	for reason in $REASONS; do
		count=$(sessions "reason=$reason" | wc -l)
		((count > 0)) || {
			echo "none ended by $reason"
			return 1
		}
	done
	no_complaints $REASONS
}

# ends_behind VARIABLE: all that waits when that process is stopped.
ends_behind() {
	local status=0
	mark_log
	begin_traffic ready hold $HELD || return
	halt "${!1}" "$LONG_PAUSE" || status=1
	note_time
	has_let_go && has_not_spun 1000 || status=1
	end_traffic && ((status == 0)) && has_ended && traffic use $ALL
}

ends_when_it_goes_on() {
	begin_traffic ready hold idle=1 flood=1 udp=1 || return
	kill -STOP "$SERVER" && wait_for 30 is_stopped "$SERVER" && kill -TERM "$SERVER" &&
		kill -CONT "$SERVER" && stop_socks5d
	local status=$?
	end_traffic && return "$status"
}

start_far_side
serve_all
for who in SERVER BESIDE FAR; do
	check "goes on after ${who,,} was stopped" goes_on_after "$who"
done
check 'serves who came while it was stopped' serves_who_came
check stops stop_socks5d

serve_all --timeout 2s --half-close-timeout 2s --udp-timeout 2s --bind-timeout 2s --connect-timeout 2s \
	--handshake-timeout 2s --monitor-timeout 2s --monitor-login-timeout 2s --drain-timeout 1s
for who in SERVER BESIDE FAR; do
	check "what waits ends when ${who,,} was stopped" ends_behind "$who"
done
check 'what it is told while it is stopped' ends_when_it_goes_on
finish
