#!/usr/bin/env bash
# monitor_client top on terminals of several sizes and kinds, watching real traffic: curl through
# socks5d from nginx.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/clients/monitor.sh
. "$(dirname "$0")/monitor.sh"

need tmux curl nginx

# ---- traffic ----

# download USER:PASSWORD COUNT: that many at once, each a session, for longer than a test takes.
# nginx sets the pace: curl's --limit-rate takes a lot at once and then nothing for long.
download() {
	spawn curl -q -sS --noproxy '' --parallel --parallel-immediate --parallel-max 50 \
		-x "socks5h://$1@$PROXY" -o '/dev/null' \
		"http://localhost:$WEB_PORT/slow/random.bin?[1-$2]" 2>/dev/null
	DOWNLOAD=$SPAWNED
}

sessions_run() {
	[[ $(as_alice CONNECTIONS | grep -c '^id:.* state:RELAY ') == "$1" ]]
}

# ---- the view ----

# start_top TERM VARIABLE=VALUE...
start_top() {
	local type=$1
	shift
	wipe && enter "env TERM=$type MONITOR_PASSWORD=secret $* '$CLIENT' -P $MONITOR_PORT -u alice top"
}

top_shows() {
	await "^socks5d at 127\.0\.0\.1:$MONITOR_PORT, up .* of 200 workers busy$" &&
		await '^q quit  Tab '
}

totals_are_there() {
	start_top screen-256color && top_shows && await '^2 sessions, .* so far, .*, 2 users$'
}

sessions_are_listed() {
	await "^ +[0-9]+ alice +localhost:$WEB_PORT +[0-9]+s" &&
		await "^ +[0-9]+ bob +localhost:$WEB_PORT +[0-9]+s" &&
		await "^RELAY CONNECT from 127\.0\.0\.1:[0-9]+ to localhost:$WEB_PORT at "
}

rates_are_there() {
	await '^DOWN +[0-9.]+[kM]/s' && await '^total [0-9.]+[kM] ' && await '[▁▂▃▄▅▆▇█]' &&
		await "^ +[0-9]+ bob .* [0-9.]+[kM]$"
}

fits_the_screen() {
	[[ $(screen | wc -l) == 24 && $(screen | wc -L) -le 80 ]]
}

ids() {
	screen | sed -n 's/^ *\([0-9][0-9]*\) [a-z]* .*:.*/\1/p'
}

ids_are_sorted() {
	[[ -n $(ids) && $(ids) == $(ids | sort -n "$@") ]]
}

sorts() {
	press '>' && await '^Sessions: 2, by ID, largest first$' && wait_for 30 ids_are_sorted -r &&
		press r && await '^Sessions: 2, by ID, smallest first$' &&
		wait_for 30 ids_are_sorted && press Right && await 'by USER, first first$' &&
		press '<' Left && await 'by DOWN/s, largest first$'
}

filters() {
	press / && await '^Filter: *$' && press bx BSpace ob && await '^Filter: bob *$' &&
		press Enter && await '^Sessions: 1, .*, with "bob"$' &&
		await_not '^ +[0-9]+ alice ' && await '^ +[0-9]+ bob '
}

unfilters() {
	press Escape && await '^Sessions: 2, by DOWN/s, largest first$' &&
		press / && await '^Filter' && press alice Escape && await '^Sessions: 2, [^"]*$'
}

lists_users() {
	press Tab && await '^Users: 2, by DOWN/s, largest first$' && await '^USER +SESSIONS +AGE' &&
		await '^alice +1 ' && await '^bob +1 ' && press u && await '^Sessions: 2, '
}

lists_accounts() {
	press a && await '^Accounts: 2, by RECVD, largest first$' &&
		await '^USER +ROLE +SESSIONS +SO FAR +SENT RECVD LIMITS' &&
		await '^alice +admin +1 ' && await '^bob +' && press a && await '^Sessions: 2, '
}

# A server without a history says so where they would be.
lists_sites_or_says_why_not() {
	press s && await '^Sites: 0, ' && await '^SITE +SESSIONS REFUSED' &&
		await '[Ss]ites|SITES|state_dir' && press s && await '^Sessions: 2, '
}

# From a port at which nobody listens.
fail_as_bob() {
	! curl -q -sS --noproxy '' -x "socks5h://bob:hidden@$PROXY" -o /dev/null \
		http://127.0.0.1:1/ 2>/dev/null
}

lists_failures() {
	fail_as_bob && press f && await '^Failures: 1, by TIME, last first$' &&
		await '^TIME +USER +CLIENT +TARGET +REASON' &&
		await '^[0-9-]+ [0-9:]+ bob +127\.0\.0\.1 +127\.0\.0\.1:1 +connect_refused' &&
		await "^the target's host is there" && fits_the_screen
}

explains_a_failure() {
	press w && await ': bob from 127\.0\.0\.1 wanted CONNECT 127\.0\.0\.1:1$' &&
		await '^  why: connect_refused, .*ECONNREFUSED$' &&
		await "^  what to do: the target's host" && await_not '^Failures: ' &&
		press x && await '^Failures: 1, ' && press k && await '^Nothing here can be ended' &&
		press f && await '^Sessions: 2, '
}

explains_a_user() {
	press u && await '^Users: 2, ' && press / bob Enter && await '^Users: 1, ' && press w &&
		await '^  why: connect_refused, ' && press x && press Escape && press u &&
		await '^Sessions: 2, '
}

# One of them is needed, and nobody listens there.
lists_upstreams() {
	! curl -q -sS --noproxy '' -x "socks5h://bob:hidden@$PROXY" -o /dev/null \
		http://127.0.0.1:9/ 2>/dev/null && press v &&
		await '^Upstreams: 2, by UPSTREAM, first first$' &&
		await '^UPSTREAM +URL +STATE +REST SESSIONS SO FAR FAILED LAST FAULT$' &&
		await '^away +socks5://127\.0\.0\.1:1 +resting +[0-9]+s +0 +0 +1 unreachable$' &&
		await '^near +http://proxy\.example\.o~ +up +- +0 +0 +0 -$' &&
		await '^away: socks5://127\.0\.0\.1:1 resting, unreachable$' && press Down &&
		await '^near: http://proxy\.example\.org:3128 up$' && fits_the_screen &&
		press v && await '^Sessions: 2, '
}

goes_through_the_views() {
	press Tab && await '^Users: ' && press Tab && await '^Accounts: ' && press Tab &&
		await '^Sites: ' && press Tab && await '^Failures: ' && press Tab &&
		await '^Upstreams: ' && press Tab && await '^Sessions: 2, '
}

follows_the_size() {
	resize_terminal 130 40 && await '^ +ID USER +CLIENT +TARGET +STATE +AGE' &&
		resize_terminal 79 24 && await '^too small: 79x24, needs 80x24$' &&
		await_not '^Sessions: ' && resize_terminal 60 10 && await '^too small: 60x10' &&
		resize_terminal 80 24 && await '^ +ID USER +TARGET +AGE' && await '^q quit  Tab ' &&
		fits_the_screen
}

only_bob() {
	press / && await '^Filter' && press bob Enter && await '^Sessions: 1, '
}

leaves_a_session_that_is_not_to_end() {
	only_bob && press k && await "^End session [0-9]+ of bob to localhost:$WEB_PORT\? \(y/n\)$" &&
		press n && await_not '^End session' && await '^ +[0-9]+ bob ' && sessions_run 2
}

ends_a_session() {
	press k && await '^End session [0-9]+ of bob ' && press y &&
		await '^OK Session [0-9]+ ended$' && await '^Sessions: 0, ' && sessions_run 1 &&
		wait_for 30 gone "$BOB"
}

ends_a_users_sessions() {
	press Escape Tab && await '^alice +1 ' && press k &&
		await '^End all sessions of alice\? \(y/n\)$' && press y &&
		await '^OK 1 session of alice ended$' && await '^Users: 0, ' &&
		wait_for 30 gone "$ALICE"
}

quits() {
	press q && ended_with 0
}

shows_keys() {
	press '?' && await '^Keys$' && await '^k, Delete  ' && await_not '^Sessions: ' && press x &&
		await '^Sessions: 2, ' && await_not '^Keys$'
}

# Nothing moves any more when it starts.
begins_with_the_past() {
	start_top screen-256color && await '^Sessions: 0, ' && await '[▁▂▃▄▅▆▇█]' && press q &&
		ended_with 0
}

shares_the_width() {
	resize_terminal 100 24 && await '^ +ID USER +CLIENT +TARGET +STATE +AGE' &&
		await " bob +127\.0\.0\.1:[0-9]+ +localhost:$WEB_PORT +RELAY " &&
		resize_terminal 99 24 && await '^ +ID USER +TARGET +AGE' && resize_terminal 80 24
}

looking_and_ending() {
	download alice:secret 1
	ALICE=$DOWNLOAD
	download bob:hidden 1
	BOB=$DOWNLOAD
	wait_for 30 sessions_run 2 || die 'no traffic'
	check top_totals totals_are_there
	check top_sessions sessions_are_listed
	check top_rates_and_plot rates_are_there
	check top_fits_80x24 fits_the_screen
	check top_sorts sorts
	check top_filters filters
	check top_unfilters unfilters
	check top_users lists_users
	check top_accounts lists_accounts
	check top_sites lists_sites_or_says_why_not
	check top_failures lists_failures
	check top_explains_a_failure explains_a_failure
	check top_explains_a_user explains_a_user
	check top_upstreams lists_upstreams
	check top_goes_through_the_views goes_through_the_views
	check top_follows_the_size follows_the_size
	check top_shares_the_width shares_the_width
	check top_shows_keys shows_keys
	check top_asks_before_it_ends_a_session leaves_a_session_that_is_not_to_end
	check top_ends_a_session ends_a_session
	check top_ends_a_users_sessions ends_a_users_sessions
	check top_quits quits
	check top_begins_with_the_past begins_with_the_past
	retire "$ALICE" 2>/dev/null
	retire "$BOB" 2>/dev/null
}

# ---- more rows than lines ----

lists_many() {
	start_top screen-256color && await '^Sessions: 12 of 20, ' && press '>' r &&
		await 'by ID, smallest first$' && wait_for 30 ids_are_sorted
}

highest_is_shown() {
	[[ $(ids | tail -n 1) == $(as_alice CONNECTIONS | sed -n 's/^id:\([0-9]*\) .*/\1/p' |
		sort -n | tail -n 1) ]]
}

scrolls() {
	! highest_is_shown && press End && wait_for 30 highest_is_shown && press Home &&
		wait_for 30 ids_begin_low && press NPage NPage && wait_for 30 highest_is_shown
}

ids_begin_low() {
	! highest_is_shown
}

ctrl_c_quits() {
	press C-c && ended_with 0
}

many_rows() {
	download bob:hidden 20
	wait_for 30 sessions_run 20 || die 'no traffic'
	check top_many_rows lists_many
	check top_scrolls scrolls
	check top_ctrl_c ctrl_c_quits
}

# ---- terminals ----

coloured() {
	tmux_ capture-pane -e -p -t "$TERMINAL" | grep -q $'\e\\[[0-9;]*3[1-7]m'
}

has_colours() {
	start_top screen-256color && await '^Sessions: 12 of 20, ' && wait_for 30 coloured && quits
}

# It is drawn, rates included, and then has no colour anywhere.
has_no_colours() {
	start_top "$@" && await '^Sessions: 12 of 20, ' && await '^DOWN +[0-9.]+[kM]/s' && ! coloured &&
		quits
}

draws_ascii() {
	start_top screen-256color LC_ALL=C && await '^Sessions: 12 of 20, ' &&
		await '^(DOWN|total|scale) .*[.:|]$' && ! shows '[▁▂▃▄▅▆▇█]' && quits
}

stops_and_goes_on() {
	start_top screen-256color && await '^Sessions: 12 of 20, ' && press C-z && await Stopped &&
		enter fg && await '^Sessions: 12 of 20, ' && quits
}

refused() {
	local text=$1
	shift
	start_top "$@" && await "^monitor_client: top: .*$text" && ended_with 2
}

too_small() {
	resize_terminal 79 24 && refused '79x24, and 80x24 is the least' screen-256color
}

terminals() {
	check top_colours has_colours
	check top_vt100_has_no_colours has_no_colours vt100
	check top_no_color has_no_colours screen-256color NO_COLOR=1
	check top_without_utf8 draws_ascii
	check top_stops_and_goes_on stops_and_goes_on
	check top_dumb_terminal refused 'TERM=dumb: a terminal that cannot move its cursor' dumb
	check top_unknown_terminal refused 'TERM=nosuch: no such terminal is known' nosuch
	check top_too_small too_small
	check top_without_terminal fails 2 'must be a terminal' as_alice top
	resize_terminal 80 24
}

server_goes_away() {
	start_top screen-256color && await '^Sessions: ' && stop_socks5d &&
		await '^monitor_client: the (server ended|connection broke)' && ended_with 3
}

start_nginx 50000000
start_monitored -u bob:hidden --drain-timeout 0 --upstream 'away socks5://127.0.0.1:1' \
	--upstream 'near http://proxy.example.org:3128' --rule 'via away port 9'
open_terminal 80 24
looking_and_ending
many_rows
terminals
check top_notices_the_end_of_the_server server_goes_away
finish
