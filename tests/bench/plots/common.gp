# What all pictures share. A server has the same colour in each of them.

svg(width, height) = sprintf("set terminal svg size %d,%d font 'sans-serif,13' background '#ffffff'", width, height)

style_of(name) = name eq "socks5d" ? 1 : name eq "microsocks" ? 2 : name eq "dante" ? 3 : name eq "direct" ? 4 : 5
set style line 1 lc rgb "#0072b2" lw 2.5 pt 7 ps 0.7
set style line 2 lc rgb "#e69f00" lw 2 pt 5 ps 0.7
set style line 3 lc rgb "#009e73" lw 2 pt 9 ps 0.8
set style line 4 lc rgb "#999999" lw 2 pt 13 ps 0.8
set style line 5 lc rgb "#cc79a7" lw 2 pt 11 ps 0.8

set datafile separator "\t"
set datafile missing "-"
set border 3 lc rgb "#555555"
set tics nomirror
