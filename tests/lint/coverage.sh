#!/bin/sh
# Which share of its lines each file of the server has run in the build in folder $1, least first, by
# what the programs of that build have left there for gcov. The other two programs, monitor_client and
# socks5d_auth with src/client and src/helper, are none of it, nor is what is built only WITHOUT
# something. A file under LEAST (90) percent fails, and is shown
# with the lines that never ran. The last line is "N passed, N failed".
set -eu
build=$1

# What the compiler has noted of each file that is there still.
notes() {
	find "$build/src" -name '*.gcno' ! -path '*/src/client/*' ! -path '*/src/helper/*' \
		! -name monitor_client.gcno ! -name socks5d_auth.gcno |
		while read -r note; do
			source=${note#"$build"/}
			test ! -e "${source%.gcno}.c" || echo "$note"
		done
}

# gcov's text of each file, a line "COUNT:NUMBER:TEXT" for each, where ##### stands for never and a
# dash for nothing to run; headers among them.
lines_of_all() {
	notes | xargs -r "${GCOV:-gcov}" -t 2>/dev/null
}

# A line for each file: its share, lines that ran, lines that can, its name, and the others' numbers.
shares() {
	awk -F: '
		function end_range() {
			if (from > 0)
				never = never " " from (to > from ? "-" to : "")
			from = 0
		}
		function end_file() {
			end_range()
			if (name ~ /^src\// && can > 0)
				print 100 * ran / can, ran, can, name, never
			ran = can = 0
			never = ""
		}
		$3 == "Source" { end_file(); name = $4 }
		{ count = $1; gsub(/ /, "", count); number = $2 + 0 }
		number == 0 || count == "-" { next }
		{ can++ }
		count ~ /^[#=]/ { if (!from) from = number; to = number; next }
		{ ran++; end_range() }
		END { end_file() }'
}

lines_of_all | shares | LC_ALL=C sort -n | LC_ALL=C awk -v least="${LEAST:-90}" '
	{ printf "%6.2f %%  %5d of %5d  %s\n", int($1 * 100) / 100, $2, $3, $4; ran += $2; can += $3 }
	$1 < least {
		never = substr($0, index($0, $4) + length($4) + 2)
		failed[++failures] = $4 " (under " least " %; never run: " never ")"
	}
	END {
		if (can == 0) {
			print "not ok nothing has been counted"
			print "0 passed, 1 failed"
			exit 1
		}
		printf "%6.2f %%  %5d of %5d  in %d files\n", int(10000 * ran / can) / 100, ran, can, NR
		for (i = 1; i <= failures; i++)
			print "not ok " failed[i]
		printf "%d passed, %d failed\n", NR - failures, failures
		exit failures > 0
	}'
