# Completion of socks5d and monitor_client in bash: flags as their own help lists them, files, and
# the monitor's commands.

# BEGIN COMMANDS
_monitor_commands='
	STATS CONNECTIONS USERS CONFIG ACCESS_LOG QUIT HELP ACCOUNTS ADD_USER
	SET_PASSWORD DEL_USER KILL KILL_USER RELOAD LOG_LEVEL TRAFFIC SET_ROLE
	SETTINGS CLIENTS UPSTREAMS RULES ALLOW DENY DROP_RULE EXPLAIN LIMITS QUOTA
	DISABLE ENABLE GUEST GUESTS WHY WATCH BANS BAN UNBAN USAGE DAYS SITES FORGET
	ALARMS VERSION
'
# END COMMANDS

_socks5d_flags() {
	"$1" -h 2>/dev/null | sed -nE 's/^ +(-., )?(--[a-z0-9-]+).*/\2/p'
}

_socks5d_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_socks5d() {
	[[ $2 == -* ]] && _socks5d_words "$(_socks5d_flags "$1")" "$2"
}

_monitor_client() {
	local i command=
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-L | -P | -u | --monitor-listen | --monitor-port | --user | --password-file | --socket) i=$((i + 1)) ;;
		-*) ;;
		*) command=${COMP_WORDS[i]} ;;
		esac
	done
	if [[ $2 == -* ]]; then
		_socks5d_words "$(_socks5d_flags "$1")" "$2"
	elif [[ $3 != --password-file && $3 != --socket && $3 != -* && -z $command ]]; then
		_socks5d_words "top $_monitor_commands" "$2"
	fi
}

complete -o default -F _socks5d socks5d
complete -o default -F _monitor_client monitor_client
