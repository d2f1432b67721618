# shellcheck shell=bash disable=SC2034 # variables are for the tests
# Whether a server is well behind a fault, beside lib.sh, which is to be read before.
#
#	note_health			what it has while nobody is there
#	is_at_rest [SECONDS]		no more connections and pipes than then, within a while
#	note_time, has_not_spun		since note_time it has computed for less than half of the time;
#					has_not_spun MS: for less than that
#	is_short, in_full COMMAND...	samples will do (FAULTS_SHORT); where they do not
#	no_complaints [REASON...]	no errors in the log since mark_log, no session that ended
#					otherwise than by these reasons

is_short() {
	[[ -n ${FAULTS_SHORT:-} ]]
}

in_full() {
	is_short || "$@"
}

# Milliseconds of all threads, from the beginning on.
cpu_ms() {
	local stat words
	stat=$(<"/proc/$1/stat") || return
	read -ra words <<<"${stat##*) }"
	echo $(((words[11] + words[12]) * 1000 / $(getconf CLK_TCK)))
}

now_ms() {
	local up
	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

# Those that sessions have; what a worker keeps for its next one, an eventfd, is none.
open_files() {
	find "/proc/$1/fd" '(' -lname 'socket:*' -o -lname 'pipe:*' ')' | wc -l
}

rests() {
	FILES=$(open_files "$SERVER")
	((FILES <= FILES_AT_REST))
}

note_health() {
	FILES_AT_REST=$(open_files "$SERVER")
}

is_at_rest() {
	wait_for "${1:-30}" rests || {
		echo "$FILES connections and pipes are open, $FILES_AT_REST were"
		ls -l "/proc/$SERVER/fd"
		return 1
	}
}

note_time() {
	CPU_SINCE=$(cpu_ms "$SERVER")
	TIME_SINCE=$(now_ms)
}

has_not_spun() {
	local cpu wall
	cpu=$(($(cpu_ms "$SERVER") - CPU_SINCE))
	wall=$(($(now_ms) - TIME_SINCE))
	echo "$cpu ms of computing in $wall ms"
	((cpu < ${1:-wall / 2}))
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
