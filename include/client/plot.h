/* plot: values as bars of text characters. Pure; no lock. */
#ifndef CLIENT_PLOT_H
#define CLIENT_PLOT_H

/* What the top of a plot stands for whose greatest value is `value`: 1, 2 or 5 times a power of
 * ten, and at least 1000. */
double plot_ceiling(double value);

/* How far the bar of `value` fills the cell in `row`, 0 being the lowest of `rows`: 0 to `steps`.
 * A value above 0 shows in any case. */
int plot_fill(double value, double ceiling, int rows, int row, int steps);

#endif
