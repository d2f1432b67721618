#!/usr/bin/env bash
# git over HTTP through socks5d: clone and fetch from files that nginx serves.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/lib.sh"

need git nginx

export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_NAME=Test GIT_AUTHOR_EMAIL=test@example.org
export GIT_COMMITTER_NAME=Test GIT_COMMITTER_EMAIL=test@example.org

run_git() {
	bounded git "$@"
}

# publish FILE SIZE: a commit with one more file, served as /repo.git.
publish() {
	random_file "$TMP/work/$1" "$2"
	git -C "$TMP/work" add "$1" && git -C "$TMP/work" commit -q -m "Add $1" &&
		git -C "$TMP/work" push -q "$WWW/repo.git" HEAD:refs/heads/main &&
		git -C "$WWW/repo.git" update-server-info
}

make_repository() {
	git -c init.defaultBranch=main init -q --bare "$WWW/repo.git" &&
		git -c init.defaultBranch=main init -q "$TMP/work" &&
		publish small 1000 && publish large 5000000
}

# is_current CLONE REF
is_current() {
	[[ $(git -C "$1" rev-parse "$2") == "$(git -C "$TMP/work" rev-parse HEAD)" ]] &&
		git -C "$1" fsck --full
}

# clones PROXY_URL NAME LOGGED...
clones() {
	local proxy=$1 clone=$TMP/$2
	shift 2
	mark_log
	run_git -c "http.proxy=$proxy" clone -q "http://localhost:$WEB_PORT/repo.git" "$clone" &&
		is_current "$clone" HEAD && same_digest "$clone/large" "$TMP/work/large" &&
		logged "$@" outcome=success
}

fetches() {
	publish another 3000000 &&
		run_git -C "$TMP/clone" -c "http.proxy=socks5h://$PROXY" fetch -q &&
		is_current "$TMP/clone" origin/main
}

# refused TEXT PROXY_URL URL LOGGED...
refused() {
	local text=$1 proxy=$2 url=$3
	shift 3
	mark_log
	fails 128 "$text" run_git -c "http.proxy=$proxy" clone -q "$url" "$TMP/refused" &&
		logged "$@" outcome=fail
}

without_users() {
	start_socks5d
	check clone_name_resolved_by_the_proxy clones "socks5h://$PROXY" clone \
		"target=localhost:$WEB_PORT"
	check clone_name_resolved_by_git clones "socks5://$PROXY" clone2 "target=$WEB"
	check fetch fetches
	check unresolvable_name refused "SOCKS5" "socks5h://$PROXY" http://nosuch.invalid/repo.git \
		target=nosuch.invalid:80 reply=4
	check server_stops stop_socks5d
}

with_login() {
	local url=http://localhost:$WEB_PORT/repo.git
	start_socks5d -u alice:secret
	check clone_with_login clones "socks5h://alice:secret@$PROXY" clone3 user=alice \
		"target=localhost:$WEB_PORT"
	check wrong_password refused 'rejected' "socks5h://alice:wrong-pass@$PROXY" "$url" \
		reason=wrong_password
	check no_password refused 'authentication method' "socks5h://$PROXY" "$url" reason=no_method
	check server_with_login_stops stop_socks5d
}

start_nginx 1000
check repository make_repository
without_users
with_login
finish
