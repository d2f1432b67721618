# Throughput and CPU against the size of the buffer (copy) or the pipe (splice).

eval svg(1000, 500)
set output output

n = words(curves)
curve(i) = word(curves, i)
path(i) = curve(i)[1:strstrt(curve(i), "-") - 1]
streams(i) = curve(i)[strstrt(curve(i), "-") + 1:strlen(curve(i))]
label(i) = path(i).(path(i) eq "copy" ? " through a buffer, " : " through a pipe, "). \
	streams(i).(streams(i) eq "1" ? " stream" : " streams")
colour(i) = path(i) eq "splice" ? "#0072b2" : "#d55e00"
dash(i) = streams(i) eq "1" ? 1 : 2

set logscale x 2
set xrange [*:*]
set format x "%.0f"
set yrange [0:*]
set xlabel "size of the buffer or pipe, KiB"
set offsets graph 0.04, graph 0.04, graph 0.08, 0
set grid lc rgb "#dddddd" lt 1

set multiplot layout 1,2 margins 0.09, 0.98, 0.26, 0.80 spacing 0.09, 0 title sprintf("Relaying by size of buffer or pipe\n{/*0.8 %s}", subtitle)
set title "Throughput"
set ylabel "MB/s"
unset key
plot for [i = 1:n] work."/relay-".curve(i).".tsv" using ($1 / 1024):2 with linespoints lw 2 pt 7 ps 0.6 \
	lc rgb colour(i) dt dash(i) title label(i)
set title "CPU"
set ylabel "s per GB"
set key at screen 0.5, 0.01 center bottom horizontal
plot for [i = 1:n] work."/relay-".curve(i).".tsv" using ($1 / 1024):3 with linespoints lw 2 pt 7 ps 0.6 \
	lc rgb colour(i) dt dash(i) title label(i)
unset multiplot
