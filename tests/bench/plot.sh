#!/bin/bash
# Draws the results of the bench: plot.sh [DIR]
#
# DIR (default: tests/bench/results) holds bench.json, which `bench -j` writes, or relay.json, which
# bench_relay -j writes, or both. The pictures are written beside them. jq makes tables of the JSON,
# one for each line or colour of a picture; how they look is in plots/.
set -euo pipefail

here=$(dirname "$0")
dir=${1:-$here/results}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# draw NAME GNUPLOT...: NAME.svg by plots/NAME.gp, after these assignments.
draw()
{
	local name=$1

	shift
	gnuplot -e "work = '$work'; output = '$dir/$name.svg'; $(printf '%s; ' "$@")" \
		"$here/plots/common.gp" "$here/plots/$name.gp"
	echo "$dir/$name.svg"
}

# What was measured when and on what, for the titles; to gnuplot a bare _ lowers what follows.
subtitle()
{
	jq -r '"\(.date[:10]), Linux \(.kernel) \(.machine), \(.cpus) CPUs, medians of " +
		"\(.settings.repetitions)" | gsub("_"; "\\_")' "$dir/bench.json"
}

# Those rows that have no picture of their own.
compared_json()
{
	jq '.rows |= map(select((.scenario | test("^(grow|alone)-") | not) and
		any(.values[]; .ratio != null)))' "$dir/bench.json"
}

# Peers with a ratio to the baseline in some row, socks5d first.
compared()
{
	compared_json | jq -r '[.rows[].values | to_entries[] | select(.value.ratio != null) | .key] | unique |
		sort_by(. != "socks5d") | join(" ")'
}

# The rows' names, one a line.
compared_rows()
{
	compared_json | jq -r '.rows[] | "\(.scenario) \(.metric)"'
}

# compared_values PEER: the row's number and how many times better the peer is than the baseline.
compared_values()
{
	compared_json | jq -r --arg peer "$1" '.rows | to_entries[] |
		.key as $n | .value | .better as $better | .values[$peer].ratio |
		select(. != null and . > 0) |
		[$n, if $better == "more" then . else 1 / . end] | @tsv'
}

draw_compare()
{
	local peers rows

	peers=$(compared)
	[ -n "$peers" ] || return 0
	compared_rows >"$work/compare-rows.tsv"
	rows=$(wc -l <"$work/compare-rows.tsv")
	for peer in $peers; do
		compared_values "$peer" >"$work/compare-$peer.tsv"
	done
	draw compare "peers = '$peers'" "rows = $rows" "subtitle = '$(subtitle)'" \
		"baseline = '$(jq -r .baseline "$dir/bench.json")'"
}

# Peers with a value in some row of "grow".
grown()
{
	jq -r '[.rows[] | select(.scenario | startswith("grow-")) | .values | to_entries[] |
		select(.value.median != null) | .key] as $grown |
		.columns | keys_unsorted | map(select(. as $name | $grown | index($name))) | join(" ")' \
		"$dir/bench.json"
}

# grow_values PEER KIND: sessions open, then the medians of grow's metrics in the panels' order.
# KIND "alone" has them where as many are active as are at the sizes of "grow".
grow_values()
{
	jq -r --arg peer "$1" --arg kind "$2" '[.rows[] | select(.scenario | startswith($kind + "-"))] |
		group_by(.open)[] |
		(map({(.metric): .values[$peer].median}) | add) as $value |
		[if $kind == "alone" then .[0].open * 100 else .[0].open end,
			$value["bulk-cpu"], $value["trips-cpu"], $value["turns-cpu"], $value["turns-p50"]] |
		map(. // "-") | @tsv' "$dir/bench.json"
}

draw_growth()
{
	local peers

	peers=$(grown)
	[ -n "$peers" ] || return 0
	for peer in $peers; do
		grow_values "$peer" grow >"$work/grow-$peer.tsv"
		grow_values "$peer" alone >"$work/alone-$peer.tsv"
	done
	draw growth "peers = '$peers'" "subtitle = '$(subtitle)'"
}

# relay_values CURVE: size, MB/s and CPU s/GB of one path with so many streams.
relay_values()
{
	jq -r --arg curve "$1" '[.points[] | select("\(.path)-\(.streams)" == $curve)] |
		sort_by(.size)[] | [.size, .rate_mb_s, .cpu_s_gb] | map(. // "-") | @tsv' \
		"$dir/relay.json"
}

draw_relay()
{
	local curves

	curves=$(jq -r '[.points[] | "\(.path)-\(.streams)"] | unique | join(" ")' "$dir/relay.json")
	[ -n "$curves" ] || return 0
	for curve in $curves; do
		relay_values "$curve" >"$work/relay-$curve.tsv"
	done
	draw relay "curves = '$curves'" \
		"subtitle = '$(jq -r '"\(.date[:10]), \(.system)" | gsub("_"; "\\_")' "$dir/relay.json")'"
}

if [ -e "$dir/bench.json" ]; then
	draw_compare
	draw_growth
fi
if [ -e "$dir/relay.json" ]; then
	draw_relay
fi
