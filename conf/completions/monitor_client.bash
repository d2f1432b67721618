# Completion of monitor_client in bash. Made by `make docs` from the tables of flags, settings
# and commands.

_monitor_client_flags='
	--monitor-listen
	--monitor-port
	--socket
	--user
	--password-file
	--json
	--all
	--help
	--version
'

_monitor_client_legal() {
	local request=("$@")
	(($# == 0)) || request[0]=${1^^}
	case "$# ${request[*]}" in
	'0 ') legal='STATS CONNECTIONS USERS CONFIG ACCESS_LOG QUIT HELP ACCOUNTS ADD_USER SET_PASSWORD DEL_USER KILL KILL_USER RELOAD LOG_LEVEL TRAFFIC SET_ROLE SETTINGS CLIENTS UPSTREAMS RULES ALLOW DENY DROP_RULE EXPLAIN LIMITS QUOTA DISABLE ENABLE GUEST GUESTS WHY WATCH NODES BANS BAN UNBAN USAGE DAYS SITES FORGET ALARMS SHARE_USER VERSION top' ;;
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
}

# What stands behind the flags, in front of the word at the cursor.
_monitor_client_request() {
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-L | --monitor-listen | -P | --monitor-port | --socket | -u | --user | --password-file)
			((i += 1))
			[[ ${COMP_WORDS[i]} != = ]] || ((i += 1))
			;;
		-*) ;;
		*) break ;;
		esac
	done
	((i >= COMP_CWORD)) || request=("${COMP_WORDS[@]:i:COMP_CWORD-i}")
}

_monitor_client() {
	local cur=$2 flag=$3 legal= request=()
	# bash takes --flag=value for three words.
	[[ $cur != = ]] || cur=
	[[ $flag != = ]] || flag=${COMP_WORDS[COMP_CWORD - 2]}
	COMPREPLY=()
	_monitor_client_request
	((${#request[@]} == 0)) || flag=
	case $flag in
	--socket | --password-file)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-L | --monitor-listen | -P | --monitor-port | -u | --user)
		return
		;;
	*) [[ $cur != -* ]] || legal=$_monitor_client_flags ;;
	esac
	[[ $cur == -* ]] || _monitor_client_legal "${request[@]}"
	mapfile -t COMPREPLY < <(compgen -W "$legal" -- "$cur")
	[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}

complete -F _monitor_client monitor_client
