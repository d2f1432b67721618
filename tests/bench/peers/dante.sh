#!/bin/sh
# Dante's danted: forks its workers as the load grows; logs errors only. Its logins are system users,
# which a benchmark should not make.
set -eu

PATH=$PATH:/usr/sbin

if [ "$1" = --version ]; then
	dpkg-query -W -f '${Package} ${Version}\n' dante-server
	exit
fi

command -v danted >/dev/null || exit 77
[ "${DOOR:-socks5}" = socks5 ] && [ -z "${VARIANT:-}" ] || exit 77
[ $# -lt 5 ] || exit 77

cat >"$3/danted.conf" <<EOF
errorlog: stderr
internal: $1 port = $2
external: $1
clientmethod: none
socksmethod: none
user.privileged: $(id -un)
user.unprivileged: $(id -un)
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
EOF
TMPDIR=$3
export TMPDIR
exec danted -f "$3/danted.conf" -p "$3/danted.pid"
