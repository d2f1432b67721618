#!/usr/bin/env bash
# Makes src/CONFORMANCE.md from what the standards ask (conformance.txt) and the tests that say what
# they show, by a comment "conforms: STANDARD/KEY..." in front. --check only compares. Run it at the
# top of the repository.
#
# A key that nothing shows, a mark of no such key and a marked test that is never run end it.
set -u

TABLE=src/CONFORMANCE.md
ASKED=tests/docs/conformance.txt
STATUS=0

complain() {
	echo "$1" >&2
	STATUS=1
}

# STANDARD/KEY FILE TEST, one a line.
marks() {
	awk '
		/conforms: / {
			sub(/.*conforms: /, "")
			sub(/[ \t]*\*\/.*/, "")
			keys = keys " " $0
			next
		}
		keys != "" && /^static void [a-z_0-9]+\(void \*\*state\)/ {
			test = $3
			sub(/\(.*/, "", test)
			count = split(keys, each, " ")
			for (i = 1; i <= count; i++)
				print each[i], FILENAME, test
			keys = ""
		}
		/^}/ && keys != "" {
			print "nothing", FILENAME, keys
			keys = ""
		}' tests/*/test_*.c
}

# What the marks say has to be so.
check_marks() {
	local key file test
	while read -r key file test; do
		if [[ $key == nothing ]]; then
			complain "$file: no test follows the mark $test"
		elif ! grep -qE "(cmocka_unit_test[a-z_]*|TEST)\($test[,)]" "$file"; then
			complain "$file: $test is marked and never run"
		elif ! grep -qx "$key" "$TMP/keys"; then
			complain "$file: $test: $ASKED has no $key"
		fi
	done <"$TMP/marks"
}

# The rows of conformance.txt, with the standard in front of each key.
rows() {
	awk -F ' *[|] *' '
		/^#/ || NF == 0 { next }
		/^= / { sub(/^= /, "", $1); standard = $1; print "=|" $1 "|" $2; next }
		{ print $1 "|" $2 "|" standard "/" $3 "|" $4 "|" $5 }' "$ASKED"
}

# The tests that show key $1, as links.
shown_by() {
	local key file test
	while read -r key file test; do
		[[ $key == "$1" ]] && echo "[$test](../$file)"
	done <"$TMP/marks" | paste -sd, | sed 's/,/, /g'
}

put_row() {
	local section=$1 level=$2 key=$3 text=$4 why=$5 shown
	shown=$(shown_by "$key")
	[[ -n $shown || -n $why ]] || complain "$ASKED: no test shows $key"
	[[ $why != missing:* || -z $shown ]] || complain "$ASKED: $key is missing, and a test shows it"
	case $why in
	missing:*) why="**Missing:**${why#missing:}" ;;
	?*) why="($why)" ;;
	esac
	echo "| $section | $level | $text | $shown${shown:+${why:+ }}$why |"
}

put_table() {
	local first second third rest why
	cat <<-'END'
		# What the standards ask, and the tests that show it

		Made by `make docs` from [what they ask](../tests/docs/conformance.txt) and from marks in the tests. MUST, SHOULD,
		MAY and must are the standards' own words; a rule is what they say without one. The tests are functions of
		that name.
	END
	while IFS='|' read -r first second third rest why; do
		if [[ $first == = ]]; then
			printf '\n## %s\n\n| § | | what it asks | shown by |\n|---|---|---|---|\n' \
				"$(sed -E 's/^RFC/RFC /' <<<"$second"): $third"
		else
			put_row "$first" "$second" "$third" "$rest" "$why"
		fi
	done <"$TMP/rows"
}

TMP=$(mktemp -d) || exit
trap 'rm -rf "$TMP"' EXIT
rows >"$TMP/rows"
cut -d '|' -f 3 "$TMP/rows" >"$TMP/keys"
marks >"$TMP/marks"
check_marks
put_table >"$TMP/table"
if [[ ${1:-} != --check ]]; then
	((STATUS != 0)) || cp "$TMP/table" "$TABLE"
elif ! cmp -s "$TMP/table" "$TABLE"; then
	complain "$TABLE is out of date: run make docs"
fi
exit $STATUS
