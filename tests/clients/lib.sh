# shellcheck shell=bash disable=SC2034,SC2120 # variables and arguments are for the tests
# Shared by the tests with real clients: a temporary folder, processes that are ended by the pid
# they were started with, socks5d and nginx on free loopback ports, checks and their summary.
#
#	. "$(dirname "$0")/lib.sh"
#	need curl nginx			exit 77 when one is missing
#	start_nginx [BYTES]		sets WEB, WEB6, WWW
#	start_socks5d ARG...		sets PROXY, SERVER, LOG
#	await_front			sets FRONT, where browsers are served
#	check NAME COMMAND...		ok NAME / not ok NAME and why
#	skip NAME WHAT			skipped: NAME (needs WHAT)
#	finish				N passed, N failed, N skipped
#
# Nothing here depends on how long something takes: what is waited for is an event, and every wait
# has an end that only a failure reaches.

set -u
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
unset http_proxy https_proxy ftp_proxy all_proxy no_proxy
unset HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY
exec </dev/null

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SOCKS5D=$(realpath "${SOCKS5D:-$ROOT/bin/socks5d}")
# LeakSanitizer cannot stop the threads of a server that is confined. The tests in C, which run such a
# build without its sandbox, look for leaks.
! grep -q __asan_init "$SOCKS5D" || export ASAN_OPTIONS=detect_leaks=0
LIMIT=60 # seconds that one command may take

NAME=$(realpath "$0")
NAME=${NAME##*/tests/} # as tests/run.sh calls it
PASSED=0
FAILED=0
SKIPPED=0
OWNED=() # indexed by pid: the processes that were started here and not yet waited for
SERVERS=0
LISTEN=127.0.0.1
LOG=
LOG_MARK=1

# ---- processes ----

# Runs in the background with the caller's standard files; the pid is in SPAWNED.
spawn() {
	"$@" <&0 &
	SPAWNED=$!
	OWNED[SPAWNED]=$1
}

# Runs with an end after LIMIT seconds. Waiting for it can be interrupted: Ctrl-C works at once.
bounded() {
	local pid status=0
	spawn timeout -k 5 "$LIMIT" "$@"
	pid=$SPAWNED
	wait "$pid" || status=$?
	unset "OWNED[pid]"
	return "$status"
}

# Tries a command until it succeeds, for at most so many seconds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# The exit status of a process that is about to end by itself.
retire() {
	local pid=$1 status=0
	wait_for "$LIMIT" gone "$pid" || kill -KILL "$pid"
	wait "$pid" || status=$?
	unset "OWNED[pid]"
	return "$status"
}

stop() {
	kill -TERM "$1" 2>/dev/null
	retire "$1"
}

# Also of what has just been started, when there was no time to note it.
cleanup() {
	local pid
	trap - EXIT
	for pid in $(jobs -pr); do
		OWNED[pid]=${OWNED[pid]:-job}
	done
	for pid in "${!OWNED[@]}"; do
		kill -TERM "$pid" 2>/dev/null
	done
	LIMIT=10
	for pid in "${!OWNED[@]}"; do
		retire "$pid" 2>/dev/null
	done
	rm -rf "$TMP"
}

TMP=$(mktemp -d "${TMPDIR:-/tmp}/socks5d-clients.XXXXXX") || exit 1
export HOME=$TMP # no one's .curlrc, .gitconfig and the like
trap cleanup EXIT
# A second signal, such as timeout(1) passes on beside the one that the terminal has sent to all, is not
# to end the cleaning up.
trap "trap '' HUP INT TERM; exit 129" HUP
trap "trap '' HUP INT TERM; exit 130" INT
trap "trap '' HUP INT TERM; exit 143" TERM

# ---- checks ----

need() {
	local program
	for program; do
		command -v "$program" >/dev/null || skip_all "$program"
	done
	[[ -x $SOCKS5D ]] || die "no $SOCKS5D: run make first"
}

# The whole test, for want of $1.
skip_all() {
	echo "skipped: $NAME (needs $1)"
	exit 77
}

# Netcat has many namesakes; NC is OpenBSD's.
need_openbsd_nc() {
	NC=$(command -v nc.openbsd || command -v nc) || skip_all "nc"
	"$NC" -h 2>&1 | grep -q 'OpenBSD netcat' || skip_all "OpenBSD's netcat, which $NC is not"
}

check() {
	local name=$1 status=0
	shift
	"$@" >"$TMP/check.out" 2>&1 || status=$?
	if ((status == 0)); then
		PASSED=$((PASSED + 1))
		echo "ok $name"
		return
	fi
	FAILED=$((FAILED + 1))
	echo "not ok $name: status $status of: $*"
	head -n 20 "$TMP/check.out" | sed 's/^/    /'
	[[ -z $LOG ]] || tail -n 4 "$LOG" | sed 's/^/    log: /'
}

skip() {
	SKIPPED=$((SKIPPED + 1))
	echo "skipped: $NAME $1 (needs $2)"
}

die() {
	echo "not ok $*"
	FAILED=$((FAILED + 1))
	finish
}

# For run.sh, CLIENTS_TALLY names a file that gets the three counts.
finish() {
	[[ -z ${CLIENTS_TALLY:-} ]] || echo "$PASSED $FAILED $SKIPPED" >>"$CLIENTS_TALLY"
	echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
	((FAILED == 0))
	exit
}

# fails STATUS TEXT COMMAND...: the command fails with that status (any: with whatever status but
# the time limit's), and TEXT is in what it prints.
fails() {
	local want=$1 text=$2 status=0
	shift 2
	"$@" >"$TMP/fails.out" 2>&1 || status=$?
	cat "$TMP/fails.out"
	echo "(status $status, expected $want and: $text)"
	((status != 0 && status != 124 && status != 137)) || return 1
	[[ $want == any || $want == "$status" ]] || return 1
	[[ -z $text ]] || grep -qF -- "$text" "$TMP/fails.out"
}

digest() {
	sha256sum <"$1"
}

same_digest() {
	local a b
	a=$(digest "$1")
	b=$(digest "$2")
	[[ $a == "$b" ]] || {
		echo "$1: $(stat -c %s "$1") bytes, $a"
		echo "$2: $(stat -c %s "$2") bytes, $b"
		return 1
	}
}

random_file() {
	head -c "$2" /dev/urandom >"$1"
}

have_ipv6() {
	grep -qs '^00000000000000000000000000000001 ' /proc/net/if_inet6
}

# ---- ports ----

# A port below those that the kernel gives to outgoing connections, and that nobody answers on.
# Only binding it tells for sure: whoever cannot tries another one.
free_port() {
	local port
	while :; do
		port=$((10000 + RANDOM % 22000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
		(exec 3<>"/dev/tcp/::1/$port") 2>/dev/null && continue
		echo "$port"
		return
	done
}

# ---- socks5d ----

# The log is standard error, or what --log-file names. WORKERS is how many sessions it serves
# at once, LISTEN its address, NAME_SERVER whom it asks: as it comes, nothing answers there.
start_socks5d() {
	local arg previous=
	SERVERS=$((SERVERS + 1))
	LOG=$TMP/socks5d-$SERVERS.log
	STDERR=$LOG
	for arg; do
		[[ $previous != --log-file ]] || LOG=$arg
		previous=$arg
	done
	spawn "$SOCKS5D" -l "$LISTEN" -p 0 --monitor-port 0 --max-sessions "${WORKERS:-200}" \
		--dns-servers "${NAME_SERVER:-127.0.0.1:$(free_port)}" "$@" 2>"$STDERR"
	SERVER=$SPAWNED
	wait_for 30 server_listens || {
		cat "$STDERR"
		die "socks5d does not listen: $*"
	}
	LOG_MARK=1
}

server_listens() {
	gone "$SERVER" && die "socks5d ended: $(cat "$STDERR")"
	PROXY=$(listening_on "${LISTEN//./\\.}:[0-9]*")
	[[ -n $PROXY ]]
}

# The first address of that form which the server says it listens on, in whichever log_format.
listening_on() {
	[[ -r $LOG ]] || return
	sed -nE -e "s/.* msg=listening address=($1)( .*)?$/\1/p" \
		-e "s/.*\"msg\":\"listening\",\"address\":\"($1)\".*/\1/p" "$LOG" | head -n 1
}

# Where --web-listen has browsers served: FRONT.
await_front() {
	wait_for 30 front_listens || die "no web listening in the log: $(cat "$LOG")"
}

front_listens() {
	FRONT=$(sed -n 's/.* msg="web listening" address=\([^ ]*\).*/\1/p' "$LOG" | head -n 1)
	[[ -n $FRONT ]]
}

# Ends with status 0, and a sanitizer had nothing to say.
stop_socks5d() {
	local status=0
	stop "$SERVER" || status=$?
	! grep -E '(ERROR|WARNING): .*Sanitizer|runtime error:' "$STDERR" || return 1
	return "$status"
}

# From here on, logged sees only what is written from now on.
mark_log() {
	LOG_MARK=$(($(wc -l <"$LOG") + 1))
}

# Prints the sessions that ended since mark_log and have all these fields.
sessions() {
	local line want
	while IFS= read -r line; do
		[[ $line == *' msg="session ended" '* ]] || continue
		for want; do
			[[ " $line " == *" $want "* ]] || continue 2
		done
		printf '%s\n' "$line"
	done < <(tail -n "+$LOG_MARK" "$LOG")
}

session_ended() {
	[[ -n $(sessions "$@") ]]
}

# The client may be done a moment before the server says so.
logged() {
	wait_for 15 session_ended "$@" || {
		echo "no session with $* in the log"
		return 1
	}
}

# ---- nginx ----

# start_nginx [BYTES]: serves WWW on one port of 127.0.0.1 (WEB) and, where there is IPv6, [::1]
# (WEB6, else empty). page.txt is small, random.bin has 100 MB or so many bytes; /once/ ends each
# connection after one answer, /slow/ has the files of / at 200 kB a second, /put/ takes uploads.
# WEB_ALSO may have more lines for its configuration, and WEB_AT a command that runs it.
start_nginx() {
	local tries
	WWW=$TMP/www
	mkdir -p "$WWW/once" "$WWW/put" "$TMP/nginx"
	echo "served by nginx, process $$" >"$WWW/page.txt"
	[[ -e $WWW/random.bin ]] || random_file "$WWW/random.bin" "${1:-100000000}"
	for tries in {1..20}; do
		try_nginx "$(free_port)" && return
		retire "$NGINX"
	done
	die "nginx does not start after $tries tries: $(cat "$TMP/nginx/log")"
}

try_nginx() {
	WEB_PORT=$1
	WEB=127.0.0.1:$1
	WEB6=
	! have_ipv6 || WEB6="[::1]:$1"
	rm -f "$TMP/nginx/pid"
	nginx_config >"$TMP/nginx/nginx.conf"
	# shellcheck disable=SC2086 # a command's words
	spawn ${WEB_AT:-} nginx -p "$TMP/nginx" -c "$TMP/nginx/nginx.conf" 2>"$TMP/nginx/log"
	NGINX=$SPAWNED
	wait_for 30 nginx_settled
	[[ -s $TMP/nginx/pid ]]
}

# The pid file is written once all ports are bound; a collision ends the process.
nginx_settled() {
	[[ -s $TMP/nginx/pid ]] || gone "$NGINX"
}

nginx_has_dav() {
	nginx -V 2>&1 | grep -q http_dav_module
}

# One process: killing the pid that was started is all it takes.
nginx_config() {
	cat <<-END
		$( ((EUID == 0)) && echo 'user root;') # the only one there is in a namespace of users
		daemon off;
		master_process off;
		pid $TMP/nginx/pid;
		error_log stderr warn;
		events {
			worker_connections 1000;
		}
		http {
			access_log off;
			default_type application/octet-stream;
			sendfile on;
			client_max_body_size 0;
			client_body_temp_path $TMP/nginx/body;
			proxy_temp_path $TMP/nginx/proxy;
			fastcgi_temp_path $TMP/nginx/fastcgi;
			uwsgi_temp_path $TMP/nginx/uwsgi;
			scgi_temp_path $TMP/nginx/scgi;
			server {
				listen $WEB;
				${WEB6:+listen $WEB6;}
				${WEB_ALSO:-}
				root $WWW;
				location /once/ {
					keepalive_timeout 0;
				}
				location /site/ {
					types {
						text/html html;
						text/javascript js;
					}
				}
				location /slow/ {
					alias $WWW/;
					limit_rate 200k;
				}
				location /put/ {
					$(nginx_has_dav && echo 'dav_methods PUT;')
				}
			}
		}
	END
}

# ---- a name server ----

# start_dnsmasq ARG...: dnsmasq on 127.0.0.1 and ::1, which knows host.test: DNS_PORT, and what it
# answers: DNS_HOST, DNS_HOST6.
start_dnsmasq() {
	local attempt
	DNS_HOST=192.0.2.7
	DNS_HOST6=2001:db8::7
	for attempt in 1 2 3 4 5; do
		DNS_PORT=$(free_port)
		spawn dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
			--bind-interfaces --listen-address=127.0.0.1 --listen-address=::1 \
			--port="$DNS_PORT" --user="$(id -un)" --pid-file= --log-facility=- \
			--host-record="host.test,$DNS_HOST,$DNS_HOST6" "$@" 2>"$TMP/dnsmasq.err"
		DNSMASQ=$SPAWNED
		wait_for 30 dnsmasq_settled
		gone "$DNSMASQ" || return 0
	done
	die "dnsmasq does not start: $(cat "$TMP/dnsmasq.err") ($attempt attempts)"
}

# It says so when it has bound its ports.
dnsmasq_settled() {
	grep -q 'started' "$TMP/dnsmasq.err" || gone "$DNSMASQ"
}

# ---- far sides without a protocol ----

# far_side ADDRESS ARG...: nc listens on a port that the kernel chooses, FAR_PORT, with the caller's
# standard input and output, and ends when the other side has finished. Its pid is FAR.
far_side() {
	local address=$1
	shift
	spawn "$NC" -nlv "$@" "$address" 0 2>"$TMP/far.err"
	await_far_side
}

# far_side_runs ADDRESS COMMAND...: the same, but COMMAND has the connection as its standard input
# and output, as under inetd, and so may still answer when the other side has finished.
far_side_runs() {
	# shellcheck disable=SC2016 # the variables are perl's
	spawn perl -MSocket -e '
		my $address = shift;
		my $v6 = $address =~ /:/;
		socket(my $listener, $v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0) or die "socket: $!";
		bind($listener, $v6 ? pack_sockaddr_in6(0, Socket::inet_pton(AF_INET6, $address))
			: pack_sockaddr_in(0, inet_aton($address))) or die "bind: $!";
		listen($listener, 1) or die "listen: $!";
		my $name = getsockname($listener);
		my ($port) = $v6 ? unpack_sockaddr_in6($name) : unpack_sockaddr_in($name);
		print STDERR "Listening on $address $port\n";
		accept(my $peer, $listener) or die "accept: $!";
		open(STDIN, "<&", $peer) or die "stdin: $!";
		open(STDOUT, ">&", $peer) or die "stdout: $!";
		exec @ARGV;
	' "$@" 2>"$TMP/far.err"
	await_far_side
}

await_far_side() {
	FAR=$SPAWNED
	wait_for 30 far_side_settled
	[[ -n $FAR_PORT ]] || {
		cat "$TMP/far.err"
		return 1
	}
}

far_side_settled() {
	FAR_PORT=$(sed -n 's/^Listening on [^ ]* \([0-9][0-9]*\)$/\1/p' "$TMP/far.err")
	[[ -n $FAR_PORT ]] || gone "$FAR"
}

# Bounded, and by no proxy of the environment's. Tests in which it runs elsewhere have one of their own.
run_curl() {
	bounded curl -q -sS --noproxy '' --max-time 50 "$@"
}

# gets_page TARGET ARG...: run_curl gets the right page, and the log
# tells of a session to TARGET.
gets_page() {
	local target=$1
	shift
	mark_log
	run_curl -o "$TMP/got" "$@" && cmp "$TMP/got" "$WWW/page.txt" &&
		logged "target=$target" outcome=success
}
