#!/usr/bin/env bash
# The pages' scripts, as far as they need no browser: each of them can be parsed, nothing in them asks
# another host, and what makes texts and scales of values is right.
# shellcheck source=tests/clients/lib.sh disable=SC2317,SC2119 # called by check
. "$(dirname "$0")/../clients/lib.sh"

need node

PAGES=$(dirname "$0")/../../src/web/pages

scripts_can_be_parsed() {
	local script

	for script in "$PAGES"/*.js; do
		bounded node --input-type=module --check <"$script" || return 1
	done
}

# Names of XML, which are no addresses, apart.
nothing_is_asked_of_other_hosts() {
	! grep -nE '(https?:)?//[a-z0-9.-]+\.[a-z]{2,}' "$PAGES"/*.{js,css,html} |
		grep -v 'http://www\.w3\.org/'
}

# What the policy of the pages forbids.
nothing_is_inline() {
	! grep -nE '<script>|<style|[[:space:]](style|on[a-z]+)="|innerHTML|document\.write|eval\(' \
		"$PAGES"/*.{js,html}
}

values_are_formatted() {
	FORMAT=$PAGES/format.js bounded node --test "$(dirname "$0")/test_format.mjs"
}

check scripts_can_be_parsed scripts_can_be_parsed
check nothing_is_asked_of_other_hosts nothing_is_asked_of_other_hosts
check nothing_is_inline nothing_is_inline
check values_are_formatted values_are_formatted
finish
