#!/bin/sh
# microsocks: a small thread-per-client server, configured by flags alone. Its line for
# each session cannot be turned off; like everything it prints it ends up in the bench's own folder.
set -eu

if [ "$1" = --version ]; then
	dpkg-query -W -f '${Package} ${Version}\n' microsocks
	exit
fi

command -v microsocks >/dev/null || exit 77
[ "${DOOR:-socks5}" = socks5 ] && [ -z "${VARIANT:-}" ] || exit 77
if [ $# -ge 5 ]; then
	exec microsocks -i "$1" -p "$2" -u "$4" -P "$5"
fi
exec microsocks -i "$1" -p "$2"
