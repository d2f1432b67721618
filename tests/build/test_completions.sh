#!/usr/bin/env bash
# What bash, zsh and fish complete of the programs, asked as their users do: bash and zsh have a
# terminal at which Tab is pressed, and fish is asked for what it would show.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

need python3

FOLDER=$TMP/completions # called as installed ones are
TYPED=$ROOT/tests/build/typed.py

# Programs that say how they were called.
write_programs() {
	mkdir -p "$TMP/bin" "$FOLDER"
	local program
	for program in socks5d monitor_client socks5d_auth; do
		printf '#!/bin/sh\nprintf "called <%%s>" "$@"\n' >"$TMP/bin/$program"
		chmod 755 "$TMP/bin/$program"
		cp "$ROOT/conf/completions/$program.bash" "$FOLDER/$program"
		cp "$ROOT/conf/completions/$program.zsh" "$FOLDER/_$program"
		cp "$ROOT/conf/completions/$program.fish" "$FOLDER/"
	done
	mkdir "$TMP/files"
	touch "$TMP/files/own.conf"
	mkdir "$TMP/files/folder"
}

write_settings() {
	cat >"$TMP/bashrc" <<-END
		PATH=$TMP/bin:\$PATH PS1='ready> '
		cd "$TMP/files"
		bind 'set show-all-if-ambiguous on'
		bind 'set page-completions off'
		bind 'set enable-bracketed-paste off'
		. "$FOLDER/socks5d"
		. "$FOLDER/monitor_client"
		. "$FOLDER/socks5d_auth"
	END
	cat >"$TMP/.zshrc" <<-END
		PATH=$TMP/bin:\$PATH PS1='ready> ' LISTMAX=10000
		unset zle_bracketed_paste
		unsetopt list_ambiguous
		cd "$TMP/files"
		fpath=("$FOLDER" \$fpath)
		autoload -Uz compinit
		compinit -u -D
		zstyle ':completion:*' verbose no
	END
	cat >"$TMP/config.fish" <<-END
		set -x PATH $TMP/bin \$PATH
		cd "$TMP/files"
		set -g fish_complete_path "$FOLDER"
	END
}

# ---- what is shown: SHELL_offers EXPECTED LINE, where all that is offered is EXPECTED, sorted ----

bash_offers() {
	bounded env TERM=dumb python3 "$TYPED" "(?m)^${1// /\\s+}\s*$" "$2\\t" bash --noprofile --rcfile "$TMP/bashrc" -i
}

zsh_offers() {
	bounded env TERM=dumb ZDOTDIR="$TMP" python3 "$TYPED" "(?m)(^|\s)${1// /\\s+}\s*$" "$2\\t" zsh -i
}

fish_offers() {
	bounded fish --no-config --init-command "source $TMP/config.fish" \
		-c "complete -C '$2'" </dev/null >"$TMP/fish" || return
	cut -f 1 "$TMP/fish" | LC_ALL=C sort | tr '\n' ' ' >"$TMP/sorted"
	cat "$TMP/sorted"
	[[ $(<"$TMP/sorted") == "$1 " ]]
}

# ---- what is called: SHELL_calls 'WORD...' LINE, when Tab and Enter were pressed ----

expected_call() {
	local word
	for word in $1; do
		printf 'called <%s>' "$word"
	done
}

bash_calls() {
	bounded env TERM=dumb python3 "$TYPED" "$(expected_call "$1")" "$2\\t\\r" bash --noprofile --rcfile "$TMP/bashrc" -i
}

zsh_calls() {
	bounded env TERM=dumb ZDOTDIR="$TMP" python3 "$TYPED" "$(expected_call "$1")" "$2\\t\\r" zsh -i
}

# The line as it becomes: its words but the last, and what completes that.
fish_calls() {
	local last=${1##* }
	fish_offers "$last" "$2"
}

try_shell() {
	local folder=folder/
	[[ $1 != zsh ]] || folder=folder # which takes the / back at Enter
	check "$1:flags" "$1_calls" '--max-sessions-per-client' 'socks5d --max-sessions-p'
	check "$1:flags_that_begin_alike" "$1_offers" '--log-file --log-format --log-level' 'socks5d --log-'
	check "$1:legal_words_of_a_setting" "$1_offers" 'auto none optional required' 'socks5d --auth '
	check "$1:legal_words_by_a_letter" "$1_calls" '--log-level warn' 'socks5d --log-level w'
	check "$1:what_is_protected" "$1_calls" '--protect rebinding' 'socks5d --protect re'
	check "$1:files" "$1_calls" '-c own.conf' 'socks5d -c o'
	check "$1:folders" "$1_calls" "--state-dir $folder" 'socks5d --state-dir fold'
	check "$1:the_helpers_flags" "$1_calls" '--children' 'socks5d_auth --ch'
	check "$1:files_behind_the_flags" "$1_calls" '--children 2 own.conf' 'socks5d_auth --children 2 o'
	check "$1:legal_words_of_a_flag" "$1_calls" '--log-level warn' 'socks5d_auth --log-level w'
	check "$1:the_client_s_flags" "$1_calls" '--password-file' 'monitor_client --pas'
	check "$1:the_client_s_files" "$1_calls" '--password-file own.conf' 'monitor_client --password-file o'
	check "$1:commands" "$1_offers" 'BAN BANS' 'monitor_client -u alice BA'
	check "$1:commands_behind_a_flag_with_its_value" "$1_calls" '--user=alice CONNECTIONS' 'monitor_client --user=alice CONN'
	check "$1:top" "$1_calls" 'top' 'monitor_client to'
	check "$1:settings" "$1_calls" 'CONFIG max_sessions_per_client' 'monitor_client CONFIG max_sessions_p'
	check "$1:legal_words_in_a_command" "$1_offers" 'auto none optional required' 'monitor_client CONFIG auth '
	check "$1:words_of_a_command" "$1_offers" 'debug error info warn' 'monitor_client LOG_LEVEL '
	check "$1:a_command_in_small_letters" "$1_calls" 'set_role bob admin' 'monitor_client set_role bob a'
	check "$1:a_later_word" "$1_calls" 'ADD_USER bob - admin' 'monitor_client ADD_USER bob - a'
	check "$1:a_key_waits_for_its_value" "$1_calls" 'WATCH client=' 'monitor_client WATCH cl'
}

write_programs
write_settings
for shell in bash zsh fish; do
	if command -v "$shell" >/dev/null; then
		try_shell "$shell"
	else
		skip "$shell" "$shell"
	fi
done
finish
