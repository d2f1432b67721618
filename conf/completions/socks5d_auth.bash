# Completion of socks5d_auth in bash. Made by `make docs` from the tables of flags, settings
# and commands.

_socks5d_auth_flags='
	--children
	--concurrency
	--groups
	--groups-concurrency
	--timeout
	--log-level
	--help
	--version
'

_socks5d_auth() {
	local cur=$2 flag=$3 legal= request=()
	# bash takes --flag=value for three words.
	[[ $cur != = ]] || cur=
	[[ $flag != = ]] || flag=${COMP_WORDS[COMP_CWORD - 2]}
	COMPREPLY=()
	case $flag in
	--children | --concurrency | --groups | --groups-concurrency | --timeout)
		return
		;;
	--log-level) legal='error warn info debug' ;;
	*) [[ $cur != -* ]] || legal=$_socks5d_auth_flags ;;
	esac
	if [[ -z $legal ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$legal" -- "$cur")
}

complete -F _socks5d_auth socks5d_auth
