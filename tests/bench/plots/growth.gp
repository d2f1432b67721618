# Cost against the number of open sessions, a panel for each kind of cost, a line for each server.
# A hollow mark is the same without the idle sessions.

eval svg(1000, 820)
set output output

file(kind, i) = sprintf("%s/%s-%s.tsv", work, kind, word(peers, i))
hollow(name) = name eq "socks5d" ? 6 : name eq "microsocks" ? 4 : name eq "dante" ? 8 : name eq "direct" ? 12 : 10

set logscale x 10
set xrange [7:7000]
set xtics ("10" 10, "100" 100, "1,000" 1000, "5,000" 5000)
set yrange [0:*]
set xlabel "sessions open, 1 % of them active"
set grid y lc rgb "#dddddd" lt 1
unset key

# Without a proxy there is a time, but no CPU.
n = words(peers)
first(panel) = panel < 4 && word(peers, 1) eq "direct" ? 2 : 1

array titles[4] = ["Bulk, active sessions at once", "Echoes, active sessions at once", \
	"Echoes, one at a time in turn", "Time of an echo, one at a time in turn"]
array units[4] = ["CPU s per GB", "CPU µs per trip", "CPU µs per trip", "median, µs"]

set multiplot layout 2,2 margins 0.08, 0.98, 0.13, 0.87 spacing 0.09, 0.17 title sprintf("Cost of growth (hollow: the active sessions without the idle ones)\n{/*0.8 %s}", subtitle)
do for [panel = 1:4] {
	set title titles[panel]
	set ylabel units[panel]
	column = panel + 1
	if (panel == 4) {
		set key at screen 0.5, 0.01 center bottom horizontal
	}
	plot for [i = first(panel):n] file("grow", i) using 1:column \
			with linespoints ls style_of(word(peers, i)) title word(peers, i), \
		for [i = first(panel):n] file("alone", i) using 1:column with points ls style_of(word(peers, i)) \
			pt hollow(word(peers, i)) ps 1.5 notitle
}
unset multiplot
