#!/usr/bin/env bash
# Every block of README.md, as it stands there: files are written where they belong, commands run, and
# what is shown of logs and terminals is compared with what there is. A block that nobody here knows
# fails. The host has a network and mounts of its own, and a computer beside it, so that README's
# addresses, names and ports are this test's; what takes systemd or a new Debian is run by the tests
# of these, which have to say so.
# shellcheck disable=SC2317,SC2119,SC2086,SC2016 # called by check; DESK is words

# shellcheck source=tests/clients/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/host.sh
. "$(dirname "$0")/host.sh"
# shellcheck source=tests/clients/monitor.sh
. "$(dirname "$0")/monitor.sh"
# shellcheck source=tests/clients/servers.sh
. "$(dirname "$0")/servers.sh"
# shellcheck source=tests/clients/readme.sh
. "$(dirname "$0")/readme.sh"
# shellcheck source=tests/clients/readme_shown.sh
. "$(dirname "$0")/readme_shown.sh"

need nginx curl openssl tmux setsid git

OUTSIDE=198.51.100.7 # all that is called example.org and example.net
export MONITOR_PASSWORD=secret GIT_SSL_CAINFO=$TMP/certificate CURL_CA_BUNDLE=$TMP/certificate GIT_CONFIG_NOSYSTEM=1

# ---- the host ----

# ssh(1) asks for its user's folder in /etc/passwd.
prepare_host() {
	give_addresses "$OUTSIDE/24" lo &&
		add_neighbour office 192.168.1.1/24 '192.168.1.20/24 192.168.1.31/24' && prepare_folders || return
	DESK=$NEIGHBOUR
	echo .bets.example >/etc/socks5d/blocked
	over /etc/hosts <<-END
		127.0.0.1 localhost
		$OUTSIDE example.org www.example.org git.example.org ftp.example.org iperf.example.org
		$OUTSIDE www.doubleclick.net www.bets.example
		$OUTSIDE example.net www.example.net git.example.net
	END
	over /etc/passwd < <(awk -F: -v OFS=: -v uid="$(id -u)" -v home="$TMP" \
		'$3 == uid { $6 = home } { print }' /etc/passwd)
	mkdir -p "$TMP/.ssh" && prepare_project
}

# What the examples get from example.org: a page, a large file, the project.
prepare_web() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=example.org -addext 'subjectAltName = DNS:example.org,DNS:*.example.org' \
		-keyout "$TMP/key" -out "$TMP/certificate" 2>/dev/null || return
	WEB_ALSO="listen $OUTSIDE:80; listen $OUTSIDE:443 ssl; listen 127.0.0.1:8099; listen 127.0.0.1:28199;
		ssl_certificate $TMP/certificate; ssl_certificate_key $TMP/key;"
	start_nginx 20000000
	echo 'a page' >"$WWW/index.html"
	git init -q "$TMP/work" && git -C "$TMP/work" -c user.name=T -c user.email=t@example.org \
		commit -q --allow-empty -m Empty && git clone -q --bare "$TMP/work" "$WWW/project.git" &&
		git -C "$WWW/project.git" update-server-info
}

is_real_root() {
	[[ $EUID == 0 ]] && grep -q 4294967295 /proc/self/uid_map
}

# Once there is something to be reached by it; /run of the host may not have the folder it wants.
have_sshd() {
	[[ -n ${SSHD:-} ]] && return
	[[ -d /run/sshd ]] || { mount -t tmpfs none /run && mkdir /run/sshd; }
	make_keys && mv "$TMP/user_key" "$TMP/.ssh/id_ed25519" && start_sshd "$OUTSIDE" 22 &&
		echo "*.example.* $(cut -d ' ' -f 1,2 "$TMP/host_key.pub")" >"$TMP/.ssh/known_hosts"
}

# What the blocks of a section find running.
prepare_section() {
	case $1 in
	'Using it') serve 'bin/socks5d -u alice:secret --auth optional' ;;
	'Who may do what' | 'Through other proxies, and behind a balancer')
		mkdir -p "$HERE/state"
		printf 'users_file = policed\nstate_dir = state\n' >"$HERE/policy.conf"
		serve 'bin/socks5d -c policy.conf -u alice:secret -u bob:hidden'
		;;
	'Watching it')
		serve 'bin/socks5d -u alice:secret -u bob:hidden --access-log-file access'
		;;
	'The page') ;; # its first block does
	'The monitor')
		serve 'bin/socks5d -u alice:secret -u bob:hidden --users-file monitored --access-log-file ""'
		;;
	esac
}

# ---- commands ----

# prints REGEX COMMAND...: and what is printed.
prints() {
	"${@:2}" >"$TMP/out" || return
	cat "$TMP/out"
	grep -qE -- "$1" "$TMP/out"
}

gets_the_page() {
	local user=Anonymous port=80
	mark_log
	[[ $1 != *' https:'* ]] || port=443
	[[ ! $1 =~ //([a-z]+): ]] || user=${BASH_REMATCH[1]}
	prints '^a page$' runs_at_desk "$1" && logged "user=$user" "target=example.org:$port" outcome=success
}

gets_the_page_by_address() {
	mark_log
	prints '^a page$' runs_at_desk "$1" && logged outcome=success
}

# With this setting a plain clone comes through the proxy.
clones() {
	mark_log
	runs_at_desk "$1" && runs_at_desk 'git clone -q https://example.org/project.git again' &&
		logged target=example.org:443 outcome=success
}

measures() {
	spawn iperf3 -s -1 -B "$OUTSIDE" --forceflush >"$TMP/iperf.out" 2>&1
	IPERF=$SPAWNED
	wait_for 30 grep -q 'Server listening' "$TMP/iperf.out" || return
	mark_log
	runs_at_desk "$1"
	retire "$IPERF" && logged command=UDP_ASSOCIATE outcome=success && ! session_ended outcome=fail
}

fetches_a_file() {
	echo 'machine ftp.example.org login anonymous password x' >"$TMP/.netrc"
	chmod 600 "$TMP/.netrc"
	start_ftp_server "$OUTSIDE" 21 || return
	mark_log
	runs_at_desk "$1" <<<'get index.html'
	stop "$FAR"
	cmp "$HERE/index.html" "$WWW/index.html" && logged command=BIND outcome=success
}

# At a prompt, were there a terminal.
asks_for_a_password() {
	printf 'hidden\nhidden\n' | runs "$1"
}

# serves_with_login 'USER:PASSWORD...' COMMAND: to these, and to nobody else.
serves_with_login() {
	local login
	serve "$2" || return
	for login in $1; do
		gets_the_page "curl -sS --proxy socks5h://$login@192.168.1.1:1080 http://example.org/" ||
			return
	done
	fails 97 '' runs_at_desk 'curl -sS --proxy socks5h://192.168.1.1:1080 http://example.org/'
}

shows_the_login() {
	serve "$1" && prints 'name="password"' runs 'curl -sS http://127.0.0.1:8081/login'
}

is_here() {
	"$CLIENT" -u alice NODES | grep -q '^node:one state:here '
}

shares() {
	spawn redis-server --bind 127.0.0.1 --port 6379 --save '' --appendonly no --daemonize no --dir "$TMP" >/dev/null
	serve "$1" && wait_for 30 is_here
}

is_served() {
	"$CLIENT" -u alice CONNECTIONS | grep -q "^id:.* user:$1 .* state:RELAY "
}

# A session of bob's, for what ends it.
kills() {
	download_here bob:hidden
	wait_for 30 is_served bob && prints '^OK |"status":"OK"' runs "$1" && logged user=bob reason=killed
}

# The file holds what the environment has for others.
reads_a_password_file() {
	(umask 077 && echo secret >"$TMP/.monitor")
	prints "$1" runs "unset MONITOR_PASSWORD; $2"
}

# The failures that he is to be told of are those of what was blocked.
tells_why() {
	prints '^time:.* user:bob .*reason:target_denied rule:1 ' runs "$1" && grep -q '^\?advice:.\|advice:[a-z]' "$TMP/out"
}

prints_login() {
	local name login
	prints '^OK ' runs "$1" || return
	login=$(grep -oE -m 1 'socks5h://[^:/ ]+:[^@ ]+@' "$TMP/out") || return
	name=${login#socks5h://}
	mark_log
	prints '^a page$' runs_at_desk "curl -sS --proxy ${login}192.168.1.1:1080 http://example.org/" &&
		logged "user=${name%%:*}" outcome=success
}

keeps_out() {
	prints '^OK ' runs "$1" && mark_log &&
		fails 97 '' runs_at_desk 'curl -sS --proxy socks5h://bob:hidden@192.168.1.1:1080 http://example.org/' &&
		logged user=bob reason=disabled
}

# Who is banned is not answered.
keeps_out_an_address() {
	prints '^OK ' runs "$1" &&
		fails 97 '' runs_at_desk "curl -sS --interface $2 --proxy socks5h://alice:secret@192.168.1.1:1080 http://example.org/" &&
		gets_the_page 'curl -sS --proxy socks5h://alice:secret@192.168.1.1:1080 http://example.org/'
}

# done_by FILE TEXT: another test does it.
done_by() {
	grep -F -- "$2" "$ROOT/$1"
}

# needing 'PROGRAM...' NAME COMMAND...
needing() {
	local program
	for program in $1; do
		command -v "$program" >/dev/null || {
			skip "$2" "$program"
			return
		}
	done
	shift
	check "$@"
}

# try_command NAME COMMAND
try_command() {
	case $2 in
	'make run' | 'make test') check "$1" done_by tests/clients/test_debian.sh "$2" ;;
	*/api/stats) check "$1" prints '"current_connections":' runs "$2" ;;
	*/api/kill_user) check "$1" kills "$2" ;;
	*/metrics) check "$1" prints '^socks5d_build_info' runs "$2" ;;
	*--web-listen*) check "$1" shows_the_login "$2" ;;
	*' --shared '*) needing redis-server "$1" shares "$2" ;;
	*' --all '*) needing redis-server "$1" prints '^node one:' runs "$2" ;;
	curl\ *) check "$1" gets_the_page "$2" ;;
	'git '*) check "$1" clones "$2" ;;
	*' socksify iperf3 '*) needing 'socksify iperf3' "$1" measures "$2" ;;
	*' socksify ftp '*)
		if have_pyftpdlib; then
			needing 'socksify tnftp' "$1" fetches_a_file "$2"
		else
			skip "$1" python3-pyftpdlib
		fi
		;;
	'proxychains4 '*) needing proxychains4 "$1" gets_the_page_by_address "$2" ;;
	'bin/socks5d -u alice:secret -u bob:hidden')
		check "$1" serves_with_login 'alice:secret bob:hidden' "$2"
		;;
	'bin/socks5d --users-file users')
		needing 'mkpasswd htpasswd' "$1" serves_with_login 'carol:hidden dave:hidden' "$2"
		;;
	*mkpasswd*) needing mkpasswd "$1" asks_for_a_password "$2" ;;
	htpasswd\ *) needing htpasswd "$1" asks_for_a_password "$2" ;;
	'bin/socks5d -n '*) check "$1" prints '^the configuration is good$' runs "$2" ;;
	*' KILL_USER bob') check "$1" kills "$2" ;;
	*' --password-file '*jq\ *) needing jq "$1" reads_a_password_file '^[0-9]+$' "$2" ;;
	*' GUEST '*) check "$1" prints_login "$2" ;;
	*' WHY bob') check "$1" tells_why "$2" ;;
	*' EXPLAIN '*) check "$1" prints '^verdict:allow' runs "$2" ;;
	*' DISABLE bob') check "$1" keeps_out "$2" ;;
	*' BAN 192.168.1.31 2h') check "$1" keeps_out_an_address "$2" 192.168.1.31 ;;
	*bin/monitor_client\ -u\ alice\ *) check "$1" prints '^OK' runs "$2" ;;
	*) check "$1" is_known_here "$2" ;;
	esac
}

is_known_here() {
	echo "how is this to be tried? $1"
	return 1
}

# ---- files ----

# writes_ssh_config FILE USER: the name is left to the proxy, and who it serves is USER.
writes_ssh_config() {
	local host
	host=$(sed -n 's/^Host \*/git/p' "$1")
	have_sshd || return
	cat "$1" >>"$TMP/.ssh/config"
	mark_log
	prints '^far side$' runs_at_desk "ssh -o BatchMode=yes $host echo far side" &&
		logged "user=$2" "target=$host:22" outcome=success
}

try_ssh_config() {
	if ! is_real_root; then
		skip "$1" root
	elif grep -q ncat "$2"; then
		needing 'ncat ssh sshd' "$1" writes_ssh_config "$2" alice
	elif nc -h 2>&1 | grep -q 'OpenBSD netcat'; then
		needing 'ssh sshd' "$1" writes_ssh_config "$2" Anonymous
	else
		skip "$1" "OpenBSD's netcat"
	fi
}

# explains STATUS REQUEST: what the file so far says of it.
explains() {
	local status=0
	runs "bin/socks5d -c policy.conf --explain '$2'" || status=$?
	((status == $1))
}

# refuses RULE HOST: to bob.
refuses() {
	mark_log
	fails 97 '(2)' runs_at_desk "curl -sS --proxy socks5h://bob:hidden@192.168.1.1:1080 http://$2/" &&
		logged user=bob "target=$2:80" "rule=$1" outcome=fail
}

# What a piece of the configuration is there for.
has_effect() {
	local bob='curl -sS --proxy socks5h://bob:hidden@192.168.1.1:1080 http://example.org/'
	case $1 in
	'rule = deny to .doubleclick.net'*)
		refuses 1 www.doubleclick.net && refuses 1 www.bets.example && refuses 2 "$OUTSIDE" &&
			gets_the_page "$bob"
		;;
	'rule = allow from 192.168.12.0/24 time'*)
		explains 0 'from=192.168.12.5 user=bob to=example.org@198.51.100.7:80 time="tue 08:00"' &&
			explains 1 'from=192.168.12.5 user=bob to=example.org@198.51.100.7:80 time="tue 18:00"' &&
			explains 1 'from=192.168.12.5 user=bob to=example.org@198.51.100.7:80 time="sat 09:00"' &&
			gets_the_page "$bob"
		;;
	'client_limits = 192.168.1.50'*) prints '192\.168\.1\.50.*2Mbit' runs "bin/monitor_client -u alice LIMITS 192.168.1.50" ;;
	'group_defaults = @class'*) prints '@class.*1GB/day' runs "bin/monitor_client -u alice LIMITS @class" ;;
	'upstream = campus '*)
		mark_log
		fails 97 '(1)' runs_at_desk 'curl -sS --proxy socks5h://alice:secret@192.168.1.1:1080 http://www.example.net/' &&
			logged user=alice target=www.example.net:80 reason=upstreams_down &&
			gets_the_page "${bob/bob:hidden/alice:secret}"
		;;
	*) is_known_here "$1" ;;
	esac
}

configures() {
	local first
	IFS= read -r first <"$1"
	cat "$1" >>"$HERE/policy.conf"
	prints '^the configuration is good$' runs 'bin/socks5d -n -c policy.conf' &&
		prints '^OK ' runs 'bin/monitor_client -u alice RELOAD' && has_effect "$first"
}

# What proxychains is to have is in a sentence.
write_proxychains_config() {
	{
		printf 'strict_chain\nproxy_dns\n[ProxyList]\n'
		grep -oE '`socks5 [0-9.]+ [0-9]+`' "$README" | tr -d '`'
	} >"$HERE/proxychains.conf"
}

# ---- blocks ----

try_commands() {
	local line number=$((10#$1))
	while IFS= read -r line; do
		try_command "line_$number" "$(without_comment "$line")"
		number=$((number + 1))
	done <"$2"
}

# try_block NUMBER FILE SECTION
try_block() {
	local name=line_$((10#$1)) first
	IFS= read -r first <"$2"
	case $first in
	'Host '*) try_ssh_config "$name" "$2" ;;
	'route {') check "$name" cp "$2" "$HERE/socks.conf" ;;
	[a-z]*' = '*) check "$name" configures "$2" ;;
	time=*) check "$name" logs_session "$2" ;;
	20*' bob '*) check "$name" logs_access "$2" ;;
	'$ bin/monitor_client') check "$name" shows_transcript "$2" ;;
	*) try_commands "$1" "$2" ;;
	esac
}

try_blocks() {
	local block number section last=
	for block in "$TMP"/blocks/*.block; do
		number=$(basename "$block" .block)
		section=$(<"${block%.block}.section")
		[[ $section == "$last" ]] || prepare_section "$section" || die "$section: no server"
		last=$section
		if grep -q "readme_commands '$section'" "$ROOT/tests/clients/test_systemd.sh"; then
			check "line_$((10#$number))" done_by tests/clients/test_systemd.sh "readme_commands '$section'"
		else
			try_block "$number" "$block"
		fi
	done
}

prepare_host >"$TMP/host" 2>&1 || skip_all "a network of its own: $(tail -n 1 "$TMP/host")"
prepare_web || die 'nothing to be got from example.org'
write_proxychains_config
mkdir "$TMP/blocks"
readme_blocks "$TMP/blocks"
try_blocks
check server_stops stop_socks5d
finish
