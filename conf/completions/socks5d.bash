# Completion of socks5d in bash. Made by `make docs` from the tables of flags, settings
# and commands.

_socks5d_flags='
	--help
	--version
	--config
	--check
	--doctor
	--explain
	--resolve
	--user
	--listen
	--port
	--protocols
	--http-via
	--monitor-listen
	--monitor-port
	--monitor-socket
	--max-monitor-clients
	--monitor-login-timeout
	--monitor-timeout
	--web-listen
	--max-web-clients
	--web-trusted
	--web-names
	--metrics-from
	--metrics-accounts
	--max-sessions
	--max-sessions-per-client
	--backlog
	--handshake-timeout
	--connect-timeout
	--timeout
	--half-close-timeout
	--drain-timeout
	--relay
	--rate-total
	--group-rate
	--external-address
	--external-interface
	--prefer
	--udp-address
	--udp-ports
	--udp-clients
	--udp-filter
	--udp-timeout
	--bind-address
	--bind-ports
	--bind-timeout
	--bind-any-peer
	--setup-page
	--proxy-name
	--pac-direct
	--pac-fallback
	--clients
	--proxy-protocol-from
	--rule
	--otherwise
	--protect
	--client-group
	--expect
	--recheck
	--upstream
	--auth
	--users-file
	--max-password-checks
	--auth-socket
	--auth-cache
	--max-auth-questions
	--user-defaults
	--group-defaults
	--client-limits
	--anonymous-defaults
	--ban
	--ban-exempt
	--dns-servers
	--dns-search
	--dns-cache
	--dns-negative-ttl
	--run-as
	--sandbox
	--state-dir
	--history-days
	--sites-days
	--shared
	--shared-password-file
	--shared-prefix
	--node-name
	--shared-users
	--shared-grace
	--shared-nodes
	--client-names
	--access-log-file
	--access-log-entries
	--log-file
	--log-level
	--log-format
'

_socks5d() {
	local cur=$2 flag=$3 legal= request=()
	# bash takes --flag=value for three words.
	[[ $cur != = ]] || cur=
	[[ $flag != = ]] || flag=${COMP_WORDS[COMP_CWORD - 2]}
	COMPREPLY=()
	case $flag in
	-c | --config | --monitor-socket | -U | --users-file | --auth-socket | --shared-password-file | --client-names | --access-log-file | --log-file)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--state-dir)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--explain | -u | --user | -l | --listen | -p | --port | -L | --monitor-listen | -P | --monitor-port | --max-monitor-clients | --monitor-login-timeout | --monitor-timeout | --web-listen | --max-web-clients | --web-trusted | --web-names | --metrics-from | --backlog | --handshake-timeout | --connect-timeout | --timeout | --half-close-timeout | --drain-timeout | --rate-total | --group-rate | --external-address | --external-interface | --udp-address | --udp-ports | --udp-clients | --udp-timeout | --bind-address | --bind-ports | --bind-timeout | --proxy-name | --pac-direct | --clients | --proxy-protocol-from | --rule | --client-group | --expect | --upstream | --auth-cache | --max-auth-questions | --user-defaults | --group-defaults | --client-limits | --anonymous-defaults | --ban | --ban-exempt | --dns-servers | --dns-search | --dns-cache | --dns-negative-ttl | --run-as | --history-days | --sites-days | --shared | --shared-prefix | --node-name | --shared-grace | --shared-nodes | --access-log-entries)
		return
		;;
	--protocols) legal='socks5 socks4 http' ;;
	--http-via) legal='no yes' ;;
	--metrics-accounts) legal='no yes' ;;
	--max-sessions) legal='auto' ;;
	--max-sessions-per-client) legal='auto none' ;;
	--relay) legal='auto copy splice' ;;
	--prefer) legal='ipv6 ipv4 ipv4-only ipv6-only' ;;
	--udp-filter) legal='address address-port none' ;;
	--bind-any-peer) legal='no yes' ;;
	--setup-page) legal='no yes' ;;
	--pac-fallback) legal='none direct' ;;
	--otherwise) legal='allow deny' ;;
	--protect) legal='loopback link-local metadata multicast private own rebinding none' ;;
	--recheck) legal='time all no' ;;
	--auth) legal='auto required optional none' ;;
	--max-password-checks) legal='auto' ;;
	--sandbox) legal='on off required' ;;
	--shared-users) legal='no yes' ;;
	--log-level) legal='error warn info debug' ;;
	--log-format) legal='text json' ;;
	*) [[ $cur != -* ]] || legal=$_socks5d_flags ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$legal" -- "$cur")
}

complete -F _socks5d socks5d
