# shellcheck shell=bash disable=SC2034,SC2086 # variables are for the tests; NEIGHBOUR and DESK are words
# A host with a network and mounts of its own, beside lib.sh, which is to be read before: addresses,
# names and ports are the test's. Beside it there are computers that reach the host and nothing else.
# Whoever is not root is so in a namespace of users.
#
#	give_addresses 'ADDRESS/BITS...' lo		with the bits of their networks; the host has them itself
#	add_neighbour INTERFACE 'ADDRESS/BITS...' 'ADDRESS/BITS...'
#							a computer behind that interface: ours and its addresses;
#							NEIGHBOUR runs a command there
#	prepare_folders					/etc/socks5d, /var/lib/socks5d and /run, empty; before over
#	over FILE					standard input, in the place of that file of the host
#	prepare_project					HERE is a folder with bin and conf as after make
#	serve COMMAND					socks5d, in HERE, in the place of the one before
#	runs COMMAND, runs_at_desk COMMAND		in HERE, as a shell without a terminal; where the
#							neighbour DESK is

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

# What cannot be read, as while a process becomes another program, is none.
has_other_network() {
	local other
	other=$(readlink "/proc/$1/ns/net") && [[ $other != $(readlink /proc/self/ns/net) ]]
}

# give_addresses 'ADDRESS/BITS...' INTERFACE [COMMAND...]
give_addresses() {
	local address
	for address in $1; do
		"${@:3}" ip address add "$address" dev "$2" || return
	done
	"${@:3}" ip link set "$2" up
}

add_neighbour() {
	spawn unshare --net sleep 100000
	NEIGHBOUR="nsenter --net=/proc/$SPAWNED/ns/net"
	wait_for 30 has_other_network "$SPAWNED" &&
		ip link add "$1" type veth peer name ours netns "$SPAWNED" &&
		give_addresses "$2" "$1" && give_addresses '' lo $NEIGHBOUR &&
		give_addresses "$3" ours $NEIGHBOUR
}

# With all else that is there.
prepare_folders() {
	local folder
	mount -t tmpfs none /run || return
	for folder in etc var/lib; do
		mkdir -p "/run/$folder/upper" "/run/$folder/work" &&
			mount -t overlay overlay -o \
				"lowerdir=/$folder,upperdir=/run/$folder/upper,workdir=/run/$folder/work" "/$folder" &&
			rm -rf "/$folder/socks5d" && mkdir "/$folder/socks5d" || return
	done
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
	wait_for 60 serve_settled
	if gone "$SERVER"; then
		cat "$LOG"
		SERVER=
		return 1
	fi
	PROXY=127.0.0.1:1080
	MONITOR_PORT=8080
	mark_log
}

# It says so last.
serve_settled() {
	grep -q 'msg="try it: ' "$LOG" || gone "$SERVER"
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

