# shellcheck shell=bash disable=SC2034,SC2086 # variables are for the tests; DESK is words
# A host with a network and mounts of its own, beside lib.sh, which is to be read before: addresses,
# names and ports are the test's. Beside it there is another computer, which reaches the host and
# nothing else. Whoever is not root is so in a namespace of users.
#
#	prepare_networks INNER OUTER OTHER		lists of addresses, with the bits of their networks: of
#							the host on this network and beyond, and of the other
#							computer, where DESK runs a command
#	over FILE					standard input, in the place of that file of the host
#	prepare_project					HERE is a folder with bin and conf as after make
#	serve COMMAND					socks5d, in HERE, in the place of the one before
#	runs COMMAND, runs_at_desk COMMAND		in HERE, as a shell without a terminal

for flags in '--net --mount' '--net --mount --user --map-root-user'; do
	if [[ -z ${OWN_HOST:-} ]] && unshare $flags true 2>/dev/null; then
		rm -rf "$TMP"
		OWN_HOST=yes exec unshare $flags bash "$0"
	fi
done
[[ -n ${OWN_HOST:-} ]] || skip_all 'namespaces of its own'
need ip mount nsenter

HERE=$TMP/here
DESK=

over() {
	local file=$TMP/over${1//\//-}
	cat >"$file" && mount --bind "$file" "$1"
}

has_other_network() {
	[[ $(readlink "/proc/$1/ns/net") != $(readlink /proc/self/ns/net) ]]
}

# give_addresses 'ADDRESS/BITS...' INTERFACE [COMMAND...]
give_addresses() {
	local address
	for address in $1; do
		"${@:3}" ip address add "$address" dev "$2" || return
	done
	"${@:3}" ip link set "$2" up
}

prepare_networks() {
	spawn unshare --net sleep 100000
	DESK="nsenter --net=/proc/$SPAWNED/ns/net"
	wait_for 30 has_other_network "$SPAWNED" && give_addresses "$2" lo &&
		ip link add office type veth peer name desk netns "$SPAWNED" &&
		give_addresses "$1" office && give_addresses '' lo $DESK && give_addresses "$3" desk $DESK
}

# What make leaves behind.
prepare_project() {
	mkdir -p "$HERE/bin" && ln -s "$ROOT/conf" "$HERE" &&
		ln -s "$SOCKS5D" "$HERE/bin/socks5d" &&
		ln -s "$(dirname "$SOCKS5D")/monitor_client" "$HERE/bin/monitor_client"
}

# ---- the server ----

# serve COMMAND: in the place of the one before.
serve() {
	[[ -z ${SERVER:-} ]] || stop_socks5d || return
	SERVERS=$((SERVERS + 1))
	LOG=$TMP/socks5d-$SERVERS.log
	STDERR=$LOG
	spawn bash -c "cd '$HERE' && exec $1" 2>"$LOG"
	SERVER=$SPAWNED
	wait_for 60 serves || {
		cat "$LOG"
		SERVER=
		return 1
	}
	PROXY=127.0.0.1:1080
	MONITOR_PORT=8080
	mark_log
}

# It says so last.
serves() {
	gone "$SERVER" || grep -q 'msg="try it: ' "$LOG"
}

# runs COMMAND: as a shell on the host would, in that folder, without a terminal, with the caller's
# standard input.
runs() {
	bounded setsid -w bash -c "cd '$HERE' && $1"
}

# The same on the other computer.
runs_at_desk() {
	bounded setsid -w $DESK bash -c "cd '$HERE' && $1"
}

