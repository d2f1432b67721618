#!/usr/bin/env bash
# socks5d_auth as it is started and ended: its command line, its socket, signals, and what becomes
# of its processes. Its helpers are scripts of the test.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need python3

# shellcheck source=tests/clients/auth.sh
. "$(dirname "$0")/auth.sh"

# Says which process it is, of whoever has a secret.
cat >"$TMP/helper" <<-'END'
	#!/bin/sh
	while read -r name password; do
		[ "$password" = secret ] && echo "OK user=$$" || echo ERR
	done
END
# Says OK when it is told to by a file.
cat >"$TMP/waits" <<-'END'
	#!/bin/sh
	while read -r name password; do
		: >"$1/asked"
		while [ ! -e "$1/go" ]; do sleep 0.01; done
		echo "OK user=$name"
	done
END
# Does not end by itself.
cat >"$TMP/stays" <<-'END'
	#!/bin/sh
	trap '' TERM
	while :; do sleep 1000; done
END
chmod 755 "$TMP/helper" "$TMP/waits" "$TMP/stays"

# says PATTERN TEXT...
says() {
	local got
	got=$(talk "${@:2}")
	echo "$got"
	[[ $got =~ ^$1$ ]]
}

# ---- the command line ----

flags_are_checked() {
	fails 2 'the path of a socket is missing' bounded "$AUTH" &&
		fails 2 'the command of the helpers is missing' bounded "$AUTH" "$SOCKET" &&
		fails 2 '--children: "0": expected a number from 1 to 100' \
			bounded "$AUTH" --children 0 "$SOCKET" true &&
		fails 2 '--timeout: "never": expected a time' \
			bounded "$AUTH" --timeout never "$SOCKET" true &&
		fails 2 'there is no such flag' bounded "$AUTH" --childrens 7 "$SOCKET" true &&
		fails 2 'a value is missing' bounded "$AUTH" --groups &&
		fails 2 '--log-level: "loud": expected error' \
			bounded "$AUTH" --log-level loud "$SOCKET" true &&
		bounded "$AUTH" --help | grep -q -- --concurrency && bounded "$AUTH" -v
}

a_command_that_is_not_there_is_told() {
	fails 2 '/nonexistent/helper: No such file' bounded "$AUTH" "$SOCKET" /nonexistent/helper &&
		[[ ! -e $SOCKET ]]
}

# ---- the socket ----

questions_are_answered() {
	start_auth --children 2 "$SOCKET" "$TMP/helper" &&
		says 'OK user=[0-9]+' $'AUTH alice secret\n' &&
		says $'ERR\nOK user=[0-9]+\nERR' $'AUTH alice wrong\n' $'AUTH b%20c secret x=y\n' $'AUTH a b\n'
}

# Also in pieces, and two in one.
questions_may_be_cut() {
	bounded python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
for byte in b"AUTH alice wrong\n":
	s.sendall(bytes([byte]))
f = s.makefile()
assert f.readline() == "ERR\n"
s.sendall(b"AUTH alice wrong\nAUTH bob secret\n")
s.shutdown(socket.SHUT_WR)
assert f.readline() == "ERR\n"
assert f.readline().startswith("OK user=")
assert f.readline() == ""
' "$SOCKET"
}

what_is_no_question_ends_the_connection() {
	local text
	for text in 'AUTH alice' 'GET / HTTP/1.1' 'AUTH a%0ab secret' 'AUTH a %73%00' 'AUTH  secret'; do
		says 'BH message=that%20is%20no%20question' "$text"$'\n' || return
	done
	bounded python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"a" * 8192)
f = s.makefile()
assert f.readline().startswith("BH ")
try:
	assert f.readline() == ""
except ConnectionResetError:
	pass
' "$SOCKET"
}

only_user_and_group_may_ask() {
	[[ $(stat -c '%a %F' "$SOCKET") == '660 socket' ]]
}

a_live_socket_is_not_taken() {
	fails 1 "$SOCKET" bounded "$AUTH" "$SOCKET" "$TMP/helper" && says 'OK .*' $'AUTH a secret\n'
}

a_dead_socket_is_replaced() {
	kill -KILL "$KEEPER" && retire "$KEEPER"
	KEEPER=
	[[ -e $SOCKET ]] && start_auth "$SOCKET" "$TMP/helper" && says 'OK .*' $'AUTH a secret\n'
}

# ---- processes ----

# children COUNT STATE: so many there are, none of them a zombie.
children() {
	[[ $(pgrep -c -P "$KEEPER") == "$1" ]] && ! ps -o stat= --ppid "$KEEPER" | grep -q Z
}

kill_helpers() {
	# shellcheck disable=SC2046 # numbers
	kill -KILL $(pgrep -P "$KEEPER")
}

the_dead_are_replaced() {
	local before
	before=$(pgrep -P "$KEEPER" | sort)
	kill_helpers
	wait_for 30 children 5 && says 'OK .*' $'AUTH a secret\n' &&
		! comm -12 <(echo "$before") <(pgrep -P "$KEEPER" | sort) | grep .
}

hup_replaces_them() {
	local before
	before=$(pgrep -P "$KEEPER" | sort)
	kill -HUP "$KEEPER"
	wait_for 30 grep -q 'helpers are replaced' "$AUTH_LOG" && wait_for 30 all_are_new "$before" &&
		says 'OK .*' $'AUTH a secret\n'
}

all_are_new() {
	children 5 && ! comm -12 <(echo "$1") <(pgrep -P "$KEEPER" | sort) | grep -q .
}

# One of two questions is given up; the helper is at it and has to answer it first.
who_closes_gives_up() {
	mkdir "$TMP/given_up" && start_auth --children 1 "$SOCKET" "$TMP/waits" "$TMP/given_up" &&
		bounded python3 -c '
import os, socket, sys, time
def ask(name):
	s = socket.socket(socket.AF_UNIX)
	s.connect(sys.argv[1])
	s.sendall(b"AUTH %s x\n" % name)
	return s
first = ask(b"first")
while not os.path.exists(sys.argv[2] + "/asked"):
	time.sleep(0.01)
second = ask(b"second")
third = ask(b"third")
first.close()
second.close()
open(sys.argv[2] + "/go", "w").close()
assert third.makefile().readline() == "OK user=third\n"
' "$SOCKET" "$TMP/given_up" && stop_auth
}

who_does_not_end_is_killed() {
	start_auth --children 2 "$SOCKET" "$TMP/stays" && stop_auth
}

no_files_are_lost() {
	local before
	start_auth --children 2 "$SOCKET" "$TMP/helper" && says 'OK .*' $'AUTH a secret\n' || return
	wait_for 30 children 2
	before=$(ls "/proc/$KEEPER/fd" | wc -l)
	for _ in {1..5}; do
		kill_helpers
		wait_for 30 children 2 && says 'OK .*' $'AUTH a secret\n' || return
	done
	wait_for 30 has_files "$before" && stop_auth
}

has_files() {
	[[ $(ls "/proc/$KEEPER/fd" | wc -l) == "$1" ]]
}

check flags_are_checked flags_are_checked
check a_command_that_is_not_there_is_told a_command_that_is_not_there_is_told
check questions_are_answered questions_are_answered
check questions_may_be_cut questions_may_be_cut
check what_is_no_question_ends_the_connection what_is_no_question_ends_the_connection
check only_user_and_group_may_ask only_user_and_group_may_ask
check a_live_socket_is_not_taken a_live_socket_is_not_taken
check a_dead_socket_is_replaced a_dead_socket_is_replaced
check the_dead_are_replaced the_dead_are_replaced
check hup_replaces_them hup_replaces_them
check it_ends stop_auth
check who_closes_gives_up who_closes_gives_up
check who_does_not_end_is_killed who_does_not_end_is_killed
check no_files_are_lost no_files_are_lost
finish
