#!/usr/bin/env bash
# The examples of conf/examples: each is good for -n, whose expectations are in it, and is served as its
# first lines say, on a host of its own with the addresses and names that it has, to clients that get
# what it allows and nothing else. With HOURS in a list of what is tried, it holds at some hours only.
# shellcheck disable=SC2317,SC2119,SC2086 # called by check; DESK is words

# shellcheck source=tests/clients/lib.sh
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/../clients/host.sh"

need nginx curl

export TZ=UTC
SOCKET=/run/monitor.sock
PROXIES='10.20.0.1/16 192.168.10.1/24 192.168.20.1/24 10.30.0.1/16 192.168.1.1/24'
CLIENTS='10.20.8.17/16 10.20.2.9/16 192.168.10.33/24 192.168.10.200/24 192.168.20.33/24
	10.30.4.7/16 10.30.1.10/16 192.168.1.20/24 192.168.1.31/24 192.168.1.50/24'
SERVERS_THERE='10.20.0.10/16 10.20.0.20/16 192.168.10.5/24' # beside the clients
BEYOND='203.0.113.1/24 10.50.255.1/16 192.0.2.1/24'
TARGETS='203.0.113.25/24 203.0.113.66/24 203.0.113.80/24 203.0.113.81/24 203.0.113.82/24
	10.50.0.1/16 10.50.8.9/16 192.0.2.9/24'

# ---- the host ----

prepare_host() {
	add_neighbour lan "$PROXIES" "$CLIENTS $SERVERS_THERE" && DESK=$NEIGHBOUR &&
		add_neighbour world "$BEYOND" "$TARGETS" && WORLD=$NEIGHBOUR &&
		give_addresses '' lo && prepare_folders && prepare_project || return
	over /etc/hosts <<-END
		127.0.0.1 localhost
		203.0.113.80 www.example.org
		203.0.113.66 www.doubleclick.net tracker.example malware.example casino.example violent.example
		203.0.113.25 mail.example.org
		203.0.113.81 moodle.school.example
		203.0.113.82 play.games.example
		10.20.0.10 intranet.school.example
		192.168.10.5 files.office.example
		192.0.2.9 data.lab.example
		203.0.113.80 moved.lab.example
	END
}

# A page at each target, on the usual port.
start_pages() {
	local computer
	for computer in "$DESK" "$WORLD"; do
		WEB_AT=$computer
		WEB_ALSO='listen 80; listen 25;'
		start_nginx 1000
	done
	echo 'a page' >"$WWW/index.html"
}

# ---- an example ----

install_example() {
	rm -rf /etc/socks5d/* /var/lib/socks5d/* && cp "$ROOT/conf/examples/$1"/* /etc/socks5d &&
		{ [[ ! -e /etc/socks5d/users ]] || install -m 600 /etc/socks5d/users /var/lib/socks5d; }
}

# Nothing is to be said about it but that.
is_good() {
	runs 'bin/socks5d -n -c /etc/socks5d/socks5d.conf' >"$TMP/good" 2>&1
	local status=$?
	cat "$TMP/good"
	((status == 0)) && [[ $(<"$TMP/good") == 'the configuration is good' ]]
}

# as_root COMMAND...: of the monitor's, as its first lines say.
as_root() {
	bounded "$HERE/bin/monitor_client" --socket "$SOCKET" "$@"
}

# Whose passwords the file has nobody knows.
gives_passwords() {
	local name
	for name; do
		as_root SET_PASSWORD "$name" - <<<secret || return
	done
}

# ---- requests ----

# in_hours 'DAYS HH:MM-HH:MM': is it now, in UTC? Days are a range of numbers, 1 for Monday.
in_hours() {
	local day now days=${1% *} hours=${1#* }
	day=$(date +%u)
	now=$(date +%H:%M)
	((day >= ${days%-*} && day <= ${days#*-})) && [[ ! $now < ${hours%-*} && $now < ${hours#*-} ]]
}

# asks CLIENT LOGIN URL: at its proxy, which is the first address of its network.
asks() {
	local proxy=192.168.1.1
	case $1 in
	10.*) proxy=$(cut -d . -f 1,2 <<<"$1").0.1 ;;
	192.*) proxy=${1%.*}.1 ;;
	esac
	bounded $DESK curl -q -sS --max-time 30 --interface "$1" \
		--proxy "socks5h://${2:+$2:secret@}$proxy:1080" "$3"
}

# gets VERDICT RULE CLIENT LOGIN URL: allow or deny, and the rule that decided.
gets() {
	mark_log
	if [[ $1 == allow ]]; then
		asks "${@:3}" >"$TMP/out" && grep -q '^a page$' "$TMP/out" &&
			logged "user=${4:-Anonymous}" "rule=$2" outcome=success
	else
		fails 97 '(2)' asks "${@:3}" && logged "user=${4:-Anonymous}" "rule=$2" outcome=fail
	fi
}

# At a border of the hours it is tried again.
gets_by_hour() {
	local hours=$1 was again
	for again in 1 2; do
		was=no
		! in_hours "$hours" || was=yes
		if [[ $was == yes ]]; then
			gets "$2" "$3" "${@:6}"
		else
			gets "$4" "$5" "${@:6}"
		fi && return
	done
	echo "$again times"
	return 1
}

login_of() {
	[[ $1 == - ]] || echo "$1"
}

# try_requests: a line each, VERDICT RULE CLIENT LOGIN URL; or what it is in some hours, and else:
# HOURS DAYS HH:MM-HH:MM VERDICT RULE VERDICT RULE CLIENT LOGIN URL. The login is - for none.
try_requests() {
	local line words
	while IFS= read -r line; do
		read -ra words <<<"$line"
		if [[ ${words[0]} == HOURS ]]; then
			check "$EXAMPLE:${line// /_}" gets_by_hour "${words[1]} ${words[2]}" "${words[@]:3:5}" \
				"$(login_of "${words[8]}")" "${words[9]}"
		else
			check "$EXAMPLE:${line// /_}" gets "${words[@]:0:3}" "$(login_of "${words[3]}")" "${words[4]}"
		fi
	done
}

# try_example NAME USER...: whose passwords are given anew. What is asked comes from standard input.
try_example() {
	EXAMPLE=$1
	install_example "$1" || die "no $1"
	check "$1:is_good" is_good
	check "$1:serves" serve "bin/socks5d -c /etc/socks5d/socks5d.conf --max-sessions 64 --monitor-socket $SOCKET"
	[[ -n ${SERVER:-} ]] || return
	[[ $# == 1 ]] || check "$1:has_users" gives_passwords "${@:2}"
	try_requests
}

prepare_host >"$TMP/host" 2>&1 || skip_all "a network of its own: $(tail -n 1 "$TMP/host")"
start_pages

try_example school teacher1 pupil07 pupil30 <<'END'
deny 1 10.20.8.17 - http://www.doubleclick.net/
deny 1 10.20.8.17 - http://tracker.example/
deny 1 10.20.2.9 teacher1 http://www.doubleclick.net/
deny 1 10.20.2.9 teacher1 http://203.0.113.66/
allow 2 10.20.8.17 teacher1 http://www.example.org/
allow 2 10.20.8.17 teacher1 http://203.0.113.80/
allow 3 10.20.2.9 - http://www.example.org/
deny 4 10.20.8.17 - http://203.0.113.80/
allow 5 10.20.8.17 - http://intranet.school.example/
deny 4 10.20.8.17 - http://10.20.0.20/
deny otherwise 10.20.8.17 - http://mail.example.org:25/
HOURS 1-5 07:30-16:30 allow 9 deny otherwise 10.20.8.17 - http://www.example.org/
HOURS 1-5 07:30-20:00 allow 8 deny otherwise 10.20.8.17 pupil07 http://www.example.org/
END
try_example office boss <<'END'
allow otherwise 192.168.10.33 - http://www.example.org/
allow 7 192.168.10.33 - http://192.168.10.5/
deny 6 192.168.10.33 - http://malware.example/
deny 8 192.168.10.33 - http://203.0.113.80/
deny 1 192.168.20.33 - http://www.example.org/
allow otherwise 192.168.20.33 boss http://www.example.org/
deny 2 192.168.20.33 boss http://files.office.example/
deny 3 192.168.20.33 boss http://mail.example.org:25/
deny 5 192.168.10.200 - http://www.example.org/
allow 4 192.168.10.200 - http://192.168.10.5/
END
try_example lab <<'END'
allow 3 10.30.4.7 - http://10.50.8.9/
allow 3 10.30.4.7 - http://data.lab.example/
deny otherwise 10.30.4.7 - http://moved.lab.example/
deny 2 10.30.4.7 - http://10.50.0.1/
allow 1 10.30.1.10 - http://10.50.0.1/
deny otherwise 10.30.1.10 - http://www.example.org/
deny protect:own 10.30.4.7 - http://10.30.0.1/
END
try_example family <<'END'
allow 1 192.168.1.31 - http://moodle.school.example/
allow otherwise 192.168.1.20 - http://casino.example/
allow otherwise 192.168.1.50 - http://www.example.org/
deny 6 192.168.1.50 - http://192.168.1.20/
END
check server_stops stop_socks5d
finish
