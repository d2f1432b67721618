#!/usr/bin/env bash
# make where something is missing: it is named in one line before anything is compiled, a check goes
# without, and only make deps installs. What is missing here is only hidden, in a folder of links to
# the programs there are.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

need pkg-config cc

BUILT=$(dirname "$SOCKS5D")
BIN=$TMP/bin # the PATH of every make here
HIDDEN=$TMP/hidden

# A make of its own, which knows nothing of the one that runs this test.
make_() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u CLIENTS_TALLY -u LACKING \
		PATH="$BIN" PACKAGES_POLICY="$TMP/policy" timeout -k 5 "$LIMIT" make -C "$ROOT" --no-print-directory "$@"
}

# Everything in PATH, what comes first in it winning.
link_all_programs() {
	local folder folders
	mkdir "$BIN" "$HIDDEN"
	IFS=: read -ra folders <<<"$PATH"
	for folder in "${folders[@]}"; do
		[[ ! -d $folder ]] || ln -s "$folder"/* "$BIN" 2>/dev/null
	done
}

hide_program() {
	mv -n "$BIN/$1" "$HIDDEN" 2>/dev/null
	rm -f "$BIN/$1"
}

show_all_programs() {
	mv -f "$HIDDEN"/* "$BIN" 2>/dev/null
}

# stand_in NAME BODY: a shell script in the program's place.
stand_in() {
	hide_program "$1"
	printf '#!/bin/sh\n%s\n' "$2" >"$BIN/$1"
	chmod 755 "$BIN/$1"
}

# hide_library NAME...: from pkg-config.
hide_library() {
	local name body=
	for name; do
		body+="case \" \$* \" in *\" $name \"*) exit 1 ;; esac
		"
	done
	stand_in pkg-config "${body}exec '$(command -v pkg-config)' \"\$@\""
}

# names_missing 'PACKAGE...' GOAL...: make fails with one line, which names them and make deps.
names_missing() {
	local packages=$1 status=0
	shift
	make_ BUILD="$TMP/build" "$@" >"$TMP/make.out" 2>&1 || status=$?
	cat "$TMP/make.out"
	((status == 2)) && [[ $(wc -l <"$TMP/make.out") == 1 ]] &&
		grep -q "missing: $packages; make deps installs them\." "$TMP/make.out"
}

# ---- building ----

building() {
	hide_library libsodium
	check a_missing_library_is_named names_missing libsodium-dev build
	check a_missing_library_is_named_by_make_alone names_missing libsodium-dev
	check a_missing_library_is_named_by_make_check names_missing libsodium-dev check
	check many_jobs_say_it_once names_missing libsodium-dev -j 4 build
	show_all_programs
	hide_program cc
	check a_missing_compiler_is_named names_missing 'gcc libc6-dev' build CC=cc
	check nothing_was_built test ! -e "$TMP/build"
}

# ---- without what is optional ----

# In the smallest form, from objects that are there, which are the same but for those left out.
builds_without_all() {
	local without
	without=$TMP/less/build/$(basename "$BUILT")-without-sandbox-shared-state
	mkdir -p "$without" && cp -a "$BUILT/src" "$without" || return
	rm -f "$without"/src/server/{call_filter,database,history_bound,history_tables,engine,engine_*,sharing,sharing_*}.*
	make_ O="$TMP/less" CC="$(basename "$BUILT")" WITHOUT='state sandbox shared' all &&
		! ldd "$TMP/less/bin/socks5d" | grep -E 'sqlite|seccomp|hiredis'
}

says_that_it_keeps_nothing() {
	local status=0
	"$TMP/less/bin/socks5d" --state-dir "$TMP" -n >"$TMP/said" 2>&1 || status=$?
	cat "$TMP/said"
	((status == 2)) && grep -qF "state_dir: \"$TMP\": this socks5d was built without it" "$TMP/said" &&
		"$TMP/less/bin/socks5d" -n
}

# The other walls stand all the same.
says_that_it_filters_no_calls() {
	local status=0
	"$TMP/less/bin/socks5d" --sandbox required -n >"$TMP/said" 2>&1 || status=$?
	cat "$TMP/said"
	((status == 2)) && grep -qF 'sandbox: "required": missing is ' "$TMP/said" &&
		grep -qF 'the filter of system calls: this socks5d was built without it' "$TMP/said"
}

says_that_it_shares_nothing() {
	local status=0
	"$TMP/less/bin/socks5d" --shared unix:/redis.sock -n >"$TMP/said" 2>&1 || status=$?
	cat "$TMP/said"
	((status == 2)) && grep -qF 'shared: "unix:/redis.sock' "$TMP/said" && grep -qF 'this socks5d was built without it' "$TMP/said"
}

says_what_can_be_left_out() {
	make_ WITHOUT=all build 2>&1 | tee "$TMP/said" && grep -q 'WITHOUT=all: legal are sandbox, shared and state' "$TMP/said"
}

building_less() {
	show_all_programs
	hide_library sqlite3 libseccomp hiredis
	if [[ $(basename "$BUILT") == *-* ]]; then
		skip what_is_left_out_is_not_needed 'a build without sanitizers'
		skip a_state_dir_is_refused_then 'a build without sanitizers'
		skip a_filter_cannot_be_required_then 'a build without sanitizers'
		skip nothing_can_be_shared_then 'a build without sanitizers'
	else
		check what_is_left_out_is_not_needed builds_without_all
		check a_state_dir_is_refused_then says_that_it_keeps_nothing
		check a_filter_cannot_be_required_then says_that_it_filters_no_calls
		check nothing_can_be_shared_then says_that_it_shares_nothing
	fi
	check what_can_be_left_out_is_told says_what_can_be_left_out
}

# ---- checking ----

# checks_without 'NAME (needs WHAT)' PROGRAM...: nothing is run, and it says why and that it passed.
checks_without() {
	local skipped=$1
	shift
	make_ BUILD="$BUILT" CHECKS="$*" check >"$TMP/make.out" 2>&1 || {
		cat "$TMP/make.out"
		return 1
	}
	cat "$TMP/make.out"
	grep -qxF "skipped: $skipped" "$TMP/make.out" &&
		[[ $(tail -n 1 "$TMP/make.out") == '0 passed, 0 failed, 1 skipped' ]]
}

checking() {
	show_all_programs
	hide_program curl
	check a_missing_program_is_skipped_by_name checks_without \
		'clients/test_curl.sh (needs curl)' tests/clients/test_curl.sh
	show_all_programs
	hide_library cmocka
	check without_cmocka_nothing_in_c_is_tested checks_without \
		'unit and daemon tests (needs libcmocka-dev)' "$BUILT/tests/base/test_addr"
}

# ---- installing ----

# apt-get only writes down what it is asked for, and dpkg-query knows all packages but those in $1,
# which it knows once they are installed. One of them has a service.
pretend_packages() {
	show_all_programs
	rm -f "$TMP/apt" "$TMP/disabled"
	stand_in dpkg-query "for last; do :; done
		case \$1 in
		-L) echo /lib/systemd/system/thing.service; exit ;;
		esac
		[ \"\$last\" != '\${Package}\\n' ] || { echo old; [ ! -e '$TMP/apt' ] || printf '%s\n' $1; exit; }
		case ' $1 ' in *\" \$last \"*) exit 1 ;; esac
		echo 'install ok installed'"
	stand_in sudo '[ "$*" = "-n true" ] || exec "$@"'
	stand_in apt-get "[ -x '$TMP/policy' ] && echo \"\$*\" >>'$TMP/apt'"
	stand_in systemctl "echo \"\$*\" >>'$TMP/disabled'"
	stand_in update-rc.d "echo \"\$*\" >>'$TMP/disabled'"
}

installs_nothing() {
	pretend_packages ''
	make_ deps >"$TMP/make.out" 2>&1
	cat "$TMP/make.out"
	[[ ! -e $TMP/apt ]]
}

installs_what_is_missing() {
	pretend_packages 'libsodium-dev libedit-dev'
	make_ deps && cat "$TMP/apt" && grep -q '^install .* libsodium-dev libedit-dev$' "$TMP/apt"
}

starts_no_service() {
	pretend_packages 'libsodium-dev'
	make_ deps && cat "$TMP/disabled" && [[ ! -e $TMP/policy ]] &&
		grep -q 'disable.* thing.service$' "$TMP/disabled" &&
		grep -q '^thing disable$' "$TMP/disabled"
}

# apt-get is never asked, and what sudo would say is not heard.
says_what_root_is_to_do() {
	local status=0
	pretend_packages 'libsodium-dev libedit-dev'
	stand_in id 'echo 4711'
	stand_in sudo 'echo "sudo: a password is required" >&2; exit 1'
	make_ deps >"$TMP/make.out" 2>&1 </dev/null || status=$?
	cat "$TMP/make.out"
	((status == 2)) && [[ ! -e $TMP/apt ]] && ! grep -q sudo "$TMP/make.out" &&
		grep -qx 'packages are missing; as root: apt-get install --no-install-recommends libsodium-dev libedit-dev' \
			"$TMP/make.out"
}

# Any compiler that is there will do.
installs_a_compiler_only_where_there_is_none() {
	pretend_packages gcc
	make_ deps CC=cc && [[ ! -e $TMP/apt ]] || return
	hide_program cc
	make_ deps CC=cc && grep -q '^install .* gcc$' "$TMP/apt"
}

installing() {
	check deps_installs_nothing_when_all_is_there installs_nothing
	check deps_installs_what_is_missing installs_what_is_missing
	check what_is_installed_starts_no_service starts_no_service
	check who_may_not_install_is_told_what_root_is_to_do says_what_root_is_to_do
	check deps_installs_a_compiler_only_where_there_is_none \
		installs_a_compiler_only_where_there_is_none
}

link_all_programs
building
building_less
checking
installing
finish
