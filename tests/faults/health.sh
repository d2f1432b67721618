# shellcheck shell=bash disable=SC2034 # variables are for the tests
# Whether a server came through a fault as it went in, beside lib.sh, which is to be read before: it
# lives, holds no more than before, does nothing while there is nothing to do, and has complained of
# nothing else.
#
#	note_health			what there is before, while nobody is there
#	is_healthy			after it: no more descriptors and threads, and at rest
#	has_let_go [SECONDS]		no more connections and pipes than then, within a while
#	note_time, has_not_spun		since note_time it has computed for less than half of the time;
#					has_not_spun MS: for less than that
#	says COUNT TEXT			in the log since mark_log, so many times, and not more
#	no_complaints [REASON...]	no errors in the log since mark_log, no session that ended
#					otherwise than by these reasons
#	serves				a page of WEB comes through PROXY

# shellcheck source=tests/faults/short.sh
. "$(dirname "${BASH_SOURCE[0]}")/short.sh"

note_health() {
	wait_for 15 is_at_rest
	HAD_DESCRIPTORS=$(count_descriptors)
	HAD_THREADS=$(count_threads)
	HAD_CONNECTIONS=$(count_connections)
}

count_descriptors() {
	local all=(/proc/"$SERVER"/fd/*)
	echo ${#all[@]}
}

count_threads() {
	local all=(/proc/"$SERVER"/task/*)
	echo ${#all[@]}
}

# Those that sessions have, and pipes; what a worker keeps for its next one, an eventfd, is none.
count_connections() {
	find "/proc/$SERVER/fd" '(' -lname 'socket:*' -o -lname 'pipe:*' ')' | wc -l
}

# Milliseconds of all threads, from the beginning on.
cpu_ms() {
	local stat words
	stat=$(<"/proc/$SERVER/stat") || return
	read -ra words <<<"${stat##*) }"
	echo $(((words[11] + words[12]) * 1000 / $(getconf CLK_TCK)))
}

# Within half a second a server that spins computes for 500 ms.
is_at_rest() {
	local before after
	before=$(cpu_ms) && sleep 0.5 && after=$(cpu_ms) && ((after - before < 150))
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

has_few_connections() {
	CONNECTIONS=$(count_connections)
	((CONNECTIONS <= HAD_CONNECTIONS))
}

has_let_go() {
	wait_for "${1:-30}" has_few_connections || {
		echo "$CONNECTIONS connections and pipes are open, $HAD_CONNECTIONS were"
		ls -l "/proc/$SERVER/fd"
		return 1
	}
}

now_ms() {
	local up
	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

note_time() {
	CPU_SINCE=$(cpu_ms)
	TIME_SINCE=$(now_ms)
}

has_not_spun() {
	local cpu wall
	cpu=$(($(cpu_ms) - CPU_SINCE))
	wall=$(($(now_ms) - TIME_SINCE))
	echo "$cpu ms of computing in $wall ms"
	((cpu < ${1:-wall / 2}))
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

no_complaints() {
	local line reason
	while IFS= read -r line; do
		[[ $line != *' level=error '* ]] || {
			echo "$line"
			return 1
		}
		[[ $line == *' msg="session ended" '* ]] || continue
		reason=${line##* reason=}
		[[ " ${*:-closed} " == *" ${reason%% *} "* ]] || {
			echo "$line"
			return 1
		}
	done < <(tail -n "+$LOG_MARK" "$LOG")
}

# Not by the log, which may be what is out of order.
serves() {
	run_curl -o "$TMP/got" -x "socks5h://${1:-}$PROXY" "http://$WEB/page.txt" &&
		cmp "$TMP/got" "$WWW/page.txt"
}
