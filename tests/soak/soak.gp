# A run of soak: what is judged as it was at each rest, what it is under load, and what visits took.
# The second and the last third, which are compared, have grounds of their own.

eval svg(1200, 1050)
set output output
set datafile separator ","
set datafile missing ""

stats csv using "seconds" name "S" nooutput
n = int(S_records)
third = n / 3
# Where the last interval before a third ends.
stats csv every ::(n - 2 * third - 1)::(n - 2 * third - 1) using "seconds" name "A" nooutput
stats csv every ::(n - third - 1)::(n - third - 1) using "seconds" name "B" nooutput
set object 1 rectangle from A_max / 60, graph 0 to B_max / 60, graph 1 fc rgb "#eef4fa" fs noborder behind
set object 2 rectangle from B_max / 60, graph 0 to S_max / 60, graph 1 fc rgb "#dce9f5" fs noborder behind

set xrange [0:S_max / 60]
set yrange [0:*]
set grid y lc rgb "#dddddd" lt 1
set key inside bottom right samplen 2
x = "column('seconds') / 60"
colour(i) = word("#0072b2 #e69f00 #009e73 #999999 #cc79a7 #d55e00 #56b4e9 #117733 #882255 #444444 #aa8800 #6600aa", i)

set multiplot layout 3,2 margins 0.065, 0.985, 0.11, 0.91 spacing 0.065, 0.075 title sprintf("Soak: %.0f minutes\n{/*0.8 %s}", S_max / 60, subtitle)

set title "Memory"
set ylabel "MiB" offset 1,0
plot csv using (@x):(column("busy_rss_kb") / 1024) with lines lc rgb "#bbbbbb" lw 1.5 title "RSS, highest under load", \
	csv using (@x):(column("rss_kb") / 1024) with lines lc rgb colour(1) lw 2 title "RSS at rest", \
	csv using (@x):(column("pss_kb") / 1024) with lines lc rgb colour(2) lw 2 title "PSS at rest"

set title "Descriptors and threads"
set ylabel "number" offset 1,0
plot csv using (@x):(column("busy_descriptors")) with lines lc rgb "#bbbbbb" lw 1.5 title "descriptors, most under load", \
	csv using (@x):(column("threads")) with lines lc rgb colour(3) lw 2 title "threads", \
	csv using (@x):(column("descriptors")) with lines lc rgb colour(1) lw 2 title "descriptors at rest"

set title "What was done"
set ylabel "a second" offset 1,0
plot csv using (@x):(column("done_per_s")) with lines lc rgb colour(1) lw 2 title "visits and stories", \
	csv using (@x):(column("wrong")) with lines lc rgb colour(6) lw 2 title "wrong answers, an interval"

set title "The server's CPU"
set ylabel "% of one" offset 1,0
plot csv using (@x):(column("cpu_percent")) with lines lc rgb colour(1) lw 2 notitle

set xlabel "minutes"
set ylabel "ms" offset 1,0
set yrange [0.1:*]
set logscale y 10
unset key
set title "Latency, median"
plot for [i = 1:words(doors)] csv using (@x):(column(word(doors, i)."_p50_ms")) with lines lc rgb colour(i) lw 1.5 \
	title word(doors, i)

set title "Latency, 99th percentile"
set key at screen 0.5, screen 0.005 center bottom horizontal maxcols 12 noopaque samplen 1.5 width -3
plot for [i = 1:words(doors)] csv using (@x):(column(word(doors, i)."_p99_ms")) with lines lc rgb colour(i) lw 1.5 \
	title word(doors, i)
unset multiplot
