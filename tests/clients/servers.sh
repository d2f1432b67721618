# shellcheck shell=bash disable=SC2034 # variables are for the tests
# Far sides that are programs of their own, beside lib.sh: an sshd that lets in who runs the test, by
# key, and an FTP server with the files of WWW.
#
#	prepare_sshd			keys, and the folder that sshd wants; skips the test where it cannot be
#	start_sshd ADDRESS [PORT]	sets SSHD, SSH_PORT
#	start_ftp_server ADDRESS [PORT]	sets FAR, FAR_PORT

PYTHON=/usr/bin/python3 # which has the modules of the distribution

# ---- sshd ----

# Privilege separation wants its empty folder, which a boot or the packaged service makes.
make_run_folder() {
	[[ $EUID != 0 || -d /run/sshd ]] || mkdir -m 755 /run/sshd || [[ -d /run/sshd ]]
}

make_keys() {
	ssh-keygen -q -t ed25519 -N '' -f "$TMP/host_key" &&
		ssh-keygen -q -t ed25519 -N '' -f "$TMP/user_key" &&
		cp "$TMP/user_key.pub" "$TMP/authorized_keys"
}

prepare_sshd() {
	[[ $(getent passwd "$(id -un)") != */@(nologin|false) ]] || skip_all 'a user with a shell'
	make_run_folder || skip_all '/run/sshd, or leave to make it'
	make_keys || die 'ssh-keygen fails'
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
		ListenAddress $1:$SSH_PORT
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

start_sshd() {
	local tries
	for tries in {1..20}; do
		try_sshd "$1" "${2:-$(free_port)}" && return
		retire "$SSHD"
	done
	die "sshd does not start after $tries tries: $(cat "$TMP/sshd.log")"
}

# sshd runs itself again for each connection and so wants to be called by its full path.
try_sshd() {
	SSH_PORT=$2
	sshd_config "$1" >"$TMP/sshd_config"
	: >"$TMP/sshd.log"
	spawn "$(command -v sshd)" -D -e -f "$TMP/sshd_config" 2>"$TMP/sshd.log"
	SSHD=$SPAWNED
	wait_for 30 sshd_settled
	sshd_listens
}

sshd_listens() {
	grep -q "Server listening on .* port $SSH_PORT" "$TMP/sshd.log"
}

sshd_settled() {
	sshd_listens || gone "$SSHD"
}

# ---- FTP ----

have_pyftpdlib() {
	"$PYTHON" -c 'import pyftpdlib' 2>/dev/null
}

# For anonymous; without a port, on one that the kernel chooses.
start_ftp_server() {
	spawn "$PYTHON" -c '
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
folder, address, port = sys.argv[1:]
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_anonymous(folder)
server = FTPServer((address, int(port)), FTPHandler)
print("Listening on %s %d" % (address, server.socket.getsockname()[1]), file=sys.stderr, flush=True)
server.serve_forever()
	' "$WWW" "$1" "${2:-0}" 2>"$TMP/far.err"
	await_far_side
}
