# Completion of socks5d_auth in fish. Made by `make docs` from the tables of flags, settings
# and commands.

complete -c socks5d_auth -l children -x -d 'helpers that run at once, of each command; default 5'
complete -c socks5d_auth -l concurrency -x -d 'questions at once for each helper, for those that know channels; default 0: one, without a channel'
complete -c socks5d_auth -l groups -x -d 'a shell'\''s command that says who is in which group, as squid'\''s external ACL helpers do'
complete -c socks5d_auth -l groups-concurrency -x -d 'as --concurrency, for that command'
complete -c socks5d_auth -l timeout -x -d 'for a helper to answer in, which is killed then; default 10s'
complete -c socks5d_auth -l log-level -x -a 'error warn info debug' -d 'error, warn, info or debug; default info'
complete -c socks5d_auth -s h -l help -d 'this help'
complete -c socks5d_auth -s v -l version -d 'the version'
