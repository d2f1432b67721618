#compdef socks5d_auth
# Completion of socks5d_auth in zsh. Made by `make docs` from the tables of flags, settings
# and commands.

_socks5d_auth() {
	_arguments -s -A '-*' \
		'*--children=[helpers that run at once, of each command; default 5]:N: ' \
		'*--concurrency=[questions at once for each helper, for those that know channels; default 0: one, without a channel]:N: ' \
		'*--groups=[a shell'\''s command that says who is in which group, as squid'\''s external ACL helpers do]:COMMAND: ' \
		'*--groups-concurrency=[as --concurrency, for that command]:N: ' \
		'*--timeout=[for a helper to answer in, which is killed then; default 10s]:TIME: ' \
		'*--log-level=[error, warn, info or debug; default info]:LEVEL:(error warn info debug)' \
		'*'{-h,--help}'[this help]' \
		'*'{-v,--version}'[the version]' \
		'*:file:_files'
}

_socks5d_auth "$@"
