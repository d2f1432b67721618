# shellcheck shell=bash disable=SC2034 # variables are for the tests
# A server that has everything it can have, beside ../clients/lib.sh, and clients at each of its doors.
#
#	start_all_doors ARG...	start_socks5d with those flags; and whoever it needs, at the first time;
#				SERVER_BY may be a command that runs it
#				SERVER_PORT the port to serve on
#	doors [DOOR]...		doors.py on it: 0 all served, 1 some refused, 3 a wrong answer
#	take_stock		what the process has now: descriptors
#	same_stock		it has no more than then

# shellcheck source=tests/faults/short.sh
. "$(dirname "${BASH_SOURCE[0]}")/short.sh"

DOORS=$ROOT/tests/faults/doors.py
SESSIONS=32

# Another server, through which some requests go, and a name server that knows *.faults.test.
start_neighbours() {
	start_socks5d --protect none
	UPSTREAM=$PROXY
	UPSTREAM_PID=$SERVER
	start_dnsmasq --address=/faults.test/127.0.0.1 --address=/invalid/
}

doors_config() {
	cat <<-END
		listen = 127.0.0.1
		port = ${SERVER_PORT:-0}
		monitor_port = 0
		users_file = $1/users
		state_dir = $1/state
		access_log_file = $1/access.log
		log_file = $1/log
		monitor_socket = $1/monitor
		client_names = $1/names
		web_listen = 127.0.0.1:0
		protect = none
		auth = optional
		max_password_checks = 1
		proxy_protocol_from = 127.0.0.9/32
		upstream = other socks5://$UPSTREAM
		rule = via other to 127.0.0.4
		client_group = @room 127.0.0.0/8
		client_limits = @room sessions=500
		user_defaults = quota=50GB/month
		sites_days = 10
		access_log_entries = 20
		dns_servers = 127.0.0.1:$DNS_PORT
		dns_cache = 10
		max_sessions = $SESSIONS
	END
}

# prepare_doors FOLDER: what a server needs to have all of them.
prepare_doors() {
	mkdir -p "$1/state"
	echo '127.0.0.1 here' >"$1/names"
	doors_config "$1" >"$1/socks5d.conf"
}

# All of them, with the server's log in the folder.
start_all_doors() {
	[[ -n ${UPSTREAM:-} ]] || start_neighbours
	SERVERS=$((SERVERS + 1))
	HOUSE=$TMP/house$SERVERS
	LOG=$HOUSE/log
	STDERR=$TMP/socks5d-$SERVERS.err
	prepare_doors "$HOUSE"
	# shellcheck disable=SC2086 # a command's words
	spawn ${SERVER_BY:-} "$SOCKS5D" -c "$HOUSE/socks5d.conf" -u alice:secret "$@" 2>"$STDERR"
	SERVER=$SPAWNED
	wait_for 30 server_listens || die "socks5d does not listen: $(cat "$STDERR" "$LOG")"
	await_front
	MONITOR=$(sed -n 's/.* msg="monitor listening" address=\([^ ]*\).*/\1/p' "$LOG" | head -n 1)
	MONITOR_SOCKET=$HOUSE/monitor
	LOG_MARK=1
}

# shellcheck disable=SC2120 # all doors, where none is named
doors() {
	env PROXY="$PROXY" MONITOR="$MONITOR" FRONT="$FRONT" MONITOR_SOCKET="$MONITOR_SOCKET" NAMES=yes \
		python3 "$DOORS" "$@"
}

# ---- how the server is ----

lives() {
	! gone "$SERVER" || {
		echo 'the server has ended'
		cat "$STDERR"
		return 1
	}
}

# Processor time so far, in ticks of 10 ms.
ticks() {
	awk '{ print $14 + $15 }' "/proc/$SERVER/stat"
}

# With nothing to do it does next to nothing: not half of half a second.
stays_calm() {
	local before used
	before=$(ticks)
	sleep 0.5
	used=$(($(ticks) - before))
	((used < 25)) || {
		echo "it used $used ticks of 50 while there was nothing to do"
		return 1
	}
}

# What descriptors are, but for the numbers of sockets and pipes.
descriptors() {
	# shellcheck disable=SC2012 # the names of links are numbers
	ls -l "/proc/$SERVER/fd" | sed -n 's/.* -> //p' | sed 's/:\[[0-9]*\]//' | sort
}

# The resolver may keep an eventfd of one who asked for the next one.
take_stock() {
	{
		descriptors
		echo "anon_inode:[eventfd]"
	} | sort >"$TMP/stock"
}

has_stock() {
	descriptors >"$TMP/stock.now"
	[[ -z $(comm -13 "$TMP/stock" "$TMP/stock.now") ]]
}

same_stock() {
	wait_for 20 has_stock || {
		echo 'descriptors before and now:'
		diff "$TMP/stock" "$TMP/stock.now"
		return 1
	}
}

# The warnings and errors since mark_log, each with how often it came; numbers and addresses are N. (The bans are
# those that the administrator asks for.)
said() {
	tail -n "+$LOG_MARK" "$LOG" | sed -nE 's/^time=[^ ]* (level=(error|warn) .*)/\1/p' |
		grep -v ' msg="ban begun" ' | sed -E 's/[0-9.]+(:[0-9]+)?/N/g' | sort | uniq -c | sort -rn
}

# None of them comes again and again.
says_little() {
	local count what
	read -r count what < <(said)
	((${count:-0} <= 60)) || {
		echo "said too often: $count times $what"
		return 1
	}
}

all_served() {
	doors "$@" >"$TMP/doors.out"
}

# All are served, maybe after a pause that the server makes (an upstream that broke off rests for half
# a minute), with what it had before.
recovers() {
	wait_for 45 all_served && same_stock
}
