#!/usr/bin/env bash
# curl through socks5d to nginx: addresses and names, IPv4 and IPv6, logins, refusals, bulk both
# ways, many at once, the users file and what the log may say.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need curl nginx

# refused TEXT LOGGED ARG...: curl's status is the one for a proxy's refusal, and it says why.
refused() {
	local text=$1 field=$2
	shift 2
	mark_log
	fails 97 "$text" run_curl "$@" && logged "$field" outcome=fail
}

# ---- without users ----

addresses_and_names() {
	local page=http://$WEB/page.txt name=localhost:$WEB_PORT
	check socks5_option gets_page "$WEB" --socks5 "$PROXY" "$page"
	check socks5_hostname_option gets_page "$WEB" --socks5-hostname "$PROXY" "$page"
	check socks5_url gets_page "$WEB" -x "socks5://$PROXY" "$page"
	check socks5h_url gets_page "$WEB" -x "socks5h://$PROXY" "$page"
	check only_ipv4 gets_page "$WEB" -4 --socks5 "$PROXY" "http://$name/page.txt"
	check name_resolved_by_curl gets_page "$WEB" -4 -x "socks5://$PROXY" "http://$name/page.txt"
	check name_resolved_by_the_proxy gets_page "$name" -x "socks5h://$PROXY" \
		"http://$name/page.txt"
	check name_with_socks5_hostname gets_page "$name" --socks5-hostname "$PROXY" \
		"http://$name/page.txt"
	check offered_login_is_not_needed gets_page "$WEB" --socks5 "$PROXY" -U bob:guess "$page"
}

ipv6() {
	[[ -n $WEB6 ]] || {
		skip ipv6 '::1 on the loopback interface'
		return
	}
	local page=http://$WEB6/page.txt proxy6
	check ipv6_socks5_option gets_page "$WEB6" --socks5 "$PROXY" "$page"
	check ipv6_socks5_hostname_option gets_page "$WEB6" --socks5-hostname "$PROXY" "$page"
	check ipv6_socks5_url gets_page "$WEB6" -x "socks5://$PROXY" "$page"
	check ipv6_socks5h_url gets_page "$WEB6" -x "socks5h://$PROXY" "$page"
	proxy6=$(listening_on '\[::1\]:[0-9]*')
	check ipv6_client gets_page "$WEB" -x "socks5h://$proxy6" "http://$WEB/page.txt"
	check ipv6_client_ipv6_target gets_page "$WEB6" -x "socks5h://$proxy6" "$page"
	# curl's -6 concerns the way to the proxy too
	check only_ipv6 gets_page "$WEB6" -6 --socks5 "$proxy6" "$page"
	check only_ipv6_socks5_hostname gets_page "$WEB6" -6 --socks5-hostname "$proxy6" "$page"
}

refusals() {
	local nothing own_name
	nothing=127.0.0.1:$(free_port)
	own_name=localhost:${PROXY##*:}
	check refused_port refused '(5)' "target=$nothing" --socks5 "$PROXY" "http://$nothing/"
	check unresolvable_name refused '(4)' target=nosuch.invalid:80 --socks5-hostname "$PROXY" \
		http://nosuch.invalid/
	check own_port_by_address refused '(2)' "target=$PROXY" --socks5 "$PROXY" "http://$PROXY/"
	check own_port_by_name refused '(2)' "target=$own_name" --socks5-hostname "$PROXY" \
		"http://$own_name/"
	check serves_after_refusals gets_page "$WEB" --socks5 "$PROXY" "http://$WEB/page.txt"
}

download() {
	local status=0
	mark_log
	run_curl --socks5 "$PROXY" -o "$TMP/got" "http://$WEB/random.bin" &&
		same_digest "$TMP/got" "$WWW/random.bin" &&
		logged "target=$WEB" outcome=success || status=1
	rm -f "$TMP/got"
	return "$status"
}

upload() {
	local status=0
	mark_log
	run_curl --fail --socks5-hostname "$PROXY" -T "$WWW/random.bin" -H 'Expect:' \
		"http://$WEB/put/uploaded" &&
		same_digest "$WWW/put/uploaded" "$WWW/random.bin" &&
		logged "target=$WEB" outcome=success || status=1
	rm -f "$WWW/put/uploaded"
	return "$status"
}

bulk() {
	check download_100_mb download
	if nginx_has_dav; then
		check upload_100_mb upload
	else
		skip upload_100_mb 'nginx with its dav module'
	fi
}

# Fifty connections: nginx ends each of them after one answer.
fifty_at_once() {
	local i
	for i in {1..50}; do
		random_file "$WWW/once/$i" $((i * 1000))
	done
	mark_log
	run_curl --fail --parallel --parallel-immediate --parallel-max 50 --socks5 "$PROXY" \
		-o "$TMP/page.#1" "http://$WEB/once/[1-50]" || return
	for i in {1..50}; do
		cmp "$TMP/page.$i" "$WWW/once/$i" || return
	done
	wait_for 15 sessions_are 50
}

sessions_are() {
	[[ $(sessions "target=$WEB" outcome=success | wc -l) == "$1" ]]
}

two_urls_one_session() {
	mark_log
	run_curl --socks5 "$PROXY" -w '%{stderr}connects=%{num_connects}\n' \
		-o "$TMP/got1" "http://$WEB/page.txt" \
		-o "$TMP/got2" "http://$WEB/page.txt" 2>"$TMP/connects" || return
	cat "$TMP/connects"
	cmp "$TMP/got1" "$WWW/page.txt" && cmp "$TMP/got2" "$WWW/page.txt" &&
		[[ $(tr '\n' ' ' <"$TMP/connects") == 'connects=1 connects=0 ' ]] &&
		logged "target=$WEB" && sessions_are 1
}

without_users() {
	local listen6=()
	! have_ipv6 || listen6=(-l '[::1]')
	start_socks5d "${listen6[@]}"
	addresses_and_names
	ipv6
	refusals
	bulk
	check fifty_urls_at_once fifty_at_once
	check keepalive_two_urls_one_session two_urls_one_session
	check server_without_users_stops stop_socks5d
}

# ---- with users ----

with_login() {
	local page=http://$WEB/page.txt name=localhost:$WEB_PORT
	start_socks5d -u alice:secret
	check right_password gets_page "$WEB" --socks5 "$PROXY" -U alice:secret "$page"
	check right_password_in_socks5_url gets_page "$WEB" -x "socks5://alice:secret@$PROXY" \
		"$page"
	check right_password_in_socks5h_url gets_page "$name" -x "socks5h://alice:secret@$PROXY" \
		"http://$name/page.txt"
	check user_is_logged logged user=alice "target=$name" outcome=success
	check wrong_password refused 'rejected' reason=wrong_password --socks5 "$PROXY" \
		-U alice:wrong-pass "$page"
	check empty_password refused 'rejected' reason=wrong_password --socks5 "$PROXY" \
		-U alice: "$page"
	check unknown_user refused 'rejected' reason=login_refused --socks5 "$PROXY" \
		-U bob:secret "$page"
	check no_password refused 'No authentication method' reason=no_method \
		--socks5 "$PROXY" "$page"
	check refused_port_after_login refused '(5)' user=alice --socks5 "$PROXY" -U alice:secret \
		http://127.0.0.1:1/
	check server_with_login_stops stop_socks5d
}

# Twenty logins at once need more checks of passwords than run at once.
logins_at_once() {
	mark_log
	run_curl --fail --parallel --parallel-immediate --parallel-max 20 --socks5 "$PROXY" \
		-U alice:secret -o "$TMP/page.#1" "http://$WEB/once/[1-20]" || return
	wait_for 15 sessions_are 20
	[[ $(sessions user=alice | wc -l) == 20 ]]
}

optional_login() {
	local page=http://$WEB/page.txt
	start_socks5d -u alice:secret --auth optional
	check optional_twenty_logins_at_once logins_at_once
	check optional_right_password gets_page "$WEB" --socks5 "$PROXY" -U alice:secret "$page"
	check optional_login_is_logged logged user=alice "target=$WEB"
	check optional_no_password gets_page "$WEB" --socks5 "$PROXY" "$page"
	check optional_anonymous_is_logged logged user=Anonymous "target=$WEB"
	check optional_wrong_password gets_page "$WEB" --socks5 "$PROXY" -U alice:wrong-pass "$page"
	check optional_wrong_password_is_logged logged user=Anonymous login=ignored \
		login_user=alice "target=$WEB"
	check optional_server_stops stop_socks5d
}

# ---- the users file ----

has_mode() {
	[[ $(stat -c %a "$2") == "$1" ]] || {
		stat "$2"
		return 1
	}
}

# Neither the right password nor one that somebody tried.
tells_no_password() {
	! grep -E 'secret|wrong-pass' "$@"
}

arguments_hide_password() {
	tr '\0' '\n' <"/proc/$SERVER/cmdline" >"$TMP/cmdline"
	! command -v ps >/dev/null || ps -ww -o args= -p "$SERVER" >>"$TMP/cmdline"
	cat "$TMP/cmdline"
	grep -q 'alice:' "$TMP/cmdline" && tells_no_password "$TMP/cmdline"
}

users_are_saved() {
	local file=$TMP/users page=http://$WEB/page.txt mask
	mask=$(umask)
	umask 000
	start_socks5d -u alice:secret -U "$file" --log-file "$TMP/own.log" --log-level debug
	umask "$mask"
	check users_file_mode has_mode 600 "$file"
	check users_file_has_no_password tells_no_password "$file"
	check saved_user_logs_in gets_page "$WEB" --socks5 "$PROXY" -U alice:secret "$page"
	check log_has_the_session logged user=alice "target=$WEB" outcome=success
	check users_file_wrong_password refused 'rejected' reason=wrong_password --socks5 "$PROXY" \
		-U alice:wrong-pass "$page"
	check arguments_hide_the_password arguments_hide_password
	check users_file_server_stops stop_socks5d
	check log_has_no_password tells_no_password "$LOG" "$STDERR"
}

users_are_read_again() {
	local file=$TMP/users page=http://$WEB/page.txt
	start_socks5d -U "$file"
	check restarted_user_logs_in gets_page "$WEB" --socks5 "$PROXY" -U alice:secret "$page"
	check restarted_user_is_logged logged user=alice "target=$WEB" outcome=success
	check restarted_wrong_password refused 'rejected' reason=wrong_password --socks5 "$PROXY" \
		-U alice:wrong-pass "$page"
	check restarted_no_password refused 'No authentication method' reason=no_method \
		--socks5 "$PROXY" "$page"
	check restarted_users_file_mode has_mode 600 "$file"
	check restarted_server_stops stop_socks5d
	check restarted_log_has_no_password tells_no_password "$LOG"
}

start_nginx
without_users
with_login
optional_login
users_are_saved
users_are_read_again
finish
