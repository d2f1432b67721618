#!/bin/sh
# The results of the bench as a Markdown table: table.sh [-b PEER] [BENCH_JSON [SCENARIO...]]
#
# With ratios to PEER, or else to whom the bench was run with as -b. Without scenarios all of them;
# a scenario is the beginning of a name, as for bench -s.
set -eu

baseline=
if [ "${1:-}" = -b ]; then
	baseline=$2
	shift 2
fi
json=${1:-$(dirname "$0")/results/bench.json}
[ $# -eq 0 ] || shift
jq -r --arg baseline "$baseline" '
	# Three digits that count, without an exponent.
	def digits: if . == null then "-"
		elif . >= 100 then round
		elif . >= 10 then . * 10 | round / 10
		elif . >= 1 then . * 100 | round / 100
		else . * 1000 | round / 1000 end;
	def ratio($to): if . == null or $to == null or $to == 0 then "-" else . / $to * 100 | round / 100 end;
	def row: "| \(join(" | ")) |";

	(if $baseline == "" then .baseline else $baseline end) as $baseline |
	[.rows[] | select($ARGS.positional == [] or
		(.scenario as $name | any($ARGS.positional[]; . as $s | $name | startswith($s))))] as $rows |
	[.columns | keys_unsorted[] | select(. as $c | any($rows[]; .values[$c].median != null))] as $columns |
	[$columns[] | select(. != "direct" and . != $baseline)] as $compared |
	(["row", "unit"] + $columns + [$compared[] | "\(.) / \($baseline)"] | row),
	(["---", "---"] + [$columns + $compared | .[] | "---:"] | row),
	($rows[] | . as $row |
		["\(.scenario) \(.metric)", .unit] + [$columns[] | $row.values[.].median | digits] +
		[$compared[] | $row.values[.].median | ratio($row.values[$baseline].median)] | row)
' "$json" --args "$@"
