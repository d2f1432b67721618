#!/usr/bin/env bash
# monitor_client and the real monitor: one command, a script's lines, a person at a prompt; every
# exit status, JSON, IPv6 and names, and a server that goes away.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/monitor.sh
. "$(dirname "$0")/monitor.sh"

need tmux

# prints TEXT COMMAND...: status 0, and exactly that on standard output and nothing else.
prints() {
	local text=$1
	shift
	"$@" >"$TMP/out" 2>"$TMP/err" || return
	cat "$TMP/out" "$TMP/err"
	[[ $(cat "$TMP/out") == "$text" && ! -s $TMP/err ]]
}

# has TEXT COMMAND...: status 0, and TEXT is a line of the output.
has() {
	local text=$1
	shift
	"$@" >"$TMP/out" 2>"$TMP/err" || return
	cat "$TMP/out" "$TMP/err"
	grep -qxF -- "$text" "$TMP/out"
}

# ---- one command ----

refusals_go_to_standard_error() {
	local status=0
	as_alice NOPE now >"$TMP/out" 2>"$TMP/err" || status=$?
	cat "$TMP/out" "$TMP/err"
	[[ $status == 1 && ! -s $TMP/out && $(cat "$TMP/err") == 'ERR Unknown command: NOPE' ]]
}

# No terminal is there to ask for the password on.
without_terminal() {
	bounded setsid -w "$CLIENT" -P "$MONITOR_PORT" "$@"
}

warns_of_exposed_file() {
	chmod 644 "$TMP/password"
	client -u alice --password-file "$TMP/password" USERS >"$TMP/out" 2>"$TMP/err" || return
	cat "$TMP/out" "$TMP/err"
	grep -q '^OK ' "$TMP/out" && grep -q "warning: .*$TMP/password" "$TMP/err"
}

one_command() {
	local nothing
	nothing=$(free_port)
	printf 'secret\nrest\n' >"$TMP/password"
	chmod 600 "$TMP/password"
	check reply_without_empty_line prints 'OK No active users' as_alice USERS
	check words_are_one_request prints 'OK timeout set to 77s' as_alice CONFIG timeout 77s
	check setting_is_changed has 'timeout:77s' as_alice config timeout
	check quit_has_its_reply prints 'OK Goodbye' as_alice quit
	check password_file prints 'OK No active users' client -u alice --password-file \
		"$TMP/password" USERS
	check exposed_password_file_is_warned_of warns_of_exposed_file
	check refusal_is_status_1 refusals_go_to_standard_error
	check refused_login_is_status_1 fails 1 'ERR Invalid credentials' env \
		MONITOR_PASSWORD=wrong "$CLIENT" -P "$MONITOR_PORT" -u alice USERS
	check bad_flag_is_status_2 fails 2 'there is no such flag' client --nope
	check missing_password_is_status_2 fails 2 '--password-file' without_terminal -u alice USERS
	check missing_file_is_status_2 fails 2 'No such file' client -u alice \
		--password-file "$TMP/nothing" USERS
	check missing_login_is_status_2 fails 2 'Username:password' client USERS
	check two_lines_are_status_2 fails 2 'control characters' as_alice $'USERS\nQUIT'
	check no_server_is_status_3 fails 3 "cannot reach 127.0.0.1:$nothing: Connection refused" \
		"$CLIENT" -P "$nothing" -u alice USERS
	check unknown_host_is_status_3 fails 3 'cannot reach nosuch.invalid:8080' \
		"$CLIENT" -L nosuch.invalid USERS
	check another_service_is_status_3 fails 3 'no monitor of socks5d' speaks_otherwise
	check full_disk_is_no_success fails 3 'standard output' sends_to_full_disk
	check help has '  -u, --user NAME            log in as NAME' client --help
	check version_is_printed client -v
}

sends_to_full_disk() {
	as_alice STATS >/dev/full
}

# A service that greets like another one.
speaks_otherwise() {
	local port
	# shellcheck disable=SC2016 # the variables are perl's
	spawn perl -MSocket -e '
		socket(my $l, AF_INET, SOCK_STREAM, 0) or die;
		bind($l, pack_sockaddr_in(0, inet_aton("127.0.0.1"))) or die;
		listen($l, 1) or die;
		$| = 1;
		print((unpack_sockaddr_in(getsockname($l)))[0], "\n");
		accept(my $c, $l) or die;
		syswrite($c, "220 mail.example.org ESMTP\r\n");
		sysread($c, my $rest, 1);
	' >"$TMP/service"
	wait_for 30 test -s "$TMP/service" || return
	port=$(cat "$TMP/service")
	bounded "$CLIENT" -P "$port" -u alice USERS
}

# ---- users ----

users_come_and_go() {
	as_alice ADD_USER bob hidden admin &&
		MONITOR_PASSWORD=hidden client -u bob ACCOUNTS >"$TMP/out" &&
		grep -q '^name:bob role:admin ' "$TMP/out" &&
		as_alice SET_PASSWORD bob other &&
		fails 1 'ERR Invalid credentials' env MONITOR_PASSWORD=hidden \
			"$CLIENT" -P "$MONITOR_PORT" -u bob STATS &&
		as_alice DEL_USER bob &&
		fails 1 'ERR Invalid credentials' env MONITOR_PASSWORD=other \
			"$CLIENT" -P "$MONITOR_PORT" -u bob STATS
}

# ---- JSON ----

is_json() {
	local line
	while IFS= read -r line; do
		if command -v python3 >/dev/null; then
			python3 -m json.tool <<<"$line" >/dev/null || return
		elif command -v node >/dev/null; then
			node -e 'JSON.parse(process.argv[1])' "$line" || return
		else
			[[ $line == '{"status":'*'}' ]] || return
		fi
	done
}

# json PATTERN COMMAND...: one line of valid JSON that matches.
json() {
	local pattern=$1
	shift
	as_alice --json "$@" >"$TMP/json"
	cat "$TMP/json"
	[[ $(wc -l <"$TMP/json") == 1 ]] && is_json <"$TMP/json" && grep -qE -- "$pattern" "$TMP/json"
}

json_lines() {
	printf 'STATS\nNOPE\nHELP\nQUIT\n' >"$TMP/in"
	fails 1 '{"status":"ERR","message":"Unknown command: NOPE"}' as_alice_from "$TMP/in" --json &&
		[[ $(wc -l <"$TMP/fails.out") == 4 ]] && is_json <"$TMP/fails.out"
}

all_of_json() {
	check json_stats json '"all_time_connections":[0-9]+,.*"server_uptime":[0-9]+,.*"version":"[^"]+","confined_by":"[^"]+"\}$' STATS
	check json_config json '"port":0[,}]' CONFIG
	check json_setting json '"message":"timeout set to 78s"' CONFIG timeout 78s
	check json_connections json '"sessions":\[\]\}$' CONNECTIONS
	check json_why json '"failures":\[' WHY '*'
	check json_users json '"users":\[\]' USERS
	check json_accounts json '"accounts":\[\{"name":"alice","role":"admin","sessions":0,' ACCOUNTS
	check json_access_log json '"entries":\[' ACCESS_LOG
	check json_help json '"lines":\["STATS - ' HELP
	check json_refusal json '^\{"status":"ERR","message":"Unknown command: NOPE"\}$' NOPE
	check json_of_several_lines json_lines
}

# ---- lines ----

# as_alice_from FILE ARG...: with the file as standard input.
as_alice_from() {
	local file=$1
	shift
	as_alice "$@" <"$file"
}

# replies EXPECTED STATUS LINES ARG...
replies() {
	local expected=$1 want=$2 lines=$3 status=0
	shift 3
	printf '%b' "$lines" >"$TMP/in"
	client "$@" <"$TMP/in" >"$TMP/out" 2>"$TMP/err" || status=$?
	cat "$TMP/out" "$TMP/err"
	echo "(status $status, expected $want)"
	[[ $status == "$want" && $(cat "$TMP/out") == "$(printf '%b' "$expected")" ]]
}

lines() {
	check login_is_the_first_line replies 'OK No active users\n\nOK Goodbye\n' 0 \
		'alice:secret\nUSERS\n\n  \nQUIT\nSTATS\n'
	check lines_may_end_in_cr_lf replies 'OK No active users\n\n' 0 'alice:secret\r\nUSERS\r\n'
	check last_line_may_lack_its_end replies 'OK No active users\n\n' 0 'alice:secret\nUSERS'
	check a_refusal_goes_on_and_counts replies \
		'ERR Unknown command: NOPE\n\nOK No active users\n\n' 1 \
		'alice:secret\nNOPE\nUSERS\n'
	check too_long_line_is_refused replies 'ERR Line too long\n\nOK No active users\n\n' 1 \
		"alice:secret\n$(printf 'x%.0s' {1..3000})\nUSERS\n"
	check a_line_ends_watching replies \
		'OK Watching: a line ends it\n\nOK No active users\n\n' 0 \
		'alice:secret\nWATCH\nUSERS\n'
	check nothing_to_ask replies '' 0 'alice:secret\n'
	check wrong_login_is_status_1 replies 'ERR Invalid credentials\n' 1 'alice:no\nUSERS\n'
	check no_login_is_status_2 replies '' 2 ''
	export MONITOR_PASSWORD=secret
	check login_of_the_flag replies 'OK No active users\n\n' 0 'USERS\n' -u alice
	unset MONITOR_PASSWORD
}

# The first line of a script that was written for the address.
replies_at_socket() {
	printf 'alice:wrong\nUSERS\nQUIT\n' >"$TMP/in"
	prints $'OK No active users\n\nOK Goodbye' at_socket <"$TMP/in"
}

# A client that is connected, and then asks a server that is not there any more.
server_goes_away() {
	local status=0
	mkfifo "$TMP/requests"
	exec 3<>"$TMP/requests"
	spawn "$CLIENT" -P "$MONITOR_PORT" <"$TMP/requests" >"$TMP/out" 2>"$TMP/err"
	local pid=$SPAWNED
	printf 'alice:secret\nUSERS\n' >&3
	wait_for 30 test -s "$TMP/out" || return
	stop_socks5d || return
	echo USERS >&3
	retire "$pid" || status=$?
	exec 3>&-
	cat "$TMP/out" "$TMP/err"
	[[ $status == 3 ]] && grep -q '^monitor_client: the .* ended\|^monitor_client: .* broke' "$TMP/err"
}

# ---- a person ----

start_talking() {
	enter "'$CLIENT' -P $MONITOR_PORT $*"
	await '^Please enter Username:password \(in that format\)$' && await '^Username:password: *$'
}

log_in() {
	start_talking && enter alice:secret && await '^OK Welcome alice$' &&
		await "^Type commands and press Enter. Type 'QUIT' to exit.$" && await '^monitor> *$'
}

shows_no_password() {
	shows_not secret || {
		screen
		return 1
	}
}

asks_and_answers() {
	log_in "$@" && shows_no_password && enter USERS && await '^OK No active users$' &&
		enter nonsense && await '^ERR Unknown command: nonsense$'
}

completes() {
	press CON && press Tab && await '^CONNECTIONS +CONFIG' &&
		press F Tab ti Tab && await '^monitor> CONFIG timeout *$' &&
		enter '' && await '^timeout:78s$' &&
		press LOG Tab i Tab && await '^monitor> LOG_LEVEL info *$' &&
		enter '' && await '^OK log_level set to info$' &&
		press KILL_U Tab a Tab && await '^monitor> KILL_USER alice *$' &&
		enter '' && await '^ERR alice has no session'
}

last_prompt_is() {
	[[ $(screen | grep '^monitor>' | tail -n 1) == "monitor>${1:+ $1}" ]]
}

history_has_no_passwords() {
	enter 'SET_PASSWORD alice secret' && await '^OK Password of alice changed' &&
		press Up && wait_for 30 last_prompt_is 'KILL_USER alice' && press C-u
}

ctrl_d_says_goodbye() {
	press C-u C-d && await '^OK Goodbye$' && await '^Disconnected from monitor server$' &&
		ended_with 0
}

quit_says_goodbye() {
	wipe && log_in && enter quit && await '^OK Goodbye$' && await '^Exiting monitor mode\.$' &&
		await '^Disconnected from monitor server$' && ended_with 0
}

ctrl_c_ends() {
	wipe && log_in && press STA && await '^monitor> STA' && press C-c &&
		wait_for 30 last_prompt_is '' && enter USERS && await '^OK No active users$' &&
		press C-c && await '^monitor_client: interrupted$' && ended_with 130
}

history_file() {
	cat "$TMP/.local/state/monitor_client/history"
}

# Neither the line with a password nor one that the server did not know, which may have one, too.
history_stays() {
	wipe && log_in && enter 'SET_PASSWORD alice secret' && await '^OK Password of alice' &&
		enter 'ADDUSER bob hidden' && await '^ERR Unknown command: ADDUSER; did you mean ADD_USER\?$' &&
		enter 'CONFIG timeout' && await '^timeout:' && press C-d && ended_with 0 &&
		wipe && log_in && press Up && wait_for 30 last_prompt_is 'CONFIG timeout' &&
		press C-c && press C-d && ended_with 0 && history_file &&
		[[ $(history_file | tail -n 1) == 'CONFIG timeout' ]] &&
		! history_file | grep -qE 'secret|hidden' &&
		[[ $(stat -c %a "$TMP/.local/state/monitor_client/history") == 600 ]]
}

prompt_has_its_own_commands() {
	wipe && log_in && enter '?' && await '^VERSION - which version of the server this is$' &&
		await '^At this prompt also: ' && enter 'USERS --json' &&
		await '^\{"status":"OK","users":\[\]\}$' && enter 'help list' &&
		await '^monitor_client: there is no command list; ' && enter 'HELP quit' &&
		await '^QUIT - ends the connection to the monitor$' && press 'HELP CONN' Tab && await '^monitor> HELP CONNECTIONS *$' && press C-c &&
		enter exit && await '^OK Goodbye$' && ended_with 0
}

prompt_runs_top() {
	wipe && log_in && enter top && await '^Sessions: 0, ' && press C-c &&
		wait_for 30 last_prompt_is '' && enter USERS && await '^OK No active users$' &&
		enter top && await '^Sessions: 0, ' && press q && await '^monitor> *$' && press C-d &&
		ended_with 0
}

shows_a_table() {
	wipe && log_in && enter ACCOUNTS && await '^NAME  ROLE  SESSIONS TOTAL SENT RECEIVED LAST' &&
		await '^alice admin        0     0    0        0 ' && press C-d && ended_with 0 &&
		wipe && enter "MONITOR_PASSWORD=secret '$CLIENT' -P $MONITOR_PORT -u alice ACCOUNTS" &&
		await '^NAME  ROLE ' && ended_with 0
}

# Of 40 columns, and one character takes two of them.
fits_a_narrow_terminal() {
	as_alice ADD_USER 名前 hidden && wipe && log_in && resize_terminal 40 24 &&
		enter ACCOUNTS && await '^NAME  ROLE  SESSIONS SENT RECEIVED$' &&
		await '^名前  user         0    0        0$' && await '^\(no room for: ' &&
		resize_terminal 80 24 && press C-d && ended_with 0 && as_alice DEL_USER 名前
}

from_pipes_it_keeps_its_words() {
	as_alice ACCOUNTS | grep '^name:alice role:admin '
}

# Longer than a terminal of 8 lines: it goes through the pager, and Ctrl-C is for that.
long_tables_are_paged() {
	wait_for 30 remembers 12 && wipe && log_in && resize_terminal 80 8 && enter TRAFFIC &&
		await '^:$' && press C-c && wait_for 30 pager_goes_on && press q &&
		await '^monitor> *$' &&
		press C-d && ended_with 0 && wipe &&
		enter "export PAGER='tail -n 1 | sed s/^/paged:/'" && log_in && enter TRAFFIC &&
		await '^paged: *[0-9]' && press C-d && ended_with 0 && wipe &&
		enter 'export PAGER=no-such-pager' && log_in && enter TRAFFIC &&
		await '^ *[0-9]+s +0 +0 +0$' && press C-d && ended_with 0 &&
		resize_terminal 80 24 && wipe && enter 'unset PAGER'
}

# A key that comes while it is interrupted may be lost.
pager_goes_on() {
	press G
	shows '^\(END\)'
}

remembers() {
	(($(as_alice TRAFFIC | wc -l) > $1))
}

ctrl_c_at_the_password_ends() {
	wipe && start_talking && press C-c && await '^monitor_client: interrupted$' && ended_with 130
}

ctrl_d_at_the_password_ends() {
	wipe && start_talking && press C-d && await 'no password was given' && ended_with 2
}

wrong_password_is_refused() {
	wipe && start_talking && enter alice:wrong && await '^ERR Invalid credentials$' && ended_with 1
}

name_is_given() {
	wipe && enter "'$CLIENT' -P $MONITOR_PORT -u alice" && await '^Password for alice: *$' &&
		enter secret && await '^OK Welcome alice$' && await '^monitor> *$' &&
		shows_no_password && press C-d && ended_with 0
}

command_asks_for_login() {
	wipe && enter "'$CLIENT' -P $MONITOR_PORT USERS" && await '^Username:password: *$' &&
		enter alice:secret && await '^OK No active users$' && shows_no_password &&
		ended_with 0
}

stops_and_goes_on() {
	wipe && log_in && press C-z && await Stopped && enter fg && await '^monitor> *$' &&
		enter USERS && await '^OK No active users$' && press C-d && ended_with 0
}

answers_in_json() {
	wipe && start_talking --json && enter alice:secret && await '"message":"Welcome alice"' &&
		await '^monitor> *$' && enter USERS && await '^\{"status":"OK","users":\[\]\}$' && press C-d && ended_with 0
}

# A connection that is no session of a user's, and is over at once.
knock() {
	exec 4<>"/dev/tcp/127.0.0.1/${PROXY##*:}" && printf '\001\002\r\n' >&4 && exec 4>&-
}

prompt_watches() {
	wipe && resize_terminal 100 24 && log_in && enter WATCH && await '^OK Watching: a line ends it$' && knock &&
		await '^event:end .*reason:unknown_protocol' && enter '' &&
		wait_for 30 last_prompt_is '' && enter 'WATCH --json' && wait_for 30 knocks_in_json &&
		press C-c && enter USERS && await '^OK No active users$' &&
		enter 'WATCH user' && await '^ERR "user": what can be asked for' &&
		press 'WATCH us' Tab && await '^monitor> WATCH user=$' && press C-c && press C-d &&
		ended_with 0 && resize_terminal 80 24
}

knocks_in_json() {
	knock && shows '^\{"event":"begin",'
}

notices_the_end_of_the_server() {
	wipe && log_in && stop_socks5d && await '^monitor_client: the server ended the connection' &&
		ended_with 3
}

person() {
	open_terminal 80 24
	check prompt_asks_and_answers asks_and_answers
	check prompt_completes completes
	check prompt_history_has_no_passwords history_has_no_passwords
	check prompt_ctrl_d ctrl_d_says_goodbye
	check prompt_quit quit_says_goodbye
	check prompt_ctrl_c ctrl_c_ends
	check prompt_history_stays history_stays
	check prompt_has_its_own_commands prompt_has_its_own_commands
	check prompt_runs_top prompt_runs_top
	check prompt_watches prompt_watches
	check prompt_shows_a_table shows_a_table
	check prompt_fits_a_narrow_terminal fits_a_narrow_terminal
	check pipe_keeps_its_words from_pipes_it_keeps_its_words
	check prompt_pages_long_tables long_tables_are_paged
	check prompt_ctrl_z stops_and_goes_on
	check prompt_ctrl_c_at_the_password ctrl_c_at_the_password_ends
	check prompt_ctrl_d_at_the_password ctrl_d_at_the_password_ends
	check prompt_wrong_password wrong_password_is_refused
	check prompt_with_name name_is_given
	check prompt_json answers_in_json
	check command_asks_for_the_login command_asks_for_login
	check prompt_notices_the_end_of_the_server notices_the_end_of_the_server
	close_terminal
}

# ---- the socket on the host itself ----

start_at_socket() {
	start_monitored --monitor-socket "$TMP/monitor.sock" -U "$TMP/users"
	chmod 711 "$TMP"
	wait_for 30 test -S "$TMP/monitor.sock"
}

at_socket() {
	bounded "$CLIENT" --socket "$TMP/monitor.sock" "$@"
}

# as_if_installed COMMAND...: in mounts of its own, where the service's socket is ours.
as_if_installed() {
	# shellcheck disable=SC2016 # the shell inside is to expand it
	bounded unshare "${UNSHARE[@]}" sh -c 'mount -t tmpfs none /run && mkdir /run/socks5d &&
		ln -s "$0" /run/socks5d/monitor.sock && exec "$@"' "$TMP/monitor.sock" "$@"
}

can_mount() {
	UNSHARE=(--mount)
	((EUID == 0)) || UNSHARE=(--mount --map-root-user)
	unshare "${UNSHARE[@]}" mount -t tmpfs none /run 2>/dev/null
}

# as_stranger GROUP COMMAND...: as a user whom nobody knows, in that group.
as_stranger() {
	local group=$1
	shift
	bounded setpriv --reuid 12345 --regid "$group" --clear-groups "$@"
}

# gives PASSWORD COMMAND...: as a line of standard input.
gives() {
	local password=$1
	shift
	printf '%s\nrest\n' "$password" | "$@"
}

first_steps() {
	gives 'hidden' as_if_installed "$CLIENT" ADD_USER carol - admin &&
		MONITOR_PASSWORD=hidden client -u carol USERS &&
		gives 'two words' as_if_installed "$CLIENT" SET_PASSWORD carol - &&
		MONITOR_PASSWORD='two words' client -u carol USERS &&
		as_if_installed "$CLIENT" DEL_USER carol
}

flags_lead_elsewhere() {
	prints 'OK No active users' as_alice USERS && # which has -P and -u
		fails 1 'ERR Invalid credentials' as_if_installed env MONITOR_PASSWORD=wrong \
			"$CLIENT" -P "$MONITOR_PORT" -u alice USERS
}

# What stands in the process's arguments while it waits for the password.
ps_shows_no_password() {
	mkfifo "$TMP/fifo"
	exec 4<>"$TMP/fifo"
	spawn "$CLIENT" --socket "$TMP/monitor.sock" SET_PASSWORD alice - <"$TMP/fifo" >"$TMP/out"
	local pid=$SPAWNED
	tr '\0' ' ' <"/proc/$pid/cmdline" >"$TMP/cmdline"
	echo secret >&4
	retire "$pid" && exec 4>&-
	cat "$TMP/cmdline" "$TMP/out"
	! grep -q secret "$TMP/cmdline" && grep -q '^OK Password of alice changed' "$TMP/out"
}

strangers_are_asked() {
	local copy=$TMP/stranger
	cp "$CLIENT" "$copy" && chmod 755 "$copy" &&
		gives alice:secret as_stranger "$(id -g)" "$copy" --socket "$TMP/monitor.sock" USERS >"$TMP/out" &&
		grep -qx 'OK No active users' "$TMP/out" &&
		gives alice:wrong fails 1 'ERR Invalid credentials' as_stranger "$(id -g)" "$copy" \
			--socket "$TMP/monitor.sock" USERS &&
		gives alice:secret fails 3 "monitor.sock: Permission denied" as_stranger 12345 "$copy" \
			--socket "$TMP/monitor.sock" USERS
}

reload_says_why_not() {
	fails 1 'ERR ' at_socket RELOAD && tail -n 3 "$LOG" && grep -q 'msg="reload refused' "$LOG"
}

types_it_twice() {
	enter "'$CLIENT' --socket '$TMP/monitor.sock' ADD_USER dave -" &&
		await '^New password: *$' && enter hidden && await '^The same again: *$' &&
		enter hidden && await '^OK User dave added$' && shows_not hidden && ended_with 0
}

differs_and_goes_on() {
	wipe && enter "'$CLIENT' --socket '$TMP/monitor.sock'" && await '^OK Welcome ' &&
		await '^monitor> *$' && enter 'SET_PASSWORD dave -' && await '^New password: *$' &&
		enter one && await '^The same again: *$' && enter another &&
		await 'two different passwords$' && enter 'SET_PASSWORD dave -' &&
		await '^monitor> SET_PASSWORD dave -$' && enter other && await '^The same again: *$' &&
		enter other && await '^OK Password of dave changed' && press C-d && ended_with 0
}

top_says_where() {
	wipe && enter "'$CLIENT' --socket '$TMP/monitor.sock' top" &&
		await "^socks5d at ${TMP:0:40}" && press q && ended_with 0 # as much as fits
}

own_socket() {
	start_at_socket
	check socket_needs_no_login prints 'OK No active users' at_socket USERS
	check socket_json has '{"status":"OK","users":[]}' at_socket --json USERS
	check a_login_there_is_passed_over replies_at_socket
	check ps_shows_no_new_password ps_shows_no_password
	check missing_new_password_is_status_2 fails 2 'no password was given' at_socket ADD_USER bob - \
		</dev/null
	check another_role_cannot_be_smuggled_in gives 'secret admin' fails 2 'no password with blanks' \
		at_socket ADD_USER bob -
	check two_places_are_status_2 fails 2 'two places' at_socket -P 80 USERS
	check no_socket_is_status_3 fails 3 "cannot reach $TMP/none: No such file" "$CLIENT" \
		--socket "$TMP/none" USERS
	if can_mount; then
		check first_steps_after_installing first_steps
		check flags_lead_elsewhere flags_lead_elsewhere
	else
		skip first_steps_after_installing 'mounts of its own'
	fi
	if ((EUID == 0)); then
		check strangers_are_asked strangers_are_asked
	else
		skip strangers_are_asked root
	fi
	open_terminal 80 24
	check new_password_is_typed_twice types_it_twice
	check two_that_differ_are_none differs_and_goes_on
	check top_at_the_socket top_says_where
	close_terminal
	: >"$TMP/users"
	check refused_reload_is_status_1 reload_says_why_not
	check socket_server_stops stop_socks5d
	check socket_is_gone test ! -e "$TMP/monitor.sock"
}

# ---- where it listens ----

elsewhere() {
	have_ipv6 || {
		skip ipv6 '::1 on the loopback interface'
		return
	}
	start_monitored -L ::1
	check ipv6_address prints 'OK No active users' as_alice -L ::1 USERS
	check ipv6_address_in_brackets prints 'OK No active users' as_alice -L '[::1]' USERS
	check ipv6_nobody_on_ipv4 fails 3 'cannot reach 127.0.0.1' as_alice USERS
	check ipv6_server_stops stop_socks5d
}

start_monitored
one_command
check users_come_and_go users_come_and_go
stop_socks5d
start_monitored # which has seen no wrong login yet
all_of_json
lines
check name_of_the_host prints 'OK No active users' as_alice -L localhost USERS
person
start_monitored
check server_goes_away server_goes_away
elsewhere
own_socket
finish
