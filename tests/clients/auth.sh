# shellcheck shell=bash disable=SC2034,SC2086 # variables are for the tests; AS is a command's words
# socks5d_auth at a socket of the test, beside lib.sh, which is to be read before.
#
#	start_auth ARG... COMMAND...	in the place of the one before; by AS, where that is set: KEEPER
#	stop_auth			ends it: with status 0, and neither socket nor helpers are left
#	talk TEXT...			sends each, and prints a line of answer for each

AUTH=$(dirname "$SOCKS5D")/socks5d_auth
SOCKET=$TMP/auth.sock
AUTH_LOG=$TMP/auth.log
AS=
KEEPER=

start_auth() {
	stop_auth || return
	: >"$AUTH_LOG"
	spawn $AS "$AUTH" --timeout 30s "$@" 2>"$AUTH_LOG"
	KEEPER=$SPAWNED
	wait_for 30 auth_settled
	grep -q 'listening at' "$AUTH_LOG" || { cat "$AUTH_LOG" && return 1; }
}

auth_settled() {
	grep -q 'listening at' "$AUTH_LOG" || gone "$KEEPER"
}

stop_auth() {
	local keeper=$KEEPER children child
	[[ -n $keeper ]] || return 0
	children=$(pgrep -P "$keeper")
	KEEPER=
	stop "$keeper" && [[ ! -e $SOCKET ]] || return
	for child in $children; do
		gone "$child" || { echo "$child stays" && return 1; }
	done
}

talk() {
	bounded python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile()
for text in sys.argv[2:]:
	s.sendall(text.encode())
	print(f.readline(), end="")
' "$SOCKET" "$@"
}
