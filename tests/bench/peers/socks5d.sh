#!/bin/sh
# socks5d: this repository's server. SOCKS5D names another binary, an older build for example. It
# knows all doors, and the variants policy, limits, shared, users, helper, web, rate-RATE, names and
# names-unused.
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

# A hundred rules that the sessions go past, limits on all accounts that nobody reaches, and all that
# is kept or watched.
policy()
{
	for i in $(seq 50); do
		echo "rule = deny to .blocked$i.example, 10.$i.0.0/16"
		echo "rule = deny user user$i to .example.org time mon-fri 01:00-13:00"
	done
	cat <<EOF
user_defaults = sessions=3999 rate=800Gbit quota=900TB/month
anonymous_defaults = sessions=3999 rate=800Gbit quota=900TB/month
client_limits = 127.0.0.0/8 sessions=3999 rate=800Gbit quota=900TB/month
ban = 10 in 10m for 1m to 1d
ban_exempt = none
state_dir = $1/state
history_days = 400
sites_days = 30
EOF
	mkdir -m 700 "$1/state"
}

# 100,000 of a list of advertisers, half of them as in a hosts file.
names()
{
	seq 100000 | awk '{ printf(NR % 2 ? "0.0.0.0 ads%d.tracker%d.example\n" : ".ads%d.tracker%d.example\n", $1, $1 * 7919 % 997) }'
}

# Limits on each user and each address that nobody reaches, which is what nodes share.
limits()
{
	cat <<EOF
user_defaults = sessions=3999 quota=900TB/month
client_limits = 127.0.0.0/8 sessions=3999 quota=900TB/month
state_dir = $1/state
EOF
	mkdir -m 700 "$1/state"
}

# Beside the server: in a session of its own, for whose CPU nobody asks, and gone with the server.
beside()
{
	setsid setpriv --pdeathsig KILL "$@" >&2 &
}

await()
{
	for _ in $(seq 500); do
		[ ! -S "$1" ] || return 0
		sleep 0.01
	done
	echo "$1 is not there" >&2
	exit 1
}

share()
{
	beside redis-server --port 0 --unixsocket "$1/redis" --save '' --appendonly no --dir "$1"
	await "$1/redis"
	echo "shared = unix:$1/redis"
	echo 'node_name = bench'
}

# Who may come is asked of a program, and nobody is in a file.
help_with_logins()
{
	cat >"$1/helper" <<-EOF
		#!/bin/sh
		while read -r name password; do
			[ "\$name \$password" = "$2 $3" ] && echo OK || echo ERR
		done
	EOF
	chmod 700 "$1/helper"
	beside "$(dirname "$SOCKS5D")/socks5d_auth" --children 1 "$1/auth" "$1/helper"
	await "$1/auth"
	echo "auth_socket = $1/auth"
}

write_users()
{
	(umask 077 && printf '%s:%s:user:\n' "$2" "$(openssl passwd -6 "$3")" >"$1/users")
	echo "users_file = $1/users"
}

case ${VARIANT:-} in
'') ;;
policy) policy "$3" >>"$3/socks5d.conf" ;;
limits) limits "$3" >>"$3/socks5d.conf" ;;
shared)
	command -v redis-server >/dev/null || exit 77
	limits "$3" >>"$3/socks5d.conf"
	share "$3" >>"$3/socks5d.conf" ;;
users)
	write_users "$3" "$4" "$5" >>"$3/socks5d.conf"
	exec "$SOCKS5D" -c "$3/socks5d.conf" ;;
helper)
	help_with_logins "$3" "$4" "$5" >>"$3/socks5d.conf"
	exec "$SOCKS5D" -c "$3/socks5d.conf" ;;
rate-*)
	# A client is an account; the bench is one.
	echo "anonymous_defaults = rate=${VARIANT#rate-}" >>"$3/socks5d.conf" ;;
web) echo 'web_listen = 127.0.0.1:0' >>"$3/socks5d.conf" ;; # where the one login is an administrator's
names-unused) names >"$3/names" ;;
names)
	names >"$3/names"
	echo "rule = deny to file:$3/names" >>"$3/socks5d.conf" ;;
*) exit 77 ;;
esac
if [ $# -ge 5 ]; then
	exec "$SOCKS5D" -c "$3/socks5d.conf" -u "$4:$5"
fi
exec "$SOCKS5D" -c "$3/socks5d.conf"
