#!/usr/bin/env bash
# Rules against a second reading of them, in Python: thousands of sets and requests, the same ones in
# every run, have the same verdict and the same deciding line.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

need python3

same_verdicts() {
	bounded python3 "$(dirname "$0")/rules_reference.py" "$(dirname "$SOCKS5D")/judge" 2000
}

check same_verdicts same_verdicts
finish
