# shellcheck shell=bash disable=SC2034,SC2046,SC2086 # variables are for the tests; NEIGHBOUR is words
# Computers behind bad links, beside lib.sh and host.sh, which are to be read before.
#
#	add_link INTERFACE 'ADDRESS/BITS...' 'ADDRESS/BITS...'
#						as add_neighbour: a computer behind that interface, ours
#						and its addresses; NEIGHBOUR runs a command there
#	shape INTERFACE [FAULT=N...]		loss, duplicate and reorder in percent, delay in ms for
#						each way; without any the link is good
#	unplug INTERFACE			nothing comes through, and nobody is told
#	renew INTERFACE				another interface in its place, of the same name
#	LINK_KIND				what does it: netem or tun
#
# Where the kernel has netem it shapes both ends of a veth pair, else wire.py carries the packets.

SEED=${FAULT_SEED:-$RANDOM}
declare -A WIRES WIRE_IN WIRE_OUT PEERS OURS THEIRS

# Only the attempt tells: kernels without modules have it built in or not at all.
have_netem() {
	unshare --net bash -c 'ip link set lo up && tc qdisc add dev lo root netem delay 1ms' 2>/dev/null
}

have_tun() {
	[[ -r /dev/net/tun && -w /dev/net/tun ]]
}

choose_link_kind() {
	if [[ ${LINK_KIND:-netem} == netem ]] && command -v tc >/dev/null && have_netem; then
		LINK_KIND=netem
	elif have_tun; then
		LINK_KIND=tun
	else
		skip_all 'netem in the kernel, or /dev/net/tun'
	fi
}
choose_link_kind

# ---- by wire.py ----

# Its answer to the last line.
wire_answers() {
	local word
	read -r -t "$LIMIT" word <&"${WIRE_OUT[$1]}" && [[ $word == 'done' ]]
}

start_wire() {
	local into out
	rm -f "$TMP/wire-$1".*
	mkfifo "$TMP/wire-$1.in" "$TMP/wire-$1.out" || return
	exec {into}<>"$TMP/wire-$1.in" {out}<>"$TMP/wire-$1.out"
	WIRE_IN[$1]=$into
	WIRE_OUT[$1]=$out
	spawn "$PYTHON" "$ROOT/tests/faults/wire.py" "$1" "${PEERS[$1]}" ours "$SEED" \
		<"$TMP/wire-$1.in" >"$TMP/wire-$1.out" 2>"$TMP/wire-$1.err"
	WIRES[$1]=$SPAWNED
	wire_answers "$1"
}

stop_wire() {
	local into=${WIRE_IN[$1]} out=${WIRE_OUT[$1]}
	kill "${WIRES[$1]}"
	retire "${WIRES[$1]}"
	exec {into}>&- {out}>&-
}

# ---- by netem ----

# shape_end INTERFACE [COMMAND...]: by which the interface is reached.
shape_end() {
	local interface=$1 fault loss=0 duplicate=0 reorder=0 delay=0
	shift
	for fault in $SHAPE; do
		local "$fault"
	done
	# It refuses reordering without a delay that could be overtaken.
	((delay > 0)) || reorder=0
	"$@" tc qdisc replace dev "$interface" root netem limit 20000 delay "${delay}ms" \
		$( ((reorder == 0)) || echo "reorder $reorder%") loss "$loss%" duplicate "$duplicate%"
}

# ---- either ----

behind() {
	echo "nsenter --net=/proc/${PEERS[$1]}/ns/net"
}

join_ends() {
	if [[ $LINK_KIND == tun ]]; then
		start_wire "$1"
	else
		ip link add "$1" type veth peer name ours netns "${PEERS[$1]}"
	fi && give_addresses "${OURS[$1]}" "$1" && give_addresses "${THEIRS[$1]}" ours $(behind "$1")
}

add_link() {
	spawn unshare --net sleep 100000
	PEERS[$1]=$SPAWNED
	OURS[$1]=$2
	THEIRS[$1]=$3
	NEIGHBOUR=$(behind "$1")
	wait_for 30 has_other_network "$SPAWNED" && give_addresses '' lo $NEIGHBOUR && join_ends "$1"
}

renew() {
	if [[ $LINK_KIND == tun ]]; then
		stop_wire "$1"
	else
		ip link delete "$1"
	fi
	wait_for 30 gone_interface "$1" && join_ends "$1"
}

gone_interface() {
	! ip link show dev "$1" >/dev/null 2>&1
}

shape() {
	local interface=$1
	shift
	if [[ $LINK_KIND == tun ]]; then
		echo "$*" >&"${WIRE_IN[$interface]}" && wire_answers "$interface"
	else
		SHAPE="$*"
		shape_end "$interface" && shape_end ours $(behind "$interface")
	fi
}

unplug() {
	shape "$1" loss=100
}
