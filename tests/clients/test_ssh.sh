#!/usr/bin/env bash
# ssh to an own sshd through socks5d, by OpenBSD netcat as the proxy command: a command, and files
# both ways.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need ssh ssh-keygen scp sshd
need_openbsd_nc

SIZE=20000000
ADDRESS=127.0.0.1

# Privilege separation wants its empty folder, which a boot or the packaged service makes.
make_run_folder() {
	[[ $EUID != 0 || -d /run/sshd ]] || mkdir -m 755 /run/sshd || [[ -d /run/sshd ]]
}

make_keys() {
	ssh-keygen -q -t ed25519 -N '' -f "$TMP/host_key" &&
		ssh-keygen -q -t ed25519 -N '' -f "$TMP/user_key" &&
		cp "$TMP/user_key.pub" "$TMP/authorized_keys"
}

# Without PAM, sshd lets no user in whose password is locked, not even by key.
pam() {
	if [[ $EUID == 0 && $(getent shadow "$(id -un)") == *:!* ]]; then
		echo yes
	else
		echo no
	fi
}

sshd_config() {
	cat <<-END
		ListenAddress $ADDRESS:$SSH_PORT
		HostKey $TMP/host_key
		AuthorizedKeysFile $TMP/authorized_keys
		PidFile none
		StrictModes no
		UsePAM $(pam)
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		PermitRootLogin prohibit-password
		Subsystem sftp internal-sftp
	END
}

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

start_sshd() {
	local tries
	for tries in {1..20}; do
		try_sshd "$(free_port)" && return
		retire "$SSHD"
	done
	die "sshd does not start after $tries tries: $(cat "$TMP/sshd.log")"
}

# sshd runs itself again for each connection and so wants to be called by its full path.
try_sshd() {
	SSH_PORT=$1
	sshd_config >"$TMP/sshd_config"
	: >"$TMP/sshd.log"
	spawn "$(command -v sshd)" -D -e -f "$TMP/sshd_config" 2>"$TMP/sshd.log"
	SSHD=$SPAWNED
	wait_for 30 sshd_settled
	sshd_listens
}

sshd_listens() {
	grep -q "Server listening on $ADDRESS port $SSH_PORT" "$TMP/sshd.log"
}

sshd_settled() {
	sshd_listens || gone "$SSHD"
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
[[ $(getent passwd "$(id -un)") != */@(nologin|false) ]] || skip_all 'a user with a shell'
make_run_folder || skip_all '/run/sshd, or leave to make it'
make_keys || die 'ssh-keygen fails'
start_sshd
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
