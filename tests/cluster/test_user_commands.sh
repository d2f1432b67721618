#!/usr/bin/env bash
# What commands about users do and say where servers share users by a real Redis: each has a users
# file of its own, and what is shared is on the disk before OK.
# shellcheck source=tests/cluster/nodes.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/nodes.sh"

need curl redis-server redis-cli openssl

# start_member N ARG...: with its own administrator in its own file, and whom own_user put there.
start_member() {
	[[ -s $TMP/users$1 ]] || own_user "$1" "root$1" admin
	USERS=$TMP/users$1 start_node "$1" --shared-users yes "${@:2}"
}

# own_user N NAME ROLE [LIMIT...]
own_user() {
	USER_HASH=${USER_HASH:-$(openssl passwd -6 secret)} || die openssl
	(umask 077 && echo "$2:$USER_HASH:$3:${*:4}" >>"$TMP/users$1")
}

# says N EXPECTED COMMAND...: EXPECTED is a pattern of bash's.
says() {
	local said
	said=$(on "$1" "${@:3}" 2>&1)
	# shellcheck disable=SC2053
	[[ $said == $2 ]] || { echo "$3: \"$said\" is not \"$2\""; return 1; }
}

# account N NAME PATTERN: a line of ACCOUNTS.
account() {
	on "$1" ACCOUNTS | grep "^name:$2 " | grep -q -- "$3"
}

no_account() {
	! on "$1" ACCOUNTS | grep -q "^name:$2 "
}

# all_have NAME PATTERN
all_have() {
	account 1 "$@" && account 2 "$@" && account 3 "$@"
}

none_has() {
	no_account 1 "$1" && no_account 2 "$1" && no_account 3 "$1"
}

gets_in() {
	bounded curl -q -sS --noproxy '' -o /dev/null -x "socks5h://$2:$3@${PROXIES[$1]}" \
		http://127.0.0.1:1/ 2>&1 | grep -qv 'User was rejected'
}

is_refused() {
	! gets_in "$@"
}

who_is_added_on_one_is_on_all() {
	says 1 'OK User alice added (on all nodes)' ADD_USER alice secret &&
		wait_for "$LIMIT" all_have alice 'shared:yes$' && gets_in 3 alice secret &&
		account 1 root1 'role:admin.* shared:no$' && no_account 2 root1
}

who_is_changed_on_another_is_so_on_all() {
	says 2 'OK Limits of alice changed (on all nodes)' LIMITS alice sessions=7 &&
		wait_for "$LIMIT" all_have alice 'sessions=7' &&
		says 3 'OK Password of alice changed (on all nodes)' SET_PASSWORD alice other &&
		wait_for "$LIMIT" gets_in 1 alice other && wait_for "$LIMIT" is_refused 2 alice secret &&
		all_have alice 'sessions=7'
}

who_is_disabled_is_refused_on_all() {
	says 1 'OK alice disabled, 0 sessions ended (on all nodes)' DISABLE alice &&
		wait_for "$LIMIT" is_refused 3 alice other &&
		says 3 'OK alice enabled (on all nodes)' ENABLE alice &&
		wait_for "$LIMIT" gets_in 1 alice other
}

a_guest_is_one_on_all() {
	local guest
	guest=$(on 2 GUEST 2 | sed -n 's/^name:\([^ ]*\) .*/\1/p')
	[[ -n $guest ]] && wait_for "$LIMIT" all_have "$guest" 'shared:yes$' &&
		on 3 GUESTS | grep "^name:$guest "
}

who_is_deleted_is_gone_on_all() {
	says 3 'OK User alice deleted, 0 sessions ended (on all nodes)' DEL_USER alice &&
		wait_for "$LIMIT" none_has alice
}

administrators_are_one_nodes_alone() {
	says 1 'OK User boss added (on this node alone)' ADD_USER boss secret admin &&
		on 1 ADD_USER bob secret && wait_for "$LIMIT" all_have bob 'role:user' &&
		says 2 'OK Role of bob set to admin (on this node alone)' SET_ROLE bob admin &&
		grep -q '^bob:.*:admin' "$TMP/users2" && account 2 bob 'role:admin.* shared:no$' &&
		on 1 DEL_USER bob && wait_for "$LIMIT" no_account 3 bob && account 2 bob 'role:admin' &&
		no_account 3 boss
}

# A name of the file is the node's own, whatever the others say; until it goes over to them.
the_file_wins_until_its_user_is_shared() {
	says 1 'ERR root1: is an administrator*' SHARE_USER root1 || return
	on 2 ADD_USER dora other && wait_for "$LIMIT" account 3 dora shared:yes &&
		account 1 dora 'limits:sessions=3 shared:no$' && gets_in 1 dora secret &&
		gets_in 2 dora other &&
		says 1 'OK User dora is shared from now on (on all nodes)' SHARE_USER dora &&
		wait_for "$LIMIT" all_have dora 'limits:sessions=3 shared:yes$' &&
		wait_for "$LIMIT" gets_in 2 dora secret && ! grep dora "$TMP/users1" &&
		says 1 'ERR dora is shared already' SHARE_USER dora &&
		says 1 'ERR nobody does not exist' SHARE_USER nobody
}

# All that was said OK is there behind a kill, also while the engine is away.
what_was_said_is_on_the_disk() {
	kill_engine
	wait_for "$LIMIT" is_alarmed 1 || return
	says 1 'OK User carl added (here now, and on the other nodes when the engine is there again)' \
		ADD_USER carl secret || return
	kill_node 1
	start_member 1 || return
	account 1 carl shared:yes && gets_in 1 carl secret || return
	start_engine
	wait_for "$LIMIT" all_have carl shared:yes
}

# A file that was emptied takes nobody away, whoever else there is.
an_emptied_file_is_refused() {
	: >"$TMP/users3"
	says 3 'ERR *no users are left in it*' RELOAD && account 3 root3 role:admin
}

it_needs_something_to_share_by() {
	local said
	said=$(bounded "$SOCKS5D" -n --shared-users yes 2>&1) && return 1
	[[ $said == *"shared_users: \"yes\": users are shared by what shared names, which is not set"* ]]
}

without_it_there_is_nothing_to_share() {
	add_user root
	start_node 4
	says 4 'ERR No users are shared: shared_users is not set' SHARE_USER root &&
		says 4 'OK User zoe added' ADD_USER zoe secret && no_account 1 zoe &&
		account 4 zoe 'limits:none$'
}

start_engine
NODES=3
own_user 1 root1 admin
own_user 1 dora user sessions=3
for n in 1 2 3; do
	start_member "$n"
done
wait_for "$LIMIT" nodes_online 3 || die "the nodes do not find each other"
check who_is_added_on_one_is_on_all who_is_added_on_one_is_on_all
check who_is_changed_on_another_is_so_on_all who_is_changed_on_another_is_so_on_all
check who_is_disabled_is_refused_on_all who_is_disabled_is_refused_on_all
check a_guest_is_one_on_all a_guest_is_one_on_all
check who_is_deleted_is_gone_on_all who_is_deleted_is_gone_on_all
check administrators_are_one_nodes_alone administrators_are_one_nodes_alone
check the_file_wins_until_its_user_is_shared the_file_wins_until_its_user_is_shared
check what_was_said_is_on_the_disk what_was_said_is_on_the_disk
check an_emptied_file_is_refused an_emptied_file_is_refused
check it_needs_something_to_share_by it_needs_something_to_share_by
check without_it_there_is_nothing_to_share without_it_there_is_nothing_to_share
finish
