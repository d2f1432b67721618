# shellcheck shell=bash disable=SC2034 # variables are for the tests
# Whether a server came through a fault as it went in, beside lib.sh: it lives, holds no more
# descriptors and threads than before, and does nothing while there is nothing to do.
#
#	note_health			what there is before
#	is_healthy			after it
#	says COUNT TEXT			in the log since mark_log, so many times, and not more
#	serves				a page of WEB comes through PROXY

note_health() {
	wait_for 15 is_at_rest
	HAD_DESCRIPTORS=$(count_descriptors)
	HAD_THREADS=$(count_threads)
}

count_descriptors() {
	local all=(/proc/"$SERVER"/fd/*)
	echo ${#all[@]}
}

count_threads() {
	local all=(/proc/"$SERVER"/task/*)
	echo ${#all[@]}
}

# Ticks of the processor, 100 a second.
count_ticks() {
	local stat
	read -r -a stat <"/proc/$SERVER/stat" && echo $((stat[13] + stat[14]))
}

# Within half a second a server that spins uses up 50.
is_at_rest() {
	local before after
	before=$(count_ticks) && sleep 0.5 && after=$(count_ticks) && ((after - before < 15))
}

has_what_it_had() {
	(($(count_descriptors) <= HAD_DESCRIPTORS && $(count_threads) == HAD_THREADS))
}

is_healthy() {
	! gone "$SERVER" || return 1
	wait_for 15 has_what_it_had || {
		echo "descriptors: $(count_descriptors), before $HAD_DESCRIPTORS;" \
			"threads: $(count_threads), before $HAD_THREADS"
		ls -l "/proc/$SERVER/fd"
		return 1
	}
	wait_for 15 is_at_rest || {
		echo 'it does not come to rest'
		return 1
	}
}

says() {
	wait_for 15 said "$@" || {
		echo "not said $1 times: $2"
		tail -n "+$LOG_MARK" "$LOG"
		return 1
	}
}

said() {
	(($(tail -n "+$LOG_MARK" "$LOG" | grep -cF -- "$2") == $1))
}

# Not by the log, which may be what is out of order.
serves() {
	run_curl -o "$TMP/got" -x "socks5h://${1:-}$PROXY" "http://$WEB/page.txt" &&
		cmp "$TMP/got" "$WWW/page.txt"
}
