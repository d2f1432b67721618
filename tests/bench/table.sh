#!/bin/sh
# The results of the bench as a Markdown table: table.sh [BENCH_JSON [SCENARIO...]]
#
# Without scenarios all of them; a scenario is the beginning of a name, as for bench -s.
set -eu

json=${1:-$(dirname "$0")/results/bench.json}
[ $# -eq 0 ] || shift
jq -r '
	# Three digits that count, without an exponent.
	def digits: if . == null then "-"
		elif . >= 100 then round | tostring
		elif . >= 10 then . * 10 | round / 10 | tostring
		elif . >= 1 then . * 100 | round / 100 | tostring
		else . * 1000 | round / 1000 | tostring end;
	def ratio: if . == null then "-" else . * 100 | round / 100 | tostring end;
	.baseline as $baseline | (.columns | keys_unsorted) as $columns |
	[$columns[] | select(. != "direct" and . != $baseline)] as $compared |
	"| row | unit | \($columns | join(" | ")) | \($compared | map("\(.) / \($baseline)") | join(" | ")) |",
	"|---|---|\("---:|" * ($columns + $compared | length))",
	(.rows[] | . as $row |
		select($ARGS.positional == [] or any($ARGS.positional[]; . as $s | $row.scenario | startswith($s))) |
		"| \(.scenario) \(.metric) | \(.unit) | " +
		([$columns[] | $row.values[.].median | digits] | join(" | ")) + " | " +
		([$compared[] | $row.values[.].ratio | ratio] | join(" | ")) + " |")
' "$json" --args "$@"
