#!/bin/bash
# Draws a run: plot.sh DIR makes DIR/soak.svg of DIR/soak.csv.
set -euo pipefail

here=$(dirname "$0")
dir=$1
doors=$(sed -n '1{s/\r//;y/,/\n/;p;q}' "$dir/soak.csv" | sed -n 's/_p50_ms$//p' | paste -sd ' ')
subtitle="$(date -r "$dir/soak.csv" +%F), Linux $(uname -r) $(uname -m), $(nproc) CPUs"
gnuplot -e "csv = '$dir/soak.csv'; output = '$dir/soak.svg'; doors = '$doors'; subtitle = '${subtitle//_/\\_}'" \
	"$here/../bench/plots/common.gp" "$here/soak.gp"
echo "$dir/soak.svg"
