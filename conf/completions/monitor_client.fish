# Completion of monitor_client in fish. Made by `make docs` from the tables of flags, settings
# and commands.

# What stands behind the flags, in front of the word at the cursor; fails where there is
# nothing.
function __monitor_client_request
	set -l words (commandline -opc)
	set -e words[1]
	while set -q words[1]
		switch $words[1]
			case -L --monitor-listen -P --monitor-port --socket -u --user --password-file
				set -e words[1]
			case '-*'
			case '*'
				printf '%s\n' (string upper -- $words[1]) $words[2..]
				return 0
		end
		set -e words[1]
	end
	return 1
end

function __monitor_client_legal
	set -l request (__monitor_client_request)
	set -l legal
	switch (count $request)" $request"
		case '1 CONFIG'
			set legal 'listen port protocols http_via monitor_listen monitor_port monitor_socket max_monitor_clients monitor_login_timeout monitor_timeout web_listen max_web_clients web_trusted web_names metrics_from metrics_accounts max_sessions max_sessions_per_client backlog handshake_timeout connect_timeout timeout half_close_timeout drain_timeout relay rate_total group_rate external_address external_interface prefer udp_address udp_ports udp_clients udp_filter udp_timeout bind_address bind_ports bind_timeout bind_any_peer setup_page proxy_name pac_direct pac_fallback clients proxy_protocol_from rule otherwise protect client_group expect recheck upstream auth users_file max_password_checks auth_socket auth_cache max_auth_questions user_defaults group_defaults client_limits anonymous_defaults ban ban_exempt dns_servers dns_search dns_cache dns_negative_ttl user sandbox state_dir history_days sites_days shared shared_password_file shared_prefix node_name client_names access_log_file access_log_entries log_file log_level log_format'
		case '3 ADD_USER *'
			set legal 'admin helper'
		case '1 RELOAD'
			set legal 'CUT'
		case '1 LOG_LEVEL'
			set legal 'error warn info debug'
		case '2 SET_ROLE *'
			set legal 'user admin'
		case '1 SETTINGS'
			set legal 'listen port protocols http_via monitor_listen monitor_port monitor_socket max_monitor_clients monitor_login_timeout monitor_timeout web_listen max_web_clients web_trusted web_names metrics_from metrics_accounts max_sessions max_sessions_per_client backlog handshake_timeout connect_timeout timeout half_close_timeout drain_timeout relay rate_total group_rate external_address external_interface prefer udp_address udp_ports udp_clients udp_filter udp_timeout bind_address bind_ports bind_timeout bind_any_peer setup_page proxy_name pac_direct pac_fallback clients proxy_protocol_from rule otherwise protect client_group expect recheck upstream auth users_file max_password_checks auth_socket auth_cache max_auth_questions user_defaults group_defaults client_limits anonymous_defaults ban ban_exempt dns_servers dns_search dns_cache dns_negative_ttl user sandbox state_dir history_days sites_days shared shared_password_file shared_prefix node_name client_names access_log_file access_log_entries log_file log_level log_format'
		case '2 QUOTA *'
			set legal 'reset'
		case '1 WATCH'
			set legal 'user= client= to='
		case '2 WATCH *'
			set legal 'user= client= to='
		case '3 WATCH *'
			set legal 'user= client= to='
		case '2 USAGE *'
			set legal 'today yesterday week month'
		case '2 DAYS *'
			set legal 'today yesterday week month'
		case '2 SITES *'
			set legal 'today yesterday week month'
		case '2 CONFIG protocols'
			set legal 'socks5 socks4 http'
		case '2 CONFIG http_via'
			set legal 'no yes'
		case '2 CONFIG metrics_accounts'
			set legal 'no yes'
		case '2 CONFIG max_sessions'
			set legal 'auto'
		case '2 CONFIG max_sessions_per_client'
			set legal 'auto none'
		case '2 CONFIG relay'
			set legal 'auto copy splice'
		case '2 CONFIG prefer'
			set legal 'ipv6 ipv4 ipv4-only ipv6-only'
		case '2 CONFIG udp_filter'
			set legal 'address address-port none'
		case '2 CONFIG bind_any_peer'
			set legal 'no yes'
		case '2 CONFIG setup_page'
			set legal 'no yes'
		case '2 CONFIG pac_fallback'
			set legal 'none direct'
		case '2 CONFIG otherwise'
			set legal 'allow deny'
		case '2 CONFIG protect'
			set legal 'loopback link-local metadata multicast private own rebinding none'
		case '2 CONFIG recheck'
			set legal 'time all no'
		case '2 CONFIG auth'
			set legal 'auto required optional none'
		case '2 CONFIG max_password_checks'
			set legal 'auto'
		case '2 CONFIG sandbox'
			set legal 'on off required'
		case '2 CONFIG log_level'
			set legal 'error warn info debug'
		case '2 CONFIG log_format'
			set legal 'text json'
	end
	string split -n ' ' -- $legal
end

complete -c monitor_client -f
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -s L -l monitor-listen -x -d 'where the monitor listens: an address or a name; default 127.0.0.1'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -s P -l monitor-port -x -d 'its port; default 8080'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -l socket -r -F -d 'the server'\''s monitor_socket, where root needs no login; without -L, -P and -u default /run/socks5d/monitor.sock where that may be used'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -s u -l user -x -d 'log in as NAME'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -l password-file -r -F -d 'the password is the first line of FILE'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -l json -d 'print each reply as a JSON object on one line'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -l all -d 'ask COMMAND of all servers that share their state with this one (shared), as the same user'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -s h -l help -d 'this help'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -s v -l version -d 'the version'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a STATS -d 'what was counted and measured since the start'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a CONNECTIONS -d 'the sessions that run now, or those of a user or of a client'\''s address or network, a line each'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a USERS -d 'the users who have a session now'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a CONFIG -d 'shows all settings or one of them, or changes one'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a ACCESS_LOG -d 'the requests that were answered, of all, of a user or of a client'\''s address, or the newest of them, or those of a day'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a QUIT -d 'ends the connection to the monitor'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a HELP -d 'this list'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a ACCOUNTS -d 'all users there are: role, sessions, bytes, last login'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a ADD_USER -d 'adds a user, who may use the monitor too if admin; helper, with the password *: whose password auth_socket knows'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a SET_PASSWORD -d 'gives a user another password, which may have blanks in it'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a DEL_USER -d 'deletes a user and ends the user'\''s sessions'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a KILL -d 'ends a session'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a KILL_USER -d 'ends all sessions of a user (Anonymous: of those without a login), of a client'\''s address or network, or of a group'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a RELOAD -d 'reads configuration and users again and opens the logs again; CUT: and ends the sessions that the rules would refuse by now'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a LOG_LEVEL -d 'changes what is logged'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a TRAFFIC -d 'bytes moved of late, newest first, in steps of 1, 60 or 300 seconds'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a SET_ROLE -d 'lets a user use the monitor, or not any more'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a SETTINGS -d 'the settings, or those with that in their names: where each value comes from, what the file says'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a CLIENTS -d 'the clients that are remembered: sessions, bytes, what was refused'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a UPSTREAMS -d 'the upstreams: whether each works, its sessions, its last fault'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a RULES -d 'the rules in force: hits, where each comes from, how long a temporary one has left'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a ALLOW -d 'a rule above all others that allows it for so long'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a DENY -d 'a rule above all others that denies it for so long, and ends the sessions that it hits'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a DROP_RULE -d 'takes a temporary rule back, or all of them'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a EXPLAIN -d 'what would become of a request, gate by gate, and why: from=ADDR [user=NAME] to=HOST:PORT [command=udp] [time="tue 09:30"]; nothing is connected to'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a LIMITS -d 'what holds for whom, who says it, and what is used and left; or changes it (none lifts a limit, default takes back what was said)'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a QUOTA -d 'lets a quota start anew, or gives more for this period'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a DISABLE -d 'keeps a user, a client'\''s address or network, or a group out, and ends the sessions'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a ENABLE -d 'lets them in again'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a GUEST -d 'adds a user with a random name and password who expires, in 24 hours if nothing else is said'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a GUESTS -d 'the guests there are, and when they expire'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a WHY -d 'the newest failures, 20 of them or that many, and what to do about each'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a WATCH -d 'sessions as they begin, ask, are refused and end, until a line is sent'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a NODES -d 'the servers that share their state with this one: which are there, and how many sessions they have'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a BANS -d 'who is banned from the proxy: since when, until when, and why'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a BAN -d 'bans a client'\''s address or a network, for a time or for good, and ends its sessions'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a UNBAN -d 'ends a ban, or all of them'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a USAGE -d 'what users and clients have used, by bytes: today, yesterday, week, month or dates; this month'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a DAYS -d 'the same by day: what all clients together have used, or some, or a user'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a SITES -d 'the sites that were visited, likewise, where sites_days keeps them'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a FORGET -d 'deletes the history of a user, of a client'\''s address, or all of it'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a ALARMS -d 'what is wrong now'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a VERSION -d 'which version of the server this is'
complete -c monitor_client -n 'not __monitor_client_request >/dev/null' -a top -d 'live view of sessions, users and throughput'
complete -c monitor_client -n '__monitor_client_request >/dev/null' -a '(__monitor_client_legal)'
