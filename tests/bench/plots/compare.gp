# A bar a row and server, from 1 to how many times better it is than the baseline.

n = words(peers)
thickness = 0.8 / n
eval svg(900, 130 + rows * (8 + 13 * n))
set output output

# Row numbers count downwards; a row's bars share its place.
place(row, i) = row + (i - (n + 1) / 2.0) * thickness
low(x) = x < 1 ? x : 1
high(x) = x < 1 ? 1 : x
file(i) = sprintf("%s/compare-%s.tsv", work, word(peers, i))
text(x) = sprintf(x < 0.1 ? "%.3f" : x < 10 ? "%.2f" : "%.1f", x)

# With room for the figures.
worst = 1
best = 1
do for [i = 1:n] {
	stats file(i) using 2 nooutput
	worst = STATS_min < worst ? STATS_min : worst
	best = STATS_max > best ? STATS_max : best
}

set title sprintf("How many times better than %s\n{/*0.8 %s}", baseline, subtitle)
set xlabel "times as good as ".baseline.": its rate, or the inverse of its CPU, time or memory"
set logscale x 2
set xtics ("1/256" 1/256., "1/64" 1/64., "1/16" 1/16., "1/4" 1/4., "1/2" 1/2., "1" 1, "2" 2, "4" 4, "8" 8, "16" 16)
set xrange [worst / 1.8:best * 1.5]
set yrange [rows - 0.4:-0.6]
set ytics scale 0 font ",12"
set grid x lc rgb "#dddddd" lt 1
set key outside top center horizontal
set style fill solid noborder

plot for [i = 1:n] file(i) using 2:(place($1, i)):(low($2)):(high($2)): \
		(place($1, i) - thickness / 2):(place($1, i) + thickness / 2) \
		with boxxyerror ls style_of(word(peers, i)) title word(peers, i), \
	for [i = 1:n] file(i) using ($2 >= 1 ? $2 : NaN):(place($1, i)):(text($2)) \
		with labels left offset 0.5,0 font ",10" notitle, \
	for [i = 1:n] file(i) using ($2 < 1 ? $2 : NaN):(place($1, i)):(text($2)) \
		with labels right offset -0.5,0 font ",10" notitle, \
	work."/compare-rows.tsv" using (1):0:ytic(1) with lines lc rgb "#333333" lw 1 notitle
