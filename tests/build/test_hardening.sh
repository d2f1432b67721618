#!/usr/bin/env bash
# What the programs are built with against what a bug could be used for, read from them as they are.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

need readelf nm

BUILT=$(dirname "$SOCKS5D")
[[ $(basename "$BUILT") != *-address* && $(basename "$BUILT") != *-thread* &&
	$(basename "$BUILT") != *-coverage* ]] ||
	skip_all 'a build without sanitizers'
readelf -h "$SOCKS5D" >/dev/null 2>&1 || skip_all 'a program, not a script that runs it'

# has PROGRAM FLAG PATTERN: readelf's answer.
has() {
	readelf -W "$2" "$BUILT/$1" | tee "$TMP/said" | grep -qE "$3" || { cat "$TMP/said"; return 1; }
}

has_not() {
	! has "$@"
}

uses() {
	nm -D "$BUILT/$1" | grep -qE " U $2(@|\$)"
}

# All of ours begin as indirect jumps and returns may, where the machine can check that: what the C
# library adds to the program need not.
checks_jumps() {
	case $(uname -m) in
	x86_64) readelf -W -n "$BUILT/src/$1.o" | grep -q 'x86 feature: IBT, SHSTK' ;;
	aarch64) readelf -W -n "$BUILT/src/$1.o" | grep -q 'AArch64 feature: BTI, PAC' ;;
	esac
}

for program in socks5d monitor_client socks5d_auth; do
	check "${program}_lies_anywhere" has "$program" -h 'Type: +DYN \(Position-Independent'
	check "${program}_is_relocated_before_it_runs" has "$program" -d '\((BIND_NOW|FLAGS)\).*(BIND_NOW|NOW)|BIND_NOW'
	check "${program}_cannot_write_its_relocations" has "$program" -l 'GNU_RELRO'
	check "${program}_executes_no_stack" has "$program" -l 'GNU_STACK.* RW +0x'
	check "${program}_has_no_page_to_write_and_execute" has_not "$program" -l 'LOAD.* RWE '
	check "${program}_has_no_text_relocations" has_not "$program" -d 'TEXTREL'
	check "${program}_guards_its_stack" uses "$program" __stack_chk_fail
	check "${program}_checks_copies" uses "$program" '__(mem|str|v?snprintf)[a-z]*_chk'
	case $(uname -m) in
	x86_64 | aarch64) check "${program}_checks_jumps" checks_jumps "$program" ;;
	*) skip "${program}_checks_jumps" 'a machine that can' ;;
	esac
done
finish
