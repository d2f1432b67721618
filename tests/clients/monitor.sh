# shellcheck shell=bash disable=SC2034 # variables are for the tests
# What the tests of monitor_client share, beside lib.sh: a socks5d with its monitor, and a terminal
# of tmux to type into and to look at.
#
#	start_monitored ARG...		start_socks5d, and sets MONITOR_PORT
#	client ARG...			runs monitor_client on it
#	as_alice, answers ARG...	the same as she
#	open_terminal COLUMNS LINES	a shell on a terminal of that size
#	enter TEXT			types a line
#	press KEY...			presses keys, by tmux's names
#	await REGEX			waits until the screen shows it

CLIENT=$(realpath "${MONITOR_CLIENT:-$(dirname "$SOCKS5D")/monitor_client}")
[[ -x $CLIENT ]] || die "no $CLIENT: run make first"
unset MONITOR_PASSWORD NO_COLOR EDITRC PAGER LESS XDG_STATE_HOME

# libedit 3.1 of 2022 never frees the name and the help of a function that is added to it.
echo leak:wcsdup >"$TMP/lsan"
export LSAN_OPTIONS=suppressions=$TMP/lsan:print_suppressions=0

# ---- the server ----

# alice may use the monitor.
start_monitored() {
	start_socks5d -u alice:secret "$@"
	wait_for 30 monitor_listens || die "no monitor in the log: $(cat "$LOG")"
}

monitor_listens() {
	MONITOR_PORT=$(sed -n 's/.* msg="monitor listening" address=[^ ]*:\([0-9]*\).*/\1/p' "$LOG" |
		head -n 1)
	[[ -n $MONITOR_PORT ]]
}

client() {
	bounded "$CLIENT" -P "$MONITOR_PORT" "$@"
}

# The same as alice, with her password from the environment.
as_alice() {
	MONITOR_PASSWORD=secret client -u alice "$@"
}

# The same, and what she is answered stays in $TMP/answer.
answers() {
	as_alice "$@" >"$TMP/answer" 2>&1
	local status=$?
	cat "$TMP/answer"
	return "$status"
}

# ---- the terminal ----

TERMINALS=0
WIPES=0

# All of them belong to one tmux of ours, which stays in the foreground so that its pid is known.
tmux_() {
	tmux -u -S "$TMP/tmux" -f /dev/null "$@"
}

tmux_answers() {
	tmux_ list-sessions >/dev/null 2>&1 || tmux_ start-server >/dev/null 2>&1
}

open_terminal() {
	if ((TERMINALS == 0)); then
		spawn tmux -u -S "$TMP/tmux" -f /dev/null -D
		wait_for 30 tmux_answers || die 'tmux does not start'
	fi
	TERMINALS=$((TERMINALS + 1))
	TERMINAL=terminal$TERMINALS
	tmux_ new-session -d -s "$TERMINAL" -x "$1" -y "$2" \
		"env LC_ALL=C.UTF-8 PS1='ready> ' bash --norc --noprofile" || die 'no terminal'
	await '^ready>'
}

# Whatever runs in it gets SIGHUP, as from a terminal that is closed.
close_terminal() {
	tmux_ kill-session -t "$TERMINAL"
}

# tmux tells the terminal's programs a little later.
resize_terminal() {
	tmux_ resize-window -t "$TERMINAL" -x "$1" -y "$2"
	wait_for 30 terminal_is "$2 $1"
}

terminal_is() {
	[[ $(stty size <"$(tmux_ display-message -p -t "$TERMINAL" '#{pane_tty}')") == "$1" ]]
}

screen() {
	tmux_ capture-pane -p -t "$TERMINAL"
}

press() {
	tmux_ send-keys -t "$TERMINAL" "$@"
}

enter() {
	tmux_ send-keys -t "$TERMINAL" -l "$1"
	press Enter
}

shows() {
	screen | grep -qE -- "$1"
}

shows_not() {
	! shows "$1"
}

await() {
	wait_for 30 shows "$1" || {
		echo "the screen does not show: $1"
		screen
		return 1
	}
}

await_not() {
	wait_for 30 shows_not "$1" || {
		echo "the screen still shows: $1"
		screen
		return 1
	}
}

# Clears the screen, so that what is awaited next is new. The line that is typed goes with it.
wipe() {
	WIPES=$((WIPES + 1))
	enter "clear; echo wiped $WIPES"
	await "^wiped $WIPES\$"
}

at_shell() {
	[[ $(screen | grep . | tail -n 1) == 'ready>' ]]
}

# At the shell again: with which status, and with an echo on the terminal? What is typed before the
# shell is back may be lost, as libedit drops it.
ended_with() {
	wait_for 30 at_shell || {
		echo 'the shell is not back'
		screen
		return 1
	}
	# shellcheck disable=SC2016 # the shell in the terminal is to expand it
	enter 'echo "status=$? $(stty -a | grep -oE -- "-?icanon|-?echo " | tr "\n" " ")"'
	await "^status=$1 icanon echo"
}
