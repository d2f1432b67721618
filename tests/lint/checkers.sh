#!/usr/bin/env bash
# clang-tidy's checks contain all that scan-build has as it comes, for it is the same analyzer: what
# clang --analyze turns on is asked of clang, and what of it .clang-tidy has turned off is named.
set -u

analyzers_own() {
	local checks
	clang --analyze -### -x c /dev/null 2>&1 | grep -oP '(?<="-analyzer-checker=)[^"]+' |
		while IFS= read -r checks; do
			clang-tidy --checks="-*,clang-analyzer-$checks*" --list-checks
		done | grep -E '^ +clang-analyzer-' | sort -u
}

own=$(analyzers_own)
[[ -n $own ]] || {
	echo 'clang does not say what its analyzer checks' >&2
	exit 1
}
missing=$(clang-tidy --list-checks | sort -u | comm -13 - <(echo "$own"))
[[ -z $missing ]] || {
	printf '.clang-tidy turns off what scan-build has:\n%s\n' "$missing" >&2
	exit 1
}
