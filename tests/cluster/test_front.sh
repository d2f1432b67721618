#!/usr/bin/env bash
# The example of a cluster as its files have it: Redis, three nodes, HAProxy and keepalived in front, on
# a host of its own. HAProxy reaches the nodes by loopback addresses, in place of those in the files; its
# clients are computers of the network that the host is in. DNS and the script for browsers lead past
# HAProxy, to the very addresses that they name.
# shellcheck disable=SC2317,SC2119,SC2086 # called by check; DESK and WORLD are words

# shellcheck source=tests/clients/lib.sh
. "$(dirname "$0")/../clients/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/../clients/host.sh"

need curl nginx haproxy redis-server redis-cli openssl python3

EXAMPLE=$ROOT/conf/examples/cluster
CLIENT=$(realpath "${MONITOR_CLIENT:-$(dirname "$SOCKS5D")/monitor_client}")
SIZE=6000000
QUOTA=10000000
TARGET=203.0.113.80
FRONT_IP=10.40.0.10
PIDS=()
LOGS=()
AT=() # by node: a client's address that HAProxy leads there

# ---- the host ----

desk_addresses() {
	local n
	for n in {20..49}; do
		echo "10.40.7.$n/16"
	done
}

prepare_host() {
	add_neighbour eth0 '10.40.0.2/16 10.40.0.5/16 10.40.0.11/16 10.40.0.12/16 10.40.0.13/16' \
		"$(desk_addresses)" && DESK=$NEIGHBOUR &&
		add_neighbour world 203.0.113.1/24 "$TARGET/24" && WORLD=$NEIGHBOUR &&
		$WORLD ip route add 10.40.0.0/16 via 203.0.113.1 &&
		give_addresses '' lo && prepare_folders && mkdir -p /run/haproxy /etc/haproxy /etc/keepalived &&
		mount -t tmpfs none /etc/haproxy && mount -t tmpfs none /etc/keepalived
}

# The one who is root here is perhaps nobody outside, and then there are no other users.
is_root_outside() {
	[[ $(awk '{ print $3; exit }' /proc/self/uid_map) == 4294967295 ]]
}

# As the first lines of the files say, but for whose they are.
install_example() {
	cp "$EXAMPLE"/{socks5d.conf,users,shared_password} /etc/socks5d &&
		install -m 600 "$EXAMPLE/users" /var/lib/socks5d/users &&
		chmod 640 /etc/socks5d/shared_password &&
		cp "$EXAMPLE/haproxy.cfg" /etc/haproxy && install -m 644 "$EXAMPLE/keepalived.conf" /etc/keepalived &&
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -batch \
			-subj /CN=socks.campus.example -keyout "$TMP/key" -out "$TMP/cert" &&
		cat "$TMP/cert" "$TMP/key" >/etc/haproxy/socks.pem
}

# ---- the files, by the programs that they are for ----

# Nothing is to be said about it but that.
nodes_file_is_good() {
	"$SOCKS5D" -n -c /etc/socks5d/socks5d.conf >"$TMP/good" 2>&1
	local status=$?
	cat "$TMP/good"
	((status == 0)) && [[ $(<"$TMP/good") == 'the configuration is good' ]]
}

haproxy_file_is_good() {
	bounded haproxy -c -f /etc/haproxy/haproxy.cfg >"$TMP/good" 2>&1
	local status=$?
	cat "$TMP/good"
	((status == 0)) && ! grep -q WARNING "$TMP/good"
}

# It runs nothing for root that is not root's, which is who has the programs outside.
has_keepalived() {
	command -v keepalived >/dev/null && is_root_outside
}

keepalived_file_is_good() {
	bounded keepalived -t -i "$1" -f /etc/keepalived/keepalived.conf >"$TMP/good" 2>&1
	local status=$?
	cat "$TMP/good"
	((status == 0)) && [[ ! -s $TMP/good ]]
}

# The lines in a zone that has what each needs besides.
zone_is_good() {
	{
		echo '@ 3600 IN SOA ns hostmaster 1 3600 600 604800 60'
		echo '@ 3600 IN NS ns'
		echo 'ns 3600 IN A 10.40.0.53'
		cat "$EXAMPLE/socks.zone"
	} >"$TMP/zone" && bounded named-checkzone campus.example "$TMP/zone"
}

# script_says COMPUTER HOST: what proxy.pac answers there.
script_says() {
	"$PYTHON" - "$EXAMPLE/proxy.pac" "$@" <<-'END'
		import sys
		import pacparser
		script, computer, host = sys.argv[1:]
		pacparser.init()
		pacparser.setmyip(computer)
		pacparser.parse_pac_file(script)
		print(pacparser.find_proxy("http://%s/" % host, host))
		pacparser.cleanup()
	END
}

PYTHON=/usr/bin/python3 # which has the modules of the distribution

# Whichever is first, all are there, in the same order, by HTTP and then by SOCKS.
script_has_all_nodes() {
	local n first nodes got want seen=
	for n in {1..30}; do
		got=$(script_says "10.40.7.$n" www.example.org) || return
		first=$(sed -n 's/^PROXY 10\.40\.0\.1\([123]\):1080; .*/\1/p' <<<"$got")
		[[ -n $first ]] || { echo "$got" && return 1; }
		nodes=(11 12 13 11 12)
		nodes=("${nodes[@]:first - 1:3}")
		want=$(printf 'PROXY 10.40.0.%s:1080; ' "${nodes[@]}"; printf 'SOCKS5 10.40.0.%s:1080; ' "${nodes[@]}")
		[[ "$got; " == "$want" ]] || { echo "$got" && return 1; }
		seen+=$first
	done
	echo "first: $seen"
	[[ $seen == *1* && $seen == *2* && $seen == *3* ]]
}

script_leaves_ours_alone() {
	local host
	for host in intranet www.campus.example WWW.Campus.Example 10.1.2.3 192.168.1.1 172.16.9.9 127.0.0.1; do
		[[ $(script_says 10.40.7.20 "$host") == DIRECT ]] || { echo "$host" && return 1; }
	done
	for host in campus.example.org 172.32.0.1 10.example.org 203.0.113.80; do
		[[ $(script_says 10.40.7.20 "$host") == PROXY* ]] || { echo "$host" && return 1; }
	done
}

check_files() {
	local name
	check nodes_file_is_good nodes_file_is_good
	check haproxy_file_is_good haproxy_file_is_good
	for name in front1 front2; do
		if has_keepalived; then
			check "keepalived_file_is_good_for_$name" keepalived_file_is_good "$name"
		else
			skip "keepalived_file_is_good_for_$name" 'keepalived and root'
		fi
	done
	if command -v named-checkzone >/dev/null; then
		check zone_is_good zone_is_good
	else
		skip zone_is_good named-checkzone
	fi
	if "$PYTHON" -c 'import pacparser' 2>/dev/null; then
		check script_has_all_nodes script_has_all_nodes
		check script_leaves_ours_alone script_leaves_ours_alone
	else
		skip script python3-pacparser
	fi
}

# ---- the engine ----

redis() {
	redis-cli -h 10.40.0.5 --user admin --pass change-me-admin --no-auth-warning --raw "$@"
}

answers() {
	[[ $(redis PING 2>&1) == PONG ]]
}

start_engine() {
	sed -e "s,/var/lib/redis,$TMP," -e "s,/run/redis/,$TMP/," -e "s,/var/log/redis/,$TMP/," \
		"$EXAMPLE/redis.conf" >"$TMP/redis.conf"
	spawn redis-server "$TMP/redis.conf"
	wait_for "$LIMIT" answers || die "redis-server: $(tail "$TMP/redis-server.log")"
}

# Whatever the nodes have asked for was theirs to ask.
nothing_was_denied() {
	local denied
	denied=$(redis ACL LOG)
	echo "$denied"
	[[ -z $denied ]]
}

# ---- the nodes ----

loopback_of() {
	echo "127.0.0.$(($1 + 1))"
}

# The file as it is, but for where it is on a host with three of them.
node_config() {
	local n=$1 at
	at=$(loopback_of "$n")
	sed -e "s/^listen = .*/listen = $at, 10.40.0.1$n/" -e "s/^web_listen = .*/web_listen = $at/" \
		-e 's/^\(proxy_protocol_from\|web_trusted\) = .*/\1 = 127.0.0.1/' \
		-e 's/^clients = .*/&, 127.0.0.1/' \
		-e "s,/var/lib/socks5d,$TMP/node$n,g" "$EXAMPLE/socks5d.conf"
	echo "node_name = node$n"
	echo "udp_address = 10.40.0.1$n"
	echo "bind_address = 10.40.0.1$n"
}

start_node() {
	local n=$1
	mkdir -p "$TMP/node$n"
	[[ -e $TMP/node$n/users ]] || install -m 600 "$EXAMPLE/users" "$TMP/node$n/users"
	node_config "$n" >"$TMP/node$n.conf"
	LOG=$TMP/node$n.log
	spawn "$SOCKS5D" -c "$TMP/node$n.conf" --monitor-port 0 --monitor-socket "$TMP/monitor$n" \
		--max-sessions "${WORKERS:-200}" 2>>"$LOG"
	PIDS[n]=$SPAWNED
	LOGS[n]=$LOG
	wait_for "$LIMIT" node_answers "$n" || die "node$n: $(tail "$LOG")"
}

node_answers() {
	gone "${PIDS[$1]}" || on "$1" STATS >/dev/null 2>&1
}

on() {
	bounded "$CLIENT" --socket "$TMP/monitor$1" "${@:2}"
}

nodes_online() {
	[[ $(on "$1" NODES | grep -cE 'state:(here|online)') == "$2" ]]
}

knows_the_student() {
	on "$1" LIMITS student1 >/dev/null 2>&1
}

# One node is told, and all know.
a_user_is_added_for_all() {
	on 2 ADD_USER student1 secret && wait_for "$LIMIT" knows_the_student 1 &&
		wait_for "$LIMIT" knows_the_student 3
}

# What the engine is asked for is what the file lets the nodes do.
doctor_finds_nothing_lacking() {
	bounded "$SOCKS5D" -c "$TMP/node1.conf" --node-name another --doctor >"$TMP/doctor" 2>&1
	grep -E '^[a-z]+ +shared' "$TMP/doctor" >"$TMP/got"
	cat "$TMP/got"
	grep -q '^ok .* can be written to$' "$TMP/got" && ! grep '^bad' "$TMP/got"
}

# ---- HAProxy ----

haproxy_config() {
	local n
	sed -e 's/10\.40\.0\.11:/127.0.0.2:/' -e 's/10\.40\.0\.12:/127.0.0.3:/' \
		-e 's/10\.40\.0\.13:/127.0.0.4:/' -e 's/maxconn 8000/maxconn 500/' "$EXAMPLE/haproxy.cfg" |
		if is_root_outside; then cat; else sed '/^    \(user\|group\|chroot\) /d'; fi
}

start_haproxy() {
	haproxy_config >/etc/haproxy/haproxy.cfg
	spawn haproxy -db -f /etc/haproxy/haproxy.cfg 2>"$TMP/haproxy.log"
	HAPROXY=$SPAWNED
	wait_for "$LIMIT" ask_haproxy 'show info' >"$TMP/info" 2>&1 || die "haproxy: $(cat "$TMP/haproxy.log")"
}

ask_haproxy() {
	perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new("/run/haproxy/admin.sock") or exit 1;
		print $s "$ARGV[0]\n";
		print while <$s>;
	' "$1"
}

# haproxy_says NODE STATUS: a pattern for the field, by its own checks or by command.
# shellcheck disable=SC2053
haproxy_says() {
	[[ $(ask_haproxy 'show stat' | awk -F, -v node="node$1" '$1 == "socks" && $2 == node { print $18 }') == $2 ]]
}

all_up() {
	haproxy_says 1 UP && haproxy_says 2 UP && haproxy_says 3 UP
}

say_to_haproxy() {
	ask_haproxy "set server socks/node$1 state $2"
}

# ---- clients ----

# fetch ADDRESS [ARG...]: how much came, through HAProxy.
fetch() {
	bounded $DESK curl -q -sS --noproxy '' -o /dev/null -w '%{size_download}' --max-time 50 --interface "$1" \
		-x "socks5h://student1:secret@$FRONT_IP:1080" "${@:2}" "http://$TARGET/random.bin"
}

gets_all() {
	[[ $(fetch "$1" -r 0-99) == 100 ]]
}

is_refused() {
	! fetch "$1" -r 0-99 >/dev/null 2>&1
}

# node_of ADDRESS: where its newest session was.
node_of() {
	local n at=0 newest=
	for n in 1 2 3; do
		at=$(grep " client=$1:" "${LOGS[n]}" | tail -n 1 | cut -d ' ' -f 1)
		[[ -z $at || ! $at > $newest ]] || newest="$at $n"
	done
	echo "${newest##* }"
}

has_come_to() {
	[[ $(grep -c " msg=\"session ended\" .* client=$2:" "${LOGS[$1]}") -ge $3 ]]
}

# Of thirty addresses some come to each.
find_clients() {
	local n address
	for n in {20..49}; do
		address=10.40.7.$n
		gets_all "$address" || return
		wait_for "$LIMIT" came_somewhere "$address" || return
		AT[$(node_of "$address")]=$address
		[[ ${#AT[@]} != 3 ]] || return 0
	done
	return 1
}

came_somewhere() {
	grep -qs " client=$1:" "${LOGS[@]}"
}

addresses_stay_where_they_are() {
	local again n
	for again in 2 3 4; do
		for n in 1 2 3; do
			gets_all "${AT[n]}" && wait_for "$LIMIT" has_come_to "$n" "${AT[n]}" "$again" || return
		done
	done
}

# hold ADDRESS: a session that stays, whose client notices at once when it ends.
hold() {
	spawn $DESK curl -q -sS --noproxy '' -o /dev/null --interface "$1" \
		-x "socks5h://student1:secret@$FRONT_IP:1080" "http://$TARGET/slow/long.bin"
	HELD=$SPAWNED
}

is_connected_on() {
	on "$1" CONNECTIONS | grep -q "client:$2:.*target:$TARGET:80"
}

has_no_connections() {
	! on "$1" CONNECTIONS | grep -q "target:$TARGET"
}

connections_show_the_client() {
	local n status=0
	for n in 1 2 3; do
		hold "${AT[n]}"
		wait_for "$LIMIT" is_connected_on "$n" "${AT[n]}" || status=1
		stop "$HELD"
	done
	return "$status"
}

# ---- what is shared ----

used() {
	on "$1" LIMITS student1 | sed -n 's/.* used:\([0-9]*\) .*/\1/p'
}

all_have_used() {
	[[ $(used 1) == "$1" && $(used 2) == "$1" && $(used 3) == "$1" ]]
}

# All say the same, which is that much at least: heads of HTTP count, too.
are_equal() {
	local one
	one=$(used 1)
	((one >= $1)) && all_have_used "$one"
}

# Each waits until all have heard, else more is moved by what is carried in five seconds.
a_quota_is_one_for_all() {
	local one two three
	on 1 LIMITS student1 "quota=${QUOTA}B/month" && on 1 QUOTA student1 reset &&
		wait_for "$LIMIT" all_have_used 0 || return
	one=$(fetch "${AT[1]}")
	wait_for "$LIMIT" are_equal "$one" || return
	two=$(fetch "${AT[2]}" 2>/dev/null)
	wait_for "$LIMIT" are_equal "$QUOTA" || return
	three=$(fetch "${AT[3]}" 2>/dev/null)
	echo "$one + $two + $three of $QUOTA"
	((one == SIZE && two > 0 && one + two <= QUOTA && three == 0)) || return
	on 3 LIMITS student1 quota=none
}

is_banned_on() {
	on "$1" BANS | grep -q "client:$2 "
}

is_not_banned_on() {
	! is_banned_on "$@"
}

# leads_only_to NODE: the others are to get no new clients, as for an upgrade.
leads_only_to() {
	local n
	for n in 1 2 3; do
		if [[ $n == "$1" || $1 == all ]]; then
			say_to_haproxy "$n" ready
		else
			say_to_haproxy "$n" drain
		fi
	done
}

# By any other address HAProxy leads there.
refused_by_each() {
	local n
	for n in 1 2 3; do
		leads_only_to "$n"
		is_refused "$1" && gets_all "$2" || return
	done
}

a_ban_holds_on_each_node() {
	local banned=${AT[1]} status
	on 3 BAN "$banned" 1h && wait_for "$LIMIT" is_banned_on 1 "$banned" &&
		wait_for "$LIMIT" is_banned_on 2 "$banned" && refused_by_each "$banned" "${AT[2]}"
	status=$?
	leads_only_to all
	on 2 UNBAN "$banned" && wait_for "$LIMIT" is_not_banned_on 1 "$banned" && ((status == 0)) &&
		gets_all "$banned"
}

# ---- what needs the node itself ----

# talk WHAT NODE ARG...: at a client's computer; it reaches the node by its own address.
talk() {
	bounded $DESK "$PYTHON" "$ROOT/tests/cluster/front_client.py" "$1" "${AT[$2]}" "$FRONT_IP" "10.40.0.1$2" "${@:3}"
}

start_echo() {
	spawn $WORLD "$PYTHON" "$ROOT/tests/cluster/front_client.py" echo "$TARGET" >"$TMP/echo"
	wait_for "$LIMIT" test -s "$TMP/echo" || die 'no echo'
	ECHO_PORT=$(<"$TMP/echo")
}

datagrams_go_to_the_node() {
	talk udp "$1" "$TARGET" "$ECHO_PORT"
}

# The peer is told where to connect to by who has asked.
peers_come_to_the_node() {
	local asks
	spawn $DESK "$PYTHON" "$ROOT/tests/cluster/front_client.py" bind "${AT[$1]}" "$FRONT_IP" "10.40.0.1$1" \
		"$TARGET" >"$TMP/bound.$1"
	asks=$SPAWNED
	wait_for "$LIMIT" test -s "$TMP/bound.$1" &&
		bounded $WORLD "$PYTHON" "$ROOT/tests/cluster/front_client.py" peer "$TARGET" "10.40.0.1$1" \
			"$(<"$TMP/bound.$1")" &&
		retire "$asks"
}

# ---- nodes that end ----

restart_node() {
	start_node "$1" && wait_for "$LIMIT" all_up && wait_for "$LIMIT" nodes_online 1 3
}

# Nobody is to notice, from the first moment on.
keep_coming() {
	local n
	for n in {1..10}; do
		gets_all "$1" || return
	done
}

a_killed_node_is_passed_over() {
	kill -KILL "${PIDS[2]}"
	retire "${PIDS[2]}"
	keep_coming "${AT[2]}" && wait_for "$LIMIT" haproxy_says 2 'DOWN*' && keep_coming "${AT[2]}" &&
		wait_for "$LIMIT" nodes_online 1 2
}

is_back_at() {
	gets_all "${AT[$1]}" && has_come_to "$1" "${AT[$1]}" "$2"
}

# Its clients come back to it.
it_comes_back() {
	local before
	before=$(grep -c " msg=\"session ended\" .* client=${AT[2]}:" "${LOGS[2]}")
	restart_node 2 && wait_for "$LIMIT" is_back_at 2 $((before + 1))
}

# Its sessions end where it is found to be down, so that the clients come again.
a_stopped_node_is_taken_out() {
	local held status
	hold "${AT[3]}"
	held=$HELD
	wait_for "$LIMIT" is_connected_on 3 "${AT[3]}" || return
	kill -STOP "${PIDS[3]}"
	wait_for "$LIMIT" haproxy_says 3 'DOWN*' && wait_for "$LIMIT" gone "$held" && keep_coming "${AT[3]}"
	status=$?
	kill -CONT "${PIDS[3]}"
	retire "$held"
	((status == 0)) && wait_for "$LIMIT" all_up
}

is_draining() {
	[[ $(curl -q -s --max-time 10 "http://$(loopback_of "$1"):8081/healthz") == draining ]]
}

# New clients go elsewhere from the first moment on, those that are there stay, and no node was down.
a_node_that_stops_drains() {
	local held
	hold "${AT[1]}"
	held=$HELD
	wait_for "$LIMIT" is_connected_on 1 "${AT[1]}" || return
	kill -TERM "${PIDS[1]}"
	keep_coming "${AT[1]}" && wait_for "$LIMIT" haproxy_says 1 'NOLB*' && is_draining 1 &&
		keep_coming "${AT[1]}" && ! gone "$held" && is_connected_on 1 "${AT[1]}" || return
	stop "$held"
	retire "${PIDS[1]}" && restart_node 1
}

# ---- past HAProxy ----

# by_name: as a client that was told all addresses does, the first of which nobody answers at.
by_name() {
	bounded $DESK curl -q -sS --noproxy '' -o /dev/null -w '%{size_download}' --max-time 50 -r 0-99 \
		--interface "${AT[1]}" -x "socks5h://student1:secret@socks.campus.example:1080" \
		"http://$TARGET/random.bin"
}

# Of the zone, as resolvers would have them.
write_hosts() {
	{
		echo '127.0.0.1 localhost'
		sed -nE 's/^(socks)?[ \t]+60[ \t]+IN[ \t]+A[ \t]+([0-9.]+)$/\2 socks.campus.example/p' "$EXAMPLE/socks.zone"
	} >"$TMP/hosts"
	over /etc/hosts <"$TMP/hosts" && (($(grep -c socks.campus.example /etc/hosts) == 3))
}

a_name_with_all_nodes_leads_to_one_that_is_there() {
	write_hosts && [[ $(by_name) == 100 ]] || return
	kill -KILL "${PIDS[1]}"
	retire "${PIDS[1]}"
	[[ $(by_name) == 100 ]] && restart_node 1
}

# ---- pages ----

page_of() {
	bounded $DESK curl -q -sSk --noproxy '' --max-time 50 --connect-to "::$FRONT_IP:443" -o "$TMP/page" \
		-w '%{http_code}' "https://$1"
}

pages_are_served() {
	[[ $(page_of socks.campus.example/login) == 200 ]] && grep -qi '<form' "$TMP/page" &&
		[[ $(page_of node2.socks.campus.example/login) == 200 ]] &&
		[[ $(page_of elsewhere.example/login) == 421 ]]
}

# The script that the proxy itself has tells the address of all.
script_of_the_proxy_tells_the_name() {
	bounded $DESK curl -q -sS --noproxy '' --max-time 50 "http://$FRONT_IP:1080/proxy.pac" |
		tee "$TMP/got" | grep -q 'PROXY socks.campus.example:1080'
}

# ---- the address ----

has_front_address() {
	ip -o address show dev eth0 | grep -qF " $FRONT_IP/16 "
}

has_no_front_address() {
	! has_front_address
}

start_keepalived() {
	spawn keepalived --dont-fork --log-console --log-detail --vrrp --config-id front1 \
		--use-file /etc/keepalived/keepalived.conf --pid "$TMP/keepalived.pid" \
		--vrrp_pid "$TMP/vrrp.pid" >"$TMP/keepalived.log" 2>&1
	wait_for "$LIMIT" has_front_address || { tail -n 20 "$TMP/keepalived.log" && return 1; }
}

# Where HAProxy reaches no node, or is not there, the other machine is to have it.
the_address_goes_where_no_node_is_reached() {
	say_to_haproxy 1 maint && say_to_haproxy 2 maint && say_to_haproxy 3 maint &&
		wait_for "$LIMIT" has_no_front_address || return
	leads_only_to all
	wait_for "$LIMIT" has_front_address || return
	kill -KILL "$HAPROXY"
	retire "$HAPROXY"
	wait_for "$LIMIT" has_no_front_address && start_haproxy && wait_for "$LIMIT" all_up &&
		wait_for "$LIMIT" has_front_address && gets_all "${AT[1]}"
}

prepare_host >"$TMP/host" 2>&1 || skip_all "a network of its own: $(tail -n 1 "$TMP/host")"
install_example >"$TMP/host" 2>&1 || die "the example: $(tail -n 3 "$TMP/host")"
check_files
WEB_AT=$WORLD
WEB_ALSO='listen 80;'
start_nginx "$SIZE"
truncate -s 200M "$WWW/long.bin"
start_engine
for node in 1 2 3; do
	start_node "$node"
done
start_haproxy
if has_keepalived; then
	check keepalived_gives_the_address start_keepalived
	KEEPALIVED=yes
else
	skip keepalived_gives_the_address 'keepalived and root'
	KEEPALIVED=
	give_addresses "$FRONT_IP/16" eth0
fi
check nodes_are_up wait_for "$LIMIT" all_up
check nodes_find_each_other wait_for "$LIMIT" nodes_online 1 3
check a_user_is_added_for_all a_user_is_added_for_all
check doctor_finds_nothing_lacking doctor_finds_nothing_lacking
check clients_come_to_all_nodes find_clients
[[ ${#AT[@]} == 3 ]] || finish
check addresses_stay_where_they_are addresses_stay_where_they_are
check connections_show_the_client connections_show_the_client
check a_quota_is_one_for_all a_quota_is_one_for_all
check a_ban_holds_on_each_node a_ban_holds_on_each_node
start_echo
for node in 1 2 3; do
	check "datagrams_go_to_node$node" datagrams_go_to_the_node "$node"
	check "peers_come_to_node$node" peers_come_to_the_node "$node"
done
check pages_are_served pages_are_served
check script_of_the_proxy_tells_the_name script_of_the_proxy_tells_the_name
check a_killed_node_is_passed_over a_killed_node_is_passed_over
check it_comes_back it_comes_back
check a_stopped_node_is_taken_out a_stopped_node_is_taken_out
check a_node_that_stops_drains a_node_that_stops_drains
check a_name_with_all_nodes_leads_to_one_that_is_there a_name_with_all_nodes_leads_to_one_that_is_there
if [[ -n $KEEPALIVED ]]; then
	check the_address_goes_where_no_node_is_reached the_address_goes_where_no_node_is_reached
fi
check nothing_was_denied nothing_was_denied
finish
