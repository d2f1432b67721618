#!/bin/sh
# splice: no server, but the yardstick of bulk transfers: a bare loop of splice(2) and poll(2)
# (bench_splice.c). PIPE_BYTES is the size of its pipes.
set -eu

program=${BENCH_SPLICE:-$(cd "$(dirname "$0")/../../.." && pwd)/build/bench/bench_splice}

if [ "$1" = --version ]; then
	echo "a bare loop of splice and poll"
	exit
fi

[ -x "$program" ] || exit 77
[ "${DOOR:-socks5}" = socks5 ] && [ -z "${VARIANT:-}" ] || exit 77
[ $# -lt 5 ] || exit 77
exec "$program" "$1" "$2" ${PIPE_BYTES:-}
