# shellcheck shell=bash disable=SC2034,SC2317,SC2119 # variables are for the tests, functions are called by wait_for
# Shared by the tests of servers that share their state: an engine, which is a redis-server of the
# test's own, and nodes on 127.0.0.2, .3, .4..., all ended by the pid that they were started with.
#
#	. "$(dirname "$0")/nodes.sh"
#	add_user NAME [LIMIT...]	before the nodes start; the password is "secret"; in $TMP/users, or what USERS names
#	start_engine			on a unix socket; redis ARG... talks to it
#	start_engine_tcp		on a port, with a password; likewise
#	start_nodes [COUNT]		node1 to nodeCOUNT (3), with what NODE_FLAGS has
#	start_node N ARG...		sets PROXIES[N], PIDS[N], LOGS[N]; again: the same node anew; USERS, if
#					it is set, is its users file
#	on N COMMAND...			asks the node's monitor
#	fetch N USER ARG...		curl by way of that node; prints how many bytes came
#	run_traffic NAME ARG...		see traffic.py
#	try NAME COMMAND...		check, which shows what the command has measured
# shellcheck source=tests/clients/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../clients/lib.sh"

CLIENT=$(realpath "${MONITOR_CLIENT:-$(dirname "$SOCKS5D")/monitor_client}")
PROXIES=()
PIDS=()
LOGS=()
CLUSTER=$ROOT/tests/cluster
declare -A TRAFFIC TRAFFIC_IN
NODES=3 # how many were started
NODE_FLAGS=()

# ---- the engine ----

redis() {
	redis-cli "${ENGINE_AT[@]}" --raw "$@"
}

engine_answers() {
	[[ $(redis PING 2>&1) == PONG ]]
}

# run_engine ARG...: with nothing on disk but what ARG says.
run_engine() {
	spawn redis-server --save '' --appendonly no --daemonize no --dir "$TMP" "$@" >>"$TMP/redis.log"
	ENGINE=$SPAWNED
	wait_for "$LIMIT" engine_answers || die "redis-server: $(tail "$TMP/redis.log")"
}

start_engine() {
	ENGINE_AT=(-s "$TMP/redis.sock")
	SHARED=unix:$TMP/redis.sock
	run_engine --port 0 --unixsocket "$TMP/redis.sock" "$@"
}

# The password is in ENGINE_PASSWORD's file. Started again, it has the port that it had.
start_engine_tcp() {
	ENGINE_PORT=${ENGINE_PORT:-$(free_port)}
	ENGINE_PASSWORD=$TMP/engine.password
	[[ -s $ENGINE_PASSWORD ]] || (umask 077 && openssl rand -hex 16 >"$ENGINE_PASSWORD")
	ENGINE_AT=(-h 127.0.0.1 -p "$ENGINE_PORT" --no-auth-warning -a "$(<"$ENGINE_PASSWORD")")
	SHARED=redis://127.0.0.1:$ENGINE_PORT/0
	run_engine --port "$ENGINE_PORT" --bind 127.0.0.1 --requirepass "$(<"$ENGINE_PASSWORD")" "$@"
}

kill_engine() {
	kill -KILL "$ENGINE"
	retire "$ENGINE" 2>/dev/null
	true
}

# ---- the nodes ----

# One hash for all, which is made once.
add_user() {
	USER_HASH=${USER_HASH:-$(openssl passwd -6 secret)} || die openssl
	(umask 077 && echo "$1:$USER_HASH:user:${*:2}" >>"$TMP/users")
}

start_node() {
	local n=$1 LISTEN=127.0.0.$(($1 + 1))
	mkdir -p "$TMP/state$n"
	start_socks5d --state-dir "$TMP/state$n" -U "${USERS:-$TMP/users}" --auth required --shared "$SHARED" \
		--node-name "node$n" --monitor-socket "$TMP/monitor$n" "${NODE_FLAGS[@]}" "${@:2}"
	PROXIES[n]=$PROXY
	PIDS[n]=$SERVER
	LOGS[n]=$LOG
}

start_nodes() {
	local n
	NODES=${1:-3}
	for ((n = 1; n <= NODES; n++)); do
		start_node "$n"
	done
}

kill_node() {
	kill -KILL "${PIDS[$1]}"
	retire "${PIDS[$1]}" 2>/dev/null
	true
}

on() {
	bounded "$CLIENT" --socket "$TMP/monitor$1" "${@:2}"
}

# on_all COMMAND...: the command has the node's number as its last argument.
on_all() {
	local n
	for ((n = 1; n <= NODES; n++)); do
		"$@" "$n" || return
	done
}

# nodes_online COUNT [N]: as node N (1) sees it.
nodes_online() {
	[[ $(on "${2:-1}" NODES | grep -cE 'state:(here|online)') == "$1" ]]
}

all_see() {
	nodes_online "$1" "$2"
}

# ---- what they say ----

# used N USER: what it has used of its quota on all nodes, as node N knows.
used() {
	on "$1" LIMITS "$2" | sed -n 's/.* used:\([0-9]*\) .*/\1/p'
}

says_used() {
	[[ $(used "$3" "$1") == "$2" ]]
}

# all_say USER BYTES: and no other number on any node.
all_say() {
	on_all says_used "$1" "$2"
}

# are_equal USER [LEAST]
are_equal() {
	local one
	one=$(used 1 "$1")
	((one >= ${2:-0})) && all_say "$1" "$one"
}

# running N USER: the sessions that node N itself has of it.
running() {
	on "$1" LIMITS "$2" | sed -n 's/.* running:\([0-9]*\).*/\1/p'
}

is_banned_on() {
	on "$1" BANS | grep -q "client:$2 "
}

is_not_banned_on() {
	! is_banned_on "$@"
}

is_alarmed() {
	on "$1" ALARMS | grep -q 'alarm:shared level:error'
}

is_calm() {
	! is_alarmed "$1"
}

all_are_calm() {
	on_all is_calm
}

# ---- clients ----

# fetch N USER ARG...: however it ends.
fetch() {
	bounded curl -q -sS --noproxy '' -o /dev/null -w '%{size_download}' \
		-x "socks5h://$2:secret@${PROXIES[$1]}" "${@:3}" "http://$WEB/random.bin" 2>/dev/null
	true
}

# traffic ARG...: see traffic.py.
traffic() {
	bounded python3 "$CLUSTER/traffic.py" "$@"
}

# run_python NAME PROGRAM ARG...: in the background, its output in $TMP/NAME, told by tell NAME TEXT. The
# child opens its end of the pipe itself, since whoever is first waits for the other.
run_python() {
	local name=$1 fd
	rm -f "$TMP/$name.in"
	mkfifo "$TMP/$name.in"
	# shellcheck disable=SC2016 # the words are the shell's that is started
	spawn bash -c 'exec python3 "${@:2}" <"$1"' python3 "$TMP/$name.in" "$CLUSTER/$2" "${@:3}" \
		>"$TMP/$name" 2>"$TMP/$name.err"
	TRAFFIC[$name]=$SPAWNED
	exec {fd}>"$TMP/$name.in"
	TRAFFIC_IN[$name]=$fd
}

# Until end_traffic NAME, which prints the last line.
run_traffic() {
	run_python "$1" traffic.py "${@:2}"
}

tell() {
	echo "$2" >&"${TRAFFIC_IN[$1]}"
}

end_traffic() {
	local name=$1 fd=${TRAFFIC_IN[$1]} status=0
	gone "${TRAFFIC[$name]}" || tell "$name" end
	exec {fd}>&-
	retire "${TRAFFIC[$name]}" || status=$?
	tail -n 1 "$TMP/$name"
	cat "$TMP/$name.err"
	return "$status"
}

# says NAME TEXT: the last line of that traffic begins so.
says() {
	[[ $(tail -n 1 "$TMP/$1") == "$2"* ]]
}

# field NAME WORD: the number behind the word in its last line.
field() {
	tail -n 1 "$TMP/$1" | sed -n "s/.*\\<$2 \\([0-9.]*\\).*/\\1/p"
}

# ---- sessions that go on ----

# Whoever waited for the engine would do so for the 100 ms that a command may take.
SLOWER=5 # milliseconds that a login is to take longer at most while the engine is away, in the median
BUSY=50  # that a busy machine may add

# most_without BEFORE: microseconds that a login may take then, which took BEFORE.
most_without() {
	echo $(($1 + (SLOWER + BUSY) * 1000))
}

# Of LOGINS logins, in microseconds.
median() {
	local ms
	ms=$(traffic logins carol "$LOGINS" "${PROXIES[@]}") || return
	echo $((10#${ms/./}))
}

is_alarmed_everywhere() {
	on_all is_alarmed
}

# None of the SESSIONS of the traffic "load" has ended, and no byte was another one.
all_live() {
	says load "live $SESSIONS " && [[ $(field load wrong) == 0 ]]
}

# ---- what was measured ----

# A line that try shows whether the check passes or not.
measured() {
	echo "# $*" >>"$TMP/measured"
}

try() {
	: >"$TMP/measured"
	check "$@"
	cat "$TMP/measured"
}

# Milliseconds of a clock that is never set.
now_ms() {
	local up
	read -r up _ </proc/uptime
	echo "${up/./}0"
}
