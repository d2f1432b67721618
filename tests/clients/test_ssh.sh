#!/usr/bin/env bash
# ssh to an own sshd through socks5d, by OpenBSD netcat as the proxy command: a command, and files
# both ways.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/servers.sh
. "$(dirname "$0")/servers.sh"

need ssh ssh-keygen scp sshd
need_openbsd_nc

SIZE=20000000
ADDRESS=127.0.0.1

ssh_config() {
	cat <<-END
		Host far
			HostName $ADDRESS
			Port $SSH_PORT
			User $(id -un)
			ProxyCommand $NC -X 5 -x $PROXY %h %p
			IdentityFile $TMP/user_key
			IdentitiesOnly yes
			IdentityAgent none
			UserKnownHostsFile $TMP/known_hosts
			GlobalKnownHostsFile /dev/null
			StrictHostKeyChecking yes
			BatchMode yes
			LogLevel ERROR
	END
}

through_proxy() {
	local program=$1
	shift
	bounded "$program" -F "$TMP/ssh_config" "$@"
}

session_is_logged() {
	logged "target=$ADDRESS:$SSH_PORT" outcome=success
}

command_runs() {
	mark_log
	# shellcheck disable=SC2016 # the far side computes
	through_proxy ssh far 'echo far side: $((6 * 7))' >"$TMP/got" || return
	cat "$TMP/got"
	[[ $(<"$TMP/got") == 'far side: 42' ]] && session_is_logged
}

status_comes_back() {
	fails 23 '' through_proxy ssh far 'exit 23'
}

pipes_up() {
	mark_log
	through_proxy ssh far sha256sum <"$TMP/a" >"$TMP/got" || return
	cat "$TMP/got"
	[[ $(<"$TMP/got") == "$(digest "$TMP/a")" ]] && session_is_logged
}

pipes_down() {
	mark_log
	through_proxy ssh far "cat '$TMP/a'" >"$TMP/got" && same_digest "$TMP/got" "$TMP/a" &&
		session_is_logged
}

copies() {
	mark_log
	rm -f "$TMP/got"
	through_proxy scp -q "$1" "$2" && same_digest "$TMP/got" "$TMP/a" && session_is_logged
}

random_file "$TMP/a" "$SIZE"
prepare_sshd
start_sshd "$ADDRESS"
echo "[$ADDRESS]:$SSH_PORT $(cut -d ' ' -f 1,2 "$TMP/host_key.pub")" >"$TMP/known_hosts"

start_socks5d
ssh_config >"$TMP/ssh_config"
check command_runs command_runs
check exit_status_comes_back status_comes_back
check pipe_to_the_far_side pipes_up
check pipe_from_the_far_side pipes_down
check scp_to_the_far_side copies "$TMP/a" "far:$TMP/got"
check scp_from_the_far_side copies "far:$TMP/a" "$TMP/got"
check server_stops stop_socks5d
finish
