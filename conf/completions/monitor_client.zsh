#compdef monitor_client
# Completion of monitor_client in zsh. Made by `make docs` from the tables of flags, settings
# and commands.

_monitor_client_request() {
	local words_before=(${(U)words[1]} ${words[2,CURRENT-1]}) legal=
	local -a commands=(
		'STATS:what was counted and measured since the start'
		'CONNECTIONS:the sessions that run now, or those of a user or of a client'\''s address or network, a line each'
		'USERS:the users who have a session now'
		'CONFIG:shows all settings or one of them, or changes one'
		'ACCESS_LOG:the requests that were answered, of all, of a user or of a client'\''s address, or the newest of them, or those of a day'
		'QUIT:ends the connection to the monitor'
		'HELP:this list'
		'ACCOUNTS:all users there are: role, sessions, bytes, last login'
		'ADD_USER:adds a user, who may use the monitor too if admin; helper, with the password *: whose password auth_socket knows'
		'SET_PASSWORD:gives a user another password, which may have blanks in it'
		'DEL_USER:deletes a user and ends the user'\''s sessions'
		'KILL:ends a session'
		'KILL_USER:ends all sessions of a user (Anonymous: of those without a login), of a client'\''s address or network, or of a group'
		'RELOAD:reads configuration and users again and opens the logs again; CUT: and ends the sessions that the rules would refuse by now'
		'LOG_LEVEL:changes what is logged'
		'TRAFFIC:bytes moved of late, newest first, in steps of 1, 60 or 300 seconds'
		'SET_ROLE:lets a user use the monitor, or not any more'
		'SETTINGS:the settings, or those with that in their names: where each value comes from, what the file says'
		'CLIENTS:the clients that are remembered: sessions, bytes, what was refused'
		'UPSTREAMS:the upstreams: whether each works, its sessions, its last fault'
		'RULES:the rules in force: hits, where each comes from, how long a temporary one has left'
		'ALLOW:a rule above all others that allows it for so long'
		'DENY:a rule above all others that denies it for so long, and ends the sessions that it hits'
		'DROP_RULE:takes a temporary rule back, or all of them'
		'EXPLAIN:what would become of a request, gate by gate, and why: from=ADDR [user=NAME] to=HOST:PORT [command=udp] [time="tue 09:30"]; nothing is connected to'
		'LIMITS:what holds for whom, who says it, and what is used and left; or changes it (none lifts a limit, default takes back what was said)'
		'QUOTA:lets a quota start anew, or gives more for this period'
		'DISABLE:keeps a user, a client'\''s address or network, or a group out, and ends the sessions'
		'ENABLE:lets them in again'
		'GUEST:adds a user with a random name and password who expires, in 24 hours if nothing else is said'
		'GUESTS:the guests there are, and when they expire'
		'WHY:the newest failures, 20 of them or that many, and what to do about each'
		'WATCH:sessions as they begin, ask, are refused and end, until a line is sent'
		'NODES:the servers that share their state with this one: which are there, and how many sessions they have'
		'BANS:who is banned from the proxy: since when, until when, and why'
		'BAN:bans a client'\''s address or a network, for a time or for good, and ends its sessions'
		'UNBAN:ends a ban, or all of them'
		'USAGE:what users and clients have used, by bytes: today, yesterday, week, month or dates; this month'
		'DAYS:the same by day: what all clients together have used, or some, or a user'
		'SITES:the sites that were visited, likewise, where sites_days keeps them'
		'FORGET:deletes the history of a user, of a client'\''s address, or all of it'
		'ALARMS:what is wrong now'
		'SHARE_USER:takes a user out of users_file, who is one whom all nodes share from then on'
		'VERSION:which version of the server this is'
		'top:live view of sessions, users and throughput'
	)
	if ((CURRENT == 1)); then
		_describe command commands
		return
	fi
	case "$((CURRENT - 1)) $words_before" in
	'1 CONFIG') legal='listen port protocols http_via monitor_listen monitor_port monitor_socket max_monitor_clients monitor_login_timeout monitor_timeout web_listen max_web_clients web_trusted web_names metrics_from metrics_accounts max_sessions max_sessions_per_client backlog handshake_timeout connect_timeout timeout half_close_timeout drain_timeout relay rate_total group_rate external_address external_interface prefer udp_address udp_ports udp_clients udp_filter udp_timeout bind_address bind_ports bind_timeout bind_any_peer setup_page proxy_name pac_direct pac_fallback clients proxy_protocol_from rule otherwise protect client_group expect recheck upstream auth users_file max_password_checks auth_socket auth_cache max_auth_questions user_defaults group_defaults client_limits anonymous_defaults ban ban_exempt dns_servers dns_search dns_cache dns_negative_ttl user sandbox state_dir history_days sites_days shared shared_password_file shared_prefix node_name shared_users shared_grace shared_nodes client_names access_log_file access_log_entries log_file log_level log_format' ;;
	'3 ADD_USER '*) legal='admin helper' ;;
	'1 RELOAD') legal='CUT' ;;
	'1 LOG_LEVEL') legal='error warn info debug' ;;
	'2 SET_ROLE '*) legal='user admin' ;;
	'1 SETTINGS') legal='listen port protocols http_via monitor_listen monitor_port monitor_socket max_monitor_clients monitor_login_timeout monitor_timeout web_listen max_web_clients web_trusted web_names metrics_from metrics_accounts max_sessions max_sessions_per_client backlog handshake_timeout connect_timeout timeout half_close_timeout drain_timeout relay rate_total group_rate external_address external_interface prefer udp_address udp_ports udp_clients udp_filter udp_timeout bind_address bind_ports bind_timeout bind_any_peer setup_page proxy_name pac_direct pac_fallback clients proxy_protocol_from rule otherwise protect client_group expect recheck upstream auth users_file max_password_checks auth_socket auth_cache max_auth_questions user_defaults group_defaults client_limits anonymous_defaults ban ban_exempt dns_servers dns_search dns_cache dns_negative_ttl user sandbox state_dir history_days sites_days shared shared_password_file shared_prefix node_name shared_users shared_grace shared_nodes client_names access_log_file access_log_entries log_file log_level log_format' ;;
	'2 QUOTA '*) legal='reset' ;;
	'1 WATCH') legal='user= client= to=' ;;
	'2 WATCH '*) legal='user= client= to=' ;;
	'3 WATCH '*) legal='user= client= to=' ;;
	'2 USAGE '*) legal='today yesterday week month' ;;
	'2 DAYS '*) legal='today yesterday week month' ;;
	'2 SITES '*) legal='today yesterday week month' ;;
	'2 CONFIG protocols') legal='socks5 socks4 http' ;;
	'2 CONFIG http_via') legal='no yes' ;;
	'2 CONFIG metrics_accounts') legal='no yes' ;;
	'2 CONFIG max_sessions') legal='auto' ;;
	'2 CONFIG max_sessions_per_client') legal='auto none' ;;
	'2 CONFIG relay') legal='auto copy splice' ;;
	'2 CONFIG prefer') legal='ipv6 ipv4 ipv4-only ipv6-only' ;;
	'2 CONFIG udp_filter') legal='address address-port none' ;;
	'2 CONFIG bind_any_peer') legal='no yes' ;;
	'2 CONFIG setup_page') legal='no yes' ;;
	'2 CONFIG pac_fallback') legal='none direct' ;;
	'2 CONFIG otherwise') legal='allow deny' ;;
	'2 CONFIG protect') legal='loopback link-local metadata multicast private own rebinding none' ;;
	'2 CONFIG recheck') legal='time all no' ;;
	'2 CONFIG auth') legal='auto required optional none' ;;
	'2 CONFIG max_password_checks') legal='auto' ;;
	'2 CONFIG sandbox') legal='on off required' ;;
	'2 CONFIG shared_users') legal='no yes' ;;
	'2 CONFIG log_level') legal='error warn info debug' ;;
	'2 CONFIG log_format') legal='text json' ;;
	esac
	local -a plain=(${${=legal}:#*=}) keys=(${(M)${=legal}:#*=})
	compadd -a plain
	compadd -S '' -a keys
}

_monitor_client() {
	_arguments -s -A '-*' \
		'*'{-L+,--monitor-listen=}'[where the monitor listens: an address or a name; default 127.0.0.1]:ADDR: ' \
		'*'{-P+,--monitor-port=}'[its port; default 8080]:PORT: ' \
		'*--socket=[the server'\''s monitor_socket, where root needs no login; without -L, -P and -u default /run/socks5d/monitor.sock where that may be used]:PATH:_files' \
		'*'{-u+,--user=}'[log in as NAME]:NAME: ' \
		'*--password-file=[the password is the first line of FILE]:FILE:_files' \
		'*--json[print each reply as a JSON object on one line]' \
		'*--all[ask COMMAND of all servers that share their state with this one (shared), as the same user]' \
		'*'{-h,--help}'[this help]' \
		'*'{-v,--version}'[the version]' \
		'*::command:_monitor_client_request'
}

_monitor_client "$@"
