#!/bin/sh
# tinyproxy: an HTTP proxy, a thread for each client; for the rows of HTTP only. Its log has what an
# access log would have.
set -eu

if [ "$1" = --version ]; then
	dpkg-query -W -f '${Package} ${Version}\n' tinyproxy-bin
	exit
fi

command -v tinyproxy >/dev/null || exit 77
[ $# -lt 5 ] && [ "${DOOR:-socks5}" = http ] && [ -z "${VARIANT:-}" ] || exit 77

cat >"$3/tinyproxy.conf" <<EOF
Listen $1
Port $2
MaxClients $SESSIONS
Timeout 600
LogFile "$3/tinyproxy.log"
LogLevel Connect
PidFile "$3/tinyproxy.pid"
Allow 127.0.0.0/8
EOF
exec tinyproxy -d -c "$3/tinyproxy.conf"
