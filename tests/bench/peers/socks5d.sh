#!/bin/sh
# socks5d: this repository's server. SOCKS5D names another binary, an older build for example.
set -eu

SOCKS5D=${SOCKS5D:-$(cd "$(dirname "$0")/../../.." && pwd)/bin/socks5d}

if [ "$1" = --version ]; then
	exec "$SOCKS5D" --version
fi

cat >"$3/socks5d.conf" <<EOF
listen = $1
port = $2
monitor_port = 0
log_file = $3/socks5d.log
log_level = info
access_log_file = $3/access.log
max_sessions = $SESSIONS
EOF
# All sessions are for the one address that the load comes from, though the bench looks from another
# whether the server is up. Older builds know no other way.
if "$SOCKS5D" --help | grep -q -e --max-sessions-per-client; then
	echo 'max_sessions_per_client = none' >>"$3/socks5d.conf"
fi
if [ $# -ge 5 ]; then
	exec "$SOCKS5D" -c "$3/socks5d.conf" -u "$4:$5"
fi
exec "$SOCKS5D" -c "$3/socks5d.conf"
