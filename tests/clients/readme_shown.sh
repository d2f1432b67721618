# shellcheck shell=bash disable=SC2086,SC2016 # DESK is words
# What README.md shows of logs and terminals, made anew and compared with what it says. For test_readme.sh,
# beside host.sh and monitor.sh; each takes the file with the block.
#
#	logs_session, logs_access	lines of the log and of the file of the access log
#	shows_transcript		monitor_client at its prompt
#	download WHERE LOGIN URL ARG...	for longer than a test takes; WHERE is DESK, or '' for the host itself

# ---- logs ----

# Lines as they are but for numbers, times, units and how many blanks there are.
without_numbers() {
	sed -E -e 's/\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+\+[0-9]+/TIME/' \
		-e 's/\b[0-9]+(\.[0-9]+)?[kMGs]?\b/N/g' -e 's/ +/ /g; s/^ //; s/ $//' "$@"
}

same_text() {
	diff -u "$1" "$2"
}

# The session that block $1 tells of, made anew.
logs_session() {
	local target
	target=$(grep -oE '\btarget=[^ ]*' "$1")
	mark_log
	curl -q -sS -o /dev/null --proxy socks5h://bob:hidden@127.0.0.1:1080 "http://${target#target=}/"
	logged user=bob "$target" || return
	sessions user=bob "$target" | without_numbers >"$TMP/real"
	paste -sd ' ' "$1" | without_numbers >"$TMP/shown"
	same_text "$TMP/shown" "$TMP/real"
}

# Each line's client, login and target, made anew.
logs_access() {
	$DESK curl -q -sSk -o /dev/null --interface 192.168.1.20 --proxy socks5h://bob:hidden@192.168.1.1:1080 \
		https://www.example.org/
	$DESK curl -q -sSk -o /dev/null --interface 192.168.1.31 --proxy socks5h://bob:wrong@192.168.1.1:1080 \
		https://www.example.org/
	wait_for 15 grep -q wrong_password "$HERE/access" || return
	tail -n 2 "$HERE/access" | without_numbers >"$TMP/real"
	without_numbers "$1" >"$TMP/shown"
	same_text "$TMP/shown" "$TMP/real"
}

# ---- sessions to be shown ----

download() {
	spawn $1 curl -q -sSk -o /dev/null --proxy "socks5h://$2@192.168.1.1:1080" "${@:3}" 2>/dev/null
	DOWNLOAD=$SPAWNED
}

# The only ones that reach localhost.
download_here() {
	download '' "$1" http://localhost:28199/slow/random.bin --proxy "socks5h://$1@127.0.0.1:1080"
}

sessions_run() {
	[[ $("$CLIENT" -u alice CONNECTIONS | grep -c '^id:.* state:RELAY ') == "$1" ]]
}

# ---- terminals ----

last_row() {
	screen | sed -n '/./h; ${x; p}'
}

asks() {
	[[ $(last_row) == "$1"* ]]
}

# answer PROMPT TEXT
answer() {
	wait_for 30 asks "$1" && enter "$2"
}

# Session 3 is bob's.
prepare_transcript() {
	download "$DESK" alice:secret https://www.example.org/slow/random.bin --interface 192.168.1.20
	wait_for 30 sessions_run 1 && download_here bob:hidden &&
		wait_for 30 sessions_run 2 && stop "$DOWNLOAD"
	wait_for 30 sessions_run 1 &&
		download "$DESK" bob:hidden http://www.example.net/slow/random.bin --interface 192.168.1.31 &&
		wait_for 30 sessions_run 2
}

# What is typed there is typed here, passwords too, and then the screen is the same.
shows_transcript() {
	local line
	prepare_transcript && open_terminal 110 50 && enter "unset MONITOR_PASSWORD; cd $HERE; clear" &&
		wait_for 30 asks 'ready>' || return
	while IFS= read -r line; do
		case $line in
		'$ '*) answer 'ready>' "${line#??}" ;;
		'monitor> '*) answer 'monitor>' "${line#* }" ;;
		Username:password:*) answer "$line" alice:secret ;;
		'New password:' | 'The same again:') answer "$line" hidden ;;
		esac || return
	done <"$1"
	wait_for 30 asks 'ready>' || return
	screen | sed -e '1s/^ready> /$ /' -e '/^ready>/,$d' | without_numbers >"$TMP/real"
	without_numbers "$1" >"$TMP/shown"
	close_terminal
	same_text "$TMP/shown" "$TMP/real"
}
